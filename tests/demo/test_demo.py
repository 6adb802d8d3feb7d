"""`load_demo`: what is bundled, and that it is what training says."""

import subprocess
import sys
from importlib.resources import files

import numpy as np
import pytest
import torch
from torch.nn import functional

from wcam_widget.demo import VARIANTS, load_demo, load_metrics, load_network
from wcam_widget.demo.network import normalise
from wcam_widget.demo.scenes import CLASS_NAMES, HELD_OUT_COLUMNS, draw_scenes
from wcam_widget.demo.train import BLUR_SIGMA, NOISE_SIGMA, measure, photographs, save_images

# (variant, condition): the accuracy asked for, and on which side of it.
REQUIRED = {
    ("standard", "clean"): (0.95, 1.0),
    ("standard", "noise"): (0.0, 0.5),
    ("standard", "blur"): (0.0, 0.5),
    ("robust", "clean"): (0.90, 1.0),
    ("robust", "noise"): (0.75, 1.0),
    ("robust", "blur"): (0.75, 1.0),
}


@pytest.fixture(scope="module")
def measured():
    photos = photographs()
    return {variant: measure(load_network(variant).net, photos, per_class=16) for variant in VARIANTS}


@pytest.mark.parametrize(("variant", "condition"), REQUIRED)
def test_accuracies_recorded_by_training_are_asked_for_and_measured_again(measured, variant, condition):
    low, high = REQUIRED[variant, condition]
    recorded = load_metrics()[variant][condition]
    assert low <= recorded <= high
    assert low <= measured[variant][condition] <= high
    # 144 images: three standard errors of a share are at most .125.
    assert measured[variant][condition] == pytest.approx(recorded, abs=0.125)


def test_the_recorded_strengths_are_those_of_the_script():
    assert load_metrics()["noise_sigma"] == NOISE_SIGMA
    assert load_metrics()["blur_sigma"] == BLUR_SIGMA


def test_the_standard_network_needs_finer_scales_than_the_robust_one():
    """Without the two finest Haar levels, means over 4 x 4 pixels, the robust one still knows the classes."""
    labels = torch.arange(len(CLASS_NAMES)).repeat(12)
    images = draw_scenes(photographs(), labels, HELD_OUT_COLUMNS, torch.Generator().manual_seed(5)).images
    coarse = functional.interpolate(functional.avg_pool2d(images, 4), scale_factor=4, mode="nearest")
    right = {
        variant: float((load_network(variant).logits(coarse).argmax(dim=1) == labels).float().mean())
        for variant in VARIANTS
    }
    assert right["robust"] > right["standard"] + 0.2


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_dozen_held_out_images_come_with_every_class_and_are_classified(variant):
    model, images, labels, class_names = load_demo(variant)
    assert images.shape == (12, 3, 128, 128)
    assert images.dtype == torch.float32
    assert 0 <= float(images.min()) < float(images.max()) <= 1
    assert set(labels.tolist()) == set(range(9))
    assert class_names == CLASS_NAMES == model.class_names
    assert int((model.logits(images).argmax(dim=1) == labels).sum()) >= 11


def test_the_bundled_images_are_those_the_script_draws(tmp_path):
    save_images(photographs(), tmp_path / "images.npz")
    demo = load_demo()
    with np.load(tmp_path / "images.npz") as drawn:
        levels = torch.from_numpy(drawn["images"]).float() / 255
        torch.testing.assert_close(levels, demo.images, atol=1.01 / 255, rtol=0)
        assert drawn["labels"].tolist() == demo.labels.tolist()


@pytest.mark.parametrize("name", [*(f"{variant}.safetensors" for variant in VARIANTS), "images.npz"])
def test_bundled_files_are_small(name):
    assert 50_000 < len(files("wcam_widget.demo").joinpath(name).read_bytes()) <= 2**20


def test_the_data_card_names_every_file_and_licence():
    card = files("wcam_widget.demo").joinpath("DATA.md").read_text(encoding="utf-8")
    for word in (
        "images.npz",
        "standard.safetensors",
        "robust.safetensors",
        "metrics.json",
        "CC0",
        "scikit-image",
    ):
        assert word in card


def test_an_unknown_variant_is_named():
    with pytest.raises(ValueError, match="variant: found 'strong'; accepted are 'standard' and 'robust'"):
        load_demo("strong")


def test_loading_needs_neither_scikit_image_nor_a_model_library():
    code = (
        "import sys\n"
        "for name in ('skimage', 'timm', 'torchvision', 'transformers'): sys.modules[name] = None\n"
        "from wcam_widget.demo import load_demo\n"
        "print(len(load_demo().images))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "12"


def test_the_input_is_normalised_inside():
    demo = load_demo()
    net = demo.model.net.eval()
    with torch.inference_mode():
        expected = net(normalise(demo.images))
    torch.testing.assert_close(demo.model.logits(demo.images), expected.clone())
