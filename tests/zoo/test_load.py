"""`load_model`: every source with its own preprocessing and names, without a download."""

import re
import subprocess
import sys
from types import ModuleType, SimpleNamespace
from urllib.error import URLError

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from transformers import (
    ConvNextConfig,
    ConvNextForImageClassification,
    ConvNextImageProcessorPil,
    MobileViTConfig,
    MobileViTForImageClassification,
    MobileViTImageProcessorPil,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessorPil,
)

from wcam_widget.model import BlackBox
from wcam_widget.zoo import load_model

PHOTOGRAPH = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
UNIT = torch.from_numpy(np.array(PHOTOGRAPH)).permute(2, 0, 1)[None] / 255.0


def tiny_vit():
    config = ViTConfig(
        image_size=64, patch_size=16, hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, id2label={0: "cat", 1: "dog", 2: "<i>red fox</i>"},
    )  # fmt: skip
    return ViTForImageClassification(config), ViTImageProcessorPil(size={"height": 64, "width": 64})


def tiny_convnext():
    net = ConvNextForImageClassification(
        ConvNextConfig(hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], num_labels=3)
    )
    means = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
    return net, ConvNextImageProcessorPil(size={"shortest_edge": 64}, crop_pct=1.0, **means)


def tiny_mobilevit():
    config = MobileViTConfig(
        image_size=64, hidden_sizes=[16, 16, 16], neck_hidden_sizes=[8, 8, 8, 16, 16, 16, 32], num_labels=4
    )
    sizes = {"size": {"shortest_edge": 64}, "crop_size": {"height": 64, "width": 64}}
    return MobileViTForImageClassification(config), MobileViTImageProcessorPil(**sizes)


@pytest.mark.parametrize(
    ("make", "names"),
    [(tiny_vit, ("cat", "dog", "<i>red fox</i>")), (tiny_convnext, None), (tiny_mobilevit, None)],
)
def test_transformers_scores_are_those_of_its_own_processor(make, names, tmp_path):
    torch.manual_seed(0)
    net, processor = make()
    net.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    model = load_model(f"hf:{tmp_path}", device="cpu")
    prepared = processor(images=PHOTOGRAPH, return_tensors="pt")
    torch.testing.assert_close(model.preprocess(UNIT), prepared["pixel_values"], rtol=1e-4, atol=1e-4)
    with torch.no_grad():
        expected = net.eval()(**prepared).logits
    torch.testing.assert_close(model.logits(UNIT), expected, rtol=1e-3, atol=1e-4)
    assert model.class_names == names
    assert model.input_size == (64, 64)


def test_an_unknown_model_of_a_source_is_named(tmp_path):
    with pytest.raises(ValueError, match=re.escape(f"name: 'hf:{tmp_path}' could not be loaded")):
        load_model(f"hf:{tmp_path}")


def test_without_a_network_two_ways_out_are_named(torchvision, monkeypatch):
    def offline(name, weights):
        raise URLError("Name or service not known")

    monkeypatch.setattr(sys.modules["torchvision"].models, "get_model", offline)
    message = r'without a network, load what was saved in a folder, "hf:FOLDER", or .* "efficientnet-lite0"'
    with pytest.raises(ValueError, match=message):
        load_model("torchvision:plain")


class Plain(nn.Module):
    """A network whose scores are the mean colours it is given."""

    def forward(self, images):
        return images.mean(dim=(2, 3))


def preset(mean, std, side):
    """What presets of torchvision and transforms of timm do: resize, scale to [0, 1], normalise."""

    def transform(image):
        array = np.array(image.resize((side, side)), dtype=np.float32) / 255
        return (torch.from_numpy(array).permute(2, 0, 1) - torch.tensor(mean)[:, None, None]) / torch.tensor(
            std
        )[:, None, None]

    return transform


@pytest.fixture
def torchvision(monkeypatch):
    """The part of torchvision.models that is called."""
    default = SimpleNamespace(
        transforms=lambda: preset((0.5, 0.4, 0.3), (0.2, 0.25, 0.5), 48), meta={"categories": ["r", "g", "b"]}
    )

    def get_model_weights(name):
        if name != "plain":
            raise ValueError(f"Unknown model {name}")
        return SimpleNamespace(DEFAULT=default)

    def get_model(name, weights):
        assert (name, weights) == ("plain", default)
        return Plain()

    module = ModuleType("torchvision")
    module.models = SimpleNamespace(
        get_model_weights=get_model_weights, get_model=get_model, list_models=lambda: ["plain", "fancy"]
    )
    monkeypatch.setitem(sys.modules, "torchvision", module)


def test_torchvision_weights_give_normalisation_size_and_names(torchvision):
    model = load_model("torchvision:plain", device="cpu")
    scores = model.logits(torch.full((1, 3, 8, 8), 0.5))
    torch.testing.assert_close(scores, torch.tensor([[0.0, 0.4, 0.4]]), rtol=1e-4, atol=1e-5)
    assert model.class_names == ("r", "g", "b")
    assert model.input_size == (48, 48)
    message = (
        "'torchvision:plane' could not be loaded: Unknown model plane; did you mean 'torchvision:plain'?"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        load_model("torchvision:plane")


@pytest.fixture
def timm(monkeypatch):
    """The part of timm that is called (create_model, data.*); a model's configuration is set by the test."""
    net = Plain()
    net.pretrained_cfg = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5), "input_size": (3, 96, 96)}

    def create_model(name, pretrained):
        assert (name, pretrained) == ("plain", True)
        return net

    def create_transform(mean, std, input_size, is_training):
        assert not is_training
        return preset(mean, std, input_size[1])

    def resolve_model_data_config(model):
        return {key: model.pretrained_cfg[key] for key in ("mean", "std", "input_size")}

    module = ModuleType("timm")
    module.create_model = create_model
    module.data = SimpleNamespace(
        create_transform=create_transform,
        resolve_model_data_config=resolve_model_data_config,
        infer_imagenet_subset=lambda model: "tiny" if model.pretrained_cfg.get("num_classes") == 3 else None,
        ImageNetInfo=lambda subset: SimpleNamespace(
            label_descriptions=lambda: [f"{subset} {i}" for i in range(3)]
        ),
    )
    monkeypatch.setitem(sys.modules, "timm", module)
    return net


@pytest.mark.parametrize(
    ("extra", "names"),
    [
        ({}, None),
        ({"num_classes": 3}, ("tiny 0", "tiny 1", "tiny 2")),
        ({"num_classes": 3, "label_names": ("x", "y", "z")}, ("x", "y", "z")),
        ({"label_names": ("x", "y", "z"), "label_descriptions": {"y": "why"}}, ("x", "why", "z")),
    ],
)
def test_timm_configuration_gives_normalisation_size_and_names(timm, extra, names):
    timm.pretrained_cfg |= extra
    model = load_model("timm:plain", device="cpu")
    torch.testing.assert_close(model.logits(torch.full((1, 3, 4, 4), 0.75)), torch.full((1, 3), 0.5))
    assert model.class_names == names
    assert model.input_size == (96, 96)


@pytest.mark.parametrize(
    ("name", "library", "extra"),
    [
        ("timm:x", "timm", "timm"),
        ("torchvision:x", "torchvision", "torchvision"),
        ("hf:x", "transformers", "hf"),
    ],
)
def test_a_missing_library_says_which_extra_to_install(monkeypatch, name, library, extra):
    monkeypatch.setitem(sys.modules, library, None)
    message = f'need {library}; install it with: pip install "wcam_widget[{extra}]"'
    with pytest.raises(ImportError, match=re.escape(message)):
        load_model(name)


def test_a_library_that_lacks_one_of_its_own_is_not_called_missing(monkeypatch, tmp_path):
    (tmp_path / "timm.py").write_text("import a_library_it_needs\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "timm", raising=False)
    with pytest.raises(ModuleNotFoundError, match="a_library_it_needs"):
        load_model("timm:x")


@pytest.fixture
def own_module(monkeypatch, tmp_path):
    (tmp_path / "my_networks.py").write_text(
        "import torch\n"
        "from wcam_widget.model import BlackBox\n"
        "def module(): return torch.nn.Flatten()\n"
        "def box(): return BlackBox(lambda images: images.mean(dim=(2, 3)), class_names=('r', 'g', 'b'))\n"
        "def number(): return 3\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("my_networks", None)


def test_a_function_of_ones_own_makes_a_module_or_a_black_box(own_module):
    assert isinstance(load_model("my_networks:module").net, nn.Flatten)
    assert load_model("my_networks:box", device="cpu").class_names == ("r", "g", "b")
    with pytest.raises(TypeError, match="name: my_networks:number returned int; accepted are a BlackBox"):
        load_model("my_networks:number")
    with pytest.raises(ValueError, match="device: found 'meta', but my_networks:box made a model on cpu"):
        load_model("my_networks:box", device="meta")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet50", "name: found 'resnet50'; accepted are \"demo\""),
        ("resnet50", "did you mean 'torchvision:resnet50' or 'timm:resnet50' or 'hf:OWNER/resnet50'?"),
        ("microsoft/resnet-50", "did you mean 'hf:microsoft/resnet-50'?"),
        ("EfficientNet_Lite0", "did you mean 'efficientnet-lite0'"),
        ("efficientnet-lite7", "did you mean 'efficientnet-lite"),
        ("torchvison:resnet50", "did you mean 'torchvision:resnet50'?"),
        ("timm:", "name: found 'timm:'; accepted"),
        ("no_such_module:make", "name: found 'no_such_module:make', but No module named 'no_such_module'"),
        ("json:no_such_function", "but module 'json' has no attribute 'no_such_function'; accepted"),
        ("demo:strong", "name: found 'demo:strong'; accepted"),
    ],
)
def test_unknown_names(name, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        load_model(name)


@pytest.mark.parametrize("name", ["demo", "demo:robust"])
def test_demo_models(name):
    model = load_model(name, device="cpu")
    assert isinstance(model, BlackBox)
    assert model.input_size == (128, 128)
    assert model.class_names[-1] == "gravel-triangle"


def test_importing_the_package_imports_no_model_library():
    zoos = "{'timm', 'torchvision', 'transformers'}"
    code = f"import sys, wcam_widget.zoo; print(sorted({zoos} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
