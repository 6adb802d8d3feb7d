"""What nobody asked for fits every image; what the caller gave is refused where it does not fit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from wcam_widget import CartoonX, Sobol, WaveletGradient, Wcam
from wcam_widget.evaluate.scoring_space import Domain
from wcam_widget.explain import AbstractMethod

SIZES = [(28, 28), (32, 32), (16, 16), (8, 8), (3, 5), (40, 300), (1, 9), (9, 1), (1, 1)]
METHODS: dict[str, AbstractMethod] = {
    "Wcam": Wcam(Sobol(rows=2)),
    "Wcam, long filters": Wcam(Sobol(rows=2), wavelet="db8"),
    "Wcam in pixels": Wcam(Sobol(rows=2), wavelet="pixels"),
    "Wcam in frequencies": Wcam(Sobol(rows=2), wavelet="fourier"),
    "Wcam, derivatives": Wcam(),
    "Wcam, spun": Wcam(Sobol(rows=2)).spun(2),
    "WaveletGradient": WaveletGradient("product"),
    "WaveletGradient, in cells": WaveletGradient("product", grid=1),
    "WAM as published": WaveletGradient.as_published(rows=2),
    "CartoonX": CartoonX(iterations=1),
}


@pytest.fixture(scope="module")
def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 1), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
    )


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_defaults_fit_every_image(method, size, net):
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(1))
    (found,) = method(net, image, [0])
    assert found.complete
    assert found.spatial().shape == size
    assert np.isfinite(found.values).all()


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ((224, 224), "haar, 3 levels, 8x8 cells per band"),
        ((32, 32), "haar, 3 levels, 4x4 cells per band"),
        ((28, 28), "haar, 3 levels, 3x3 cells per band"),
        ((40, 300), "haar, 3 levels, 5x5 cells per band"),
        ((5, 6), "haar, 2 levels, 1x1 cells per band"),
    ],
)
def test_what_was_chosen_is_said(size, said):
    method = Wcam()
    cells = method.cells(method.basis(size))
    assert method.describe(Sobol(), cells) == f"Wcam · Sobol · {said}"
    assert Domain("wavelet").scoring_space(size).words(cells) == said
    assert f"haar, {said[6]} levels" in WaveletGradient().describe(cells)


def test_published_settings_fit_square_images(net):
    image = torch.rand(1, 3, 28, 28)
    (found,) = Wcam.as_published(rows=2)(net, image, [0])
    assert found.method == "Wcam as published · haar, 2 levels, 28x28 cells"
    (small,) = Wcam.as_published(rows=2)(net, image[..., :16, :16], [0])
    assert small.method == "Wcam as published · haar, 3 levels, 16x16 cells"
    with pytest.raises(ValueError, match="must be square"):
        Wcam.as_published(rows=2)(net, image[..., :20], [0])
    assert CartoonX.as_published().space.basis((28, 28)).levels == 4
    assert CartoonX.as_published().space.basis((224, 224)).levels == 5


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (Wcam(levels=5), "levels=5 does not fit an image of 28x28 pixels; 1 to 4 levels do"),
        (Wcam(grid=8), "grid=8 cells per side do not fit: .* 3 of its coefficients .* so 1 to 3 cells do"),
        (Wcam(levels=3, grid=8), "grid=8 cells per side do not fit"),
        (WaveletGradient(levels=5), "levels=5 does not fit"),
        (CartoonX(levels=5), "levels=5 does not fit"),
        (WaveletGradient.as_published(levels=5), "levels=5 does not fit"),
        (Wcam.as_published(grid=29), "at least grid=29 pixels"),
        (Wcam.as_published(levels=3), r"2\*\*levels=8 divides"),
    ],
)
def test_what_the_caller_gave_is_refused(method, message, net):
    with pytest.raises(ValueError, match=message):
        method(net, torch.rand(1, 3, 28, 28), [0])
