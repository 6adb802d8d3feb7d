"""Every method of the command line on a trained network and photographs, with its cheapest settings."""

from __future__ import annotations

import numpy as np
import pytest

from wcam_widget import (
    Cameras,
    CartoonX,
    Derivative,
    GradCam,
    Sise,
    WaveletGradient,
    Wcam,
    load_model,
    load_photos,
)
from wcam_widget.cli.methods import Name
from wcam_widget.explain import AbstractMethod
from wcam_widget.explain.gradient.modes import Integrated, Smooth

pytestmark = pytest.mark.slow
FIRST = "_blocks.0"  # few channels: Score-CAM and SISE score each of them
CHEAP: dict[Name, AbstractMethod] = {
    Name.WCAM: Wcam(Derivative(rows=2), levels=1, grid=1),
    Name.WCAM_PUBLISHED: Wcam.as_published(grid=2, rows=2, levels=1),
    Name.WAVELET_INTEGRATED: WaveletGradient(Integrated(rows=1), levels=1),
    Name.WAVELET_SMOOTH: WaveletGradient(Smooth(rows=2), levels=1),
    Name.WAVELET_PRODUCT: WaveletGradient("product", levels=1),
    Name.WAVELET_SALIENCY: WaveletGradient("saliency", levels=1),
    Name.WAM_PUBLISHED: WaveletGradient.as_published(rows=2, levels=1),
    Name.CARTOONX: CartoonX(iterations=1, noise=None, levels=1),
    Name.GRADCAM: GradCam(),
    Name.GRADCAM_PLUS_PLUS: GradCam(variant="gradcam++"),
    Name.HIRESCAM: GradCam(variant="hirescam"),
    Name.LAYERCAM: GradCam(variant="layercam"),
    Name.XGRADCAM: GradCam(variant="xgradcam"),
    Name.SCORECAM: GradCam(FIRST, "scorecam"),
    Name.CAMERAS: Cameras(sizes=(64, 96)),
    Name.SISE: Sise(FIRST),
    Name.ADA_SISE: Sise.adaptive(FIRST),
}


@pytest.fixture(scope="module")
def model():
    return load_model("efficientnet-lite0", device="cpu")


def test_the_catalogue_is_covered():
    assert set(CHEAP) == set(Name)


@pytest.mark.parametrize("name", Name)
def test_maps_of_photographs_are_finite(model, name):
    photographs = [load_photos()[each] for each in ("coffee", "rocket")]
    for attribution in CHEAP[name](model, photographs):
        assert attribution.complete
        assert np.isfinite(attribution.values).all()
        assert np.isfinite(attribution.spatial()).all()
        assert attribution.spatial().shape == (224, 224)
