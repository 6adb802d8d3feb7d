"""Otsu's threshold against scikit-image, and the fusion of blocks against its closed form."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.filters import threshold_otsu
from torch import Tensor

from wcam_widget.explain.cam import fusion
from wcam_widget.explain.cam.fusion import BINS, CUTS, cascade, otsu
from wcam_widget.explain.cam.pixel_maps import in_unit
from wcam_widget.model.field_of_view import FieldOfView

FLOATS = st.floats(-100, 100, width=32)


@given(hnp.arrays(np.float32, st.integers(1, 60), elements=FLOATS))
def test_otsu_parts_values_as_scikit_image_does(values):
    mine, theirs = otsu(torch.from_numpy(values)), threshold_otsu(values.astype(np.float64), BINS)
    assert mine == pytest.approx(float(theirs), abs=2e-6 * 100) or _equally_apart(values, mine, theirs)


def _equally_apart(values: np.ndarray, *thresholds: float) -> bool:
    """Whether thresholds part values equally well: rounding decides between those."""
    found = []
    for threshold in thresholds:
        lower, upper = values[values <= threshold], values[values > threshold]
        found.append(len(lower) * len(upper) * (lower.mean() - upper.mean()) ** 2 if len(upper) else 0.0)
    return found[0] == pytest.approx(found[1], rel=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_otsu_is_that_of_scikit_image_on_smooth_maps(seed):
    heat = unit(blob(60 + 10 * seed) + 0.05 * torch.rand(224, 224, generator=torch.manual_seed(seed)))
    assert otsu(heat) == pytest.approx(threshold_otsu(heat.double().numpy()), abs=1e-9)


def unit(heat: Tensor) -> Tensor | None:
    return in_unit(heat, FieldOfView.full((heat.shape[0], heat.shape[1])))


def blob(width: float) -> Tensor:
    places = torch.arange(224) - 111.5
    return unit(torch.exp(-(places[:, None] ** 2 + places**2) / (2 * width**2)))


def test_the_soft_cut_is_tighter_around_small_objects_as_in_its_authors_code():
    small = blob(25)
    assert otsu(small) == pytest.approx(0.309, abs=0.007)  # a bin and a half between its bins and these
    assert float((small > otsu(small)).double().mean()) == pytest.approx(0.092, abs=0.002)
    raised = float(small[CUTS["soft"](small) > 0.5].min())
    assert raised == pytest.approx(0.463, abs=0.01)
    assert float((small > raised).double().mean()) == pytest.approx(0.060, abs=0.002)
    large = blob(40)
    assert float(large[CUTS["soft"](large) > 0.5].min()) == pytest.approx(otsu(large), abs=0.005)


def test_the_soft_cut_leaves_something_where_little_is_low():
    inverted = 1 - blob(25)
    assert fusion.TIGHTER * otsu(inverted) > 1
    assert float(CUTS["soft"](inverted).max()) > 0.5


def test_the_soft_cut_is_a_sigmoid_at_the_threshold():
    heat = torch.linspace(0, 1, 400).reshape(20, 20)  # half of it is above, so the threshold is Otsu's
    torch.testing.assert_close(CUTS["soft"](heat), torch.sigmoid(100 * (heat - otsu(heat))))
    torch.testing.assert_close(CUTS["hard"](heat), (heat > otsu(heat)).float())


def maps(count: int, seed: int) -> list[Tensor]:
    generator = torch.manual_seed(seed)
    return [unit(torch.rand(9, 7, generator=generator) ** 2) for _ in range(count)]


@pytest.mark.parametrize("cut", list(CUTS))
@given(count=st.integers(1, 6), seed=st.integers(0, 999))
def test_the_cascade_has_a_closed_form(cut, count, seed):
    given_maps = maps(count, seed)
    cuts = [CUTS[cut](heat) for heat in given_maps]
    expected = sum(
        heat * torch.stack([torch.ones(9, 7), *cuts[max(at, 1) :]]).prod(0)
        for at, heat in enumerate(given_maps)
    )
    torch.testing.assert_close(cascade(given_maps, cut), expected)


@given(count=st.integers(2, 6), seed=st.integers(0, 999))
def test_the_cascade_lies_inside_of_the_deepest_map(count, seed):
    given_maps = maps(count, seed)
    fused, deepest = cascade(given_maps, "hard"), given_maps[-1]
    assert not fused[deepest <= threshold_otsu(deepest.double().numpy())].any()
    assert 0 <= float(fused.min()) <= float(fused.max()) <= count


def test_one_map_is_its_own_fusion_and_none_is_told():
    (heat,) = maps(1, 0)
    assert torch.equal(cascade([heat], "hard"), heat)
    with pytest.raises(ValueError, match="maps is empty"):
        cascade([], "hard")


def test_maps_that_differ_by_rounding_alone_show_no_place():
    assert unit(torch.full((3, 3), 7.0) + torch.tensor([0.0, 1e-6, -1e-6])) is None
    assert unit(torch.zeros(3, 3)) is None
    stretched = unit(torch.tensor([[-3.0, 1.0], [0.0, -1.0]]))
    torch.testing.assert_close(stretched, torch.tensor([[0.0, 1.0], [0.75, 0.5]]))
