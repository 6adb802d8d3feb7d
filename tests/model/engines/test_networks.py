"""Known networks by every engine: the same class scores on the bundled photographs, and who is large."""

import sys

import pytest
import torch
from transformers import ResNetConfig, ResNetForImageClassification

from tests.model.engines.ready import builds, close, wait
from wcam_widget import load_model, load_photos
from wcam_widget.explain import Wcam
from wcam_widget.model import BlackBox
from wcam_widget.model.engines import exporting
from wcam_widget.model.engines.build import MAKERS
from wcam_widget.model.engines.eligibility import OPERATIONS, private_copy
from wcam_widget.model.engines.operations import most_operations, operations
from wcam_widget.sensitivity import Sobol


def photographs(model):
    photos = load_photos()
    return torch.stack([model.fit(photos[name]) for name in photos])


def random_resnet():
    torch.manual_seed(0)
    config = ResNetConfig(depths=[1, 1, 1, 1], hidden_sizes=[16, 32, 64, 128], num_labels=10)
    net = ResNetForImageClassification(config)
    for module in net.modules():  # as training would leave them
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
    return BlackBox(net)


def torchvision_resnet():
    models = pytest.importorskip("torchvision.models", reason="needs torchvision, of the extra torchvision")
    torch.manual_seed(0)
    return BlackBox(models.resnet18(weights=None))


MODELS = {
    "efficientnet-lite0": lambda: load_model("efficientnet-lite0"),
    "demo": lambda: load_model("demo"),
    "a ResNet of transformers": random_resnet,
    "a ResNet of torchvision": torchvision_resnet,
}


@pytest.mark.parametrize("engine", MAKERS)
@pytest.mark.parametrize("name", MODELS)
def test_class_scores_of_photographs_are_the_same_by_every_engine(name, engine, monkeypatch):
    if engine == "onnx":
        pytest.importorskip("onnxruntime", reason="needs onnxruntime, of the extra fast")
    else:
        monkeypatch.setattr(exporting, "find_spec", lambda _name: None)
    model = MODELS[name]()
    images = photographs(model if model.input_size else load_model("demo"))
    expected = model.by("torch").logits(images)
    fast = model.by("onnx")
    for _ in range(2):
        fast.logits(images)
    wait(fast)
    close(fast.logits(images), expected)
    assert fast.engine.name == engine, fast.engine


@pytest.mark.parametrize(("name", "large"), [("efficientnet-lite0", True), ("demo", False)])
def test_operations_are_counted_and_bounded(name, large):
    model = load_model(name)
    image = photographs(model)[:1]
    count = operations(private_copy(model.net), image)
    assert (count > OPERATIONS) == large
    assert count < most_operations(model.net, image)
    if large:
        assert count == pytest.approx(0.77e9, rel=0.02)  # as published, 407 million multiplications and sums


@pytest.mark.slow
def test_what_the_quicker_exporter_does_not_take_the_other_may(monkeypatch):
    pytest.importorskip("onnxruntime", reason="needs onnxruntime, of the extra fast")

    def refuse(*_, **__):
        raise ValueError("not this one")

    monkeypatch.setattr(exporting, "_traced", refuse)
    model = load_model("demo")
    images = photographs(model)
    fast = model.by("onnx")
    for _ in range(2):
        fast.logits(images)
    wait(fast)
    close(fast.logits(images), model.by("torch").logits(images))
    assert fast.engine.name == "onnx", fast.engine


def test_an_attribution_says_what_ran_it(tmp_path):
    pytest.importorskip("onnxruntime", reason="needs onnxruntime, of the extra fast")
    model = load_model("demo", engine="onnx")
    (image, *_), method = photographs(model), Wcam(Sobol(rows=2), levels=1, grid=2)
    for _ in range(2):
        list(method.steps(model, image))
        wait(model)
    (*_, found) = method.steps(model, image)
    assert found.engine == "ONNX Runtime"
    assert repr(found).endswith(f"{len(found.values)} cells, ONNX Runtime>")
    assert type(found).load(found.save(tmp_path / "map.npz")).engine == "ONNX Runtime"
    (*_, plain) = method.steps(model.by("torch"), image)
    assert (plain.engine, plain.target) == ("", found.target)
    assert builds(model)


def test_threads_take_shorter_turns_while_a_network_is_exported(monkeypatch):
    pytest.importorskip("onnxruntime", reason="needs onnxruntime, of the extra fast")
    before, during = sys.getswitchinterval(), []

    def traced(_scores, _rows, **_):
        during.append(sys.getswitchinterval())
        raise ValueError("not this one")

    monkeypatch.setattr(exporting, "_traced", traced)
    monkeypatch.setattr(exporting, "_captured", traced)
    with pytest.raises(ValueError, match="not this one"):
        exporting.exported(torch.nn.Identity(), None, torch.rand(2, 3))
    assert during == [pytest.approx(before / 10)] * 2
    assert sys.getswitchinterval() == before


def test_what_somebody_else_sets_during_an_export_stays(monkeypatch):
    pytest.importorskip("onnxruntime", reason="needs onnxruntime, of the extra fast")
    before = sys.getswitchinterval()

    def write(*_, **__):
        sys.setswitchinterval(before / 2)
        return b""

    monkeypatch.setattr(exporting, "_written", write)
    monkeypatch.setattr(exporting, "_Session", lambda _written: torch.relu)
    try:
        exporting.exported(torch.nn.Identity(), None, torch.rand(2, 3))
        assert sys.getswitchinterval() == pytest.approx(before / 2)
    finally:
        sys.setswitchinterval(before)
