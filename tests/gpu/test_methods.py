"""Maps of the other methods, and attacks, on an accelerator are those of the CPU in float32."""

import numpy as np
import pytest
import torch

from tests.gpu.accelerator import DEVICE, exact_float32, needs_cuda
from wcam_widget import (
    BlackBox,
    Cameras,
    CartoonX,
    GradCam,
    Sise,
    WaveletGradient,
    fgsm,
    load_demo,
    load_model,
)

pytestmark = needs_cuda

METHODS = {
    "Grad-CAM": GradCam(),
    "HiResCAM": GradCam(variant="hirescam"),
    "Score-CAM": GradCam(variant="scorecam"),
    "CAMERAS": Cameras(),
    "SISE": Sise(),
    "WaveletGradient": WaveletGradient("integrated"),
    "CartoonX": CartoonX(iterations=5),
}


def loaded(device: torch.device) -> BlackBox:
    found = load_model("demo", device)
    return BlackBox(found.net, found.preprocess, precision="float32")


@pytest.mark.parametrize("name", METHODS)
def test_maps_are_those_of_the_cpu(name):
    demo = load_demo()
    with exact_float32():
        (near,), (far,) = (
            METHODS[name](loaded(device), demo.images[:1], [int(demo.labels[0])])
            for device in (torch.device("cpu"), DEVICE)
        )
    # CAMERAS' maps and CartoonX's masks lie in [0, 1]; the others have units of their own.
    scale = max(1.0, float(np.abs(near.values).max()))
    np.testing.assert_allclose(far.values, near.values, atol=1e-4 * scale, rtol=0)
    assert (far.evaluations, far.gradients) == (near.evaluations, near.gradients)


def test_attacks_are_those_of_the_cpu_but_for_signs_of_nothing():
    demo = load_demo()
    with exact_float32():
        near, far = (
            fgsm(loaded(device), demo.images[:2], demo.labels[:2].tolist(), 0.02)
            for device in (torch.device("cpu"), DEVICE)
        )
    same = (near.images - far.images).abs() < 1e-6
    assert float(same.float().mean()) > 0.999  # a gradient of about 0 has either sign
    np.testing.assert_allclose(far.linf, near.linf, atol=1e-6)
