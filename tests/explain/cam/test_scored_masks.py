"""Which maps of a layer are chosen, against scikit-image, and what they earn as masks, by hand."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skimage.filters import threshold_otsu
from torch import Tensor

from tests.explain.toys import PICTURE, linear
from wcam_widget import BlackBox, Logit
from wcam_widget.explain.cam import scored_masks
from wcam_widget.explain.cam.scored_masks import MaskedScorer, selected
from wcam_widget.explain.cam.sise import Sise
from wcam_widget.model.field_of_view import FieldOfView


@given(st.integers(0, 999), st.integers(1, 5))
def test_the_sum_of_a_mask_adds_to_its_score(seed, count):
    maps = torch.rand(count, 3, 4, generator=torch.manual_seed(seed))
    masked = MaskedScorer.from_image(BlackBox(linear()), Logit(0), PICTURE, "mean")
    parts = [masked.view.over(masked.weighted_sum(each[None])[None])[0] for each in maps]
    for each, part in zip(maps, parts, strict=True):
        mask = masked.view.over(each[None])[0]
        mask = (mask - mask.min()) / (mask.max() - mask.min())
        score = linear()((masked.baseline + mask * masked.shown)[None])[0, 0]
        assert float((part - part.min()).sum()) == pytest.approx(float(score), rel=1e-4)
    torch.testing.assert_close(masked.view.over(masked.weighted_sum(maps)[None])[0], sum(parts))


GAINS = st.lists(st.floats(-1, 1, width=32).filter(lambda gain: abs(gain) > 1e-3), min_size=1, max_size=40)


@given(GAINS, st.sampled_from([0.5, 4.0, 1024.0]))
def test_selection_is_nested_and_does_not_know_the_scale(gains, scale):
    gains = torch.tensor(gains)
    every, some, adaptive = (selected(gains, threshold) for threshold in (0.0, 0.3, "otsu"))
    assert torch.equal(every, gains > 0)
    assert torch.equal(some, (gains > 0) & (gains > 0.3 * gains.max()))
    assert not bool((some & ~every).any())
    assert not bool((adaptive & ~every).any())
    assert bool(adaptive.any()) == bool(every.any())
    for threshold, before in ((0.0, every), ("otsu", adaptive)):
        assert torch.equal(selected(scale * gains, threshold), before)


def test_adaptive_selection_is_otsu_of_the_positive_gains():
    gains = torch.randn(200, generator=torch.manual_seed(0)).double()
    shares = gains / gains.max()
    expected = shares > threshold_otsu(shares[shares > 0].numpy())
    assert torch.equal(selected(gains, "otsu"), expected)
    assert selected(torch.tensor([-1.0, 3.0, 0.0]), "otsu").tolist() == [False, True, False]
    assert selected(torch.tensor([2.0, 2.0, -1.0]), "otsu").tolist() == [True, True, False]


def test_masks_are_made_batch_by_batch(tiny, image, monkeypatch):
    made: list[int] = []
    stretch = scored_masks.masks_over

    def noting(maps: Tensor, view: FieldOfView) -> tuple[Tensor, Tensor]:
        made.append(len(maps))
        return stretch(maps, view)

    monkeypatch.setattr(scored_masks, "masks_over", noting)
    Sise(["conv1", "conv2"])(BlackBox(tiny, batch_size=2), image[None])
    assert max(made) == 2
