"""Agreement with independent implementations, to the distances that docs/methods/corruptions.md states.

reference/corruptions.npz holds what they made of the cat; where the package is installed, another photograph
is compared with it, too.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.stress.corruptions.agreement import EXACT, cat, change_per_scale, patch
from wcam_widget import CORRUPTIONS, corrupt, load_photos

RECORD = Path(__file__).parents[2] / "reference" / "corruptions.npz"
STEP = 1 / 255
# Largest difference of a value in a picture; the reference rounds, and its disk and JPEG are others' code.
PIXELS = dict.fromkeys(EXACT, 1.01 * STEP) | {"defocus_blur": 3.6 * STEP, "jpeg_compression": 3.6 * STEP}
# Largest ratio of the change at one scale, less 1, over draws: most of it is chance between draws.
SCALES = dict.fromkeys(CORRUPTIONS, 0.03) | {
    "elastic_transform": 0.25,
    "fog": 0.25,
    "frost": 0.45,
    "glass_blur": 0.05,
    "motion_blur": 0.06,
    "snow": 0.12,
    "spatter": 0.45,
}


def draws(name, severity, count):
    """``count`` draws of the corrupted cat, (count, h, w, 3)."""
    made = corrupt(cat().expand(count, -1, -1, -1), name, severity)
    return made.permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize("name", EXACT)
def test_pictures_are_those_of_the_reference(name):
    patches = np.load(RECORD)[f"{name}_patch"] / 255
    for severity in range(1, 6):
        made = patch(draws(name, severity, 1)[0])
        np.testing.assert_allclose(made, patches[severity - 1], rtol=0, atol=PIXELS[name])


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_change_at_each_scale_is_that_of_the_reference(name):
    recorded = np.load(RECORD)[name]
    clean = cat().permute(1, 2, 0).numpy()
    count = 1 if name in EXACT else 16
    for severity in (1, 3, 5):
        changes = [change_per_scale(one - clean) ** 2 for one in draws(name, severity, count)]
        measured = np.sqrt(np.mean(changes, 0))
        # Less than half a step of 8 bits is rounding of the reference.
        gap = np.abs(measured - recorded[severity - 1]).clip(min=STEP / 2) - STEP / 2
        ratio = gap / recorded[severity - 1]
        assert ratio.max() < SCALES[name], (severity, measured, recorded[severity - 1])


@pytest.mark.parametrize("name", EXACT)
def test_pictures_are_those_of_the_package_itself(name):
    reference = pytest.importorskip(
        "imagecorruptions",
        reason="pip install imagecorruptions-imaug to compare with it on another photograph",
    )
    photograph = load_photos()["coffee"].crop((100, 50, 324, 274)).resize((224, 224), Image.Resampling.BOX)
    pixels = np.array(photograph)
    images = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
    for severity in (2, 4):
        theirs = np.clip(reference.corrupt(pixels, corruption_name=name, severity=severity), 0, 255) / 255
        ours = corrupt(images, name, severity)[0].permute(1, 2, 0).numpy()
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=PIXELS[name])
