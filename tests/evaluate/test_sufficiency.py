"""Sufficient sets of models of which the smallest set is known, and bad input."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from wcam_widget import BlackBox, Logit, Sobol, Wcam
from wcam_widget.evaluate import Domain, Search, sufficiency, sufficient_row
from wcam_widget.model.custom_target import Custom

BLACK = Domain("pixels", baseline="black")
QUICK = Search(resamples=5, randoms=2)


class Over(nn.Module):
    """Class 1 where the pixels add up to more than a level, else class 0."""

    def __init__(self, level):
        super().__init__()
        self.level = level

    def forward(self, images):
        total = images.sum((1, 2, 3))
        return torch.stack([torch.full_like(total, self.level), total], 1)


@pytest.fixture
def image():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(1, 1, 6, 6, generator=generator)


@pytest.fixture
def scenes():
    return torch.rand(6, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def fewest(values, level):
    """How many of the largest numbers add up to more than a level."""
    return int(np.argmax(np.cumsum(np.sort(values)[::-1]) > level)) + 1


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_of_a_sum_the_brightest_pixels_suffice(image, share):
    level = share * float(image.sum())
    sets = sufficiency(Over(level), image, image[:, 0], domain=BLACK)
    (one,) = sets.sets
    pixels = image.flatten().double().numpy()
    assert one.depth == fewest(pixels, level)
    assert set(np.flatnonzero(one.kept)) == set(np.argsort(-pixels)[: int(one.depth)])
    assert one.own.found.monotone
    assert one.label == "class 1"
    # Squares rank like the pixels, and the gradient by a weight is the pixel: all orders are one but chance.
    assert one.depth_by("energy") == one.depth_by("gradient") == one.depth < one.depth_by("random")
    assert one.energy_share == pytest.approx((pixels[one.kept] ** 2).sum() / (pixels**2).sum())


def test_of_means_the_approximation_suffices(scenes):
    # The model sees means of the image alone, which no detail changes.
    wcam, domain = Wcam(Sobol(rows=8), levels=2, grid=2, baseline="black"), Domain(baseline="black")
    sets = sufficiency(Over(0.6 * float(scenes[0].sum())), scenes[:1], wcam, domain=domain, search=QUICK)
    budget = sets.sets[0].budget
    assert budget.pop("A2") == 3
    assert not any(budget.values())
    assert sets.table().loc[0, "budget.A2"] == 3


def test_a_decision_that_is_lost_again_is_said(image):
    def model(images):  # class 1, but not where between 10 and 14 pixels are left
        count = (images > 0).sum((1, 2, 3))
        score = torch.where((count > 10) & (count < 14), -1.0, count - 4.5)
        return torch.stack([torch.zeros_like(score), score], 1)

    sets = sufficiency(model, image, image[:, 0], domain=BLACK)
    (one,) = sets.sets
    assert (one.depth, one.own.found.first, one.own.found.monotone) == (14, 5, False)
    assert "lost again" in sets.summary()


def test_intervals_come_from_the_replicates_of_the_map(scenes):
    model = BlackBox(Over(0.7 * float(scenes.sum((1, 2, 3)).min())))
    wcam = Wcam(Sobol(rows=8), levels=2, grid=4)
    domain = Domain(baseline="black")
    sets, again = (sufficiency(model, scenes[:2], wcam, domain=domain, search=QUICK) for _ in range(2))
    for one, other in zip(sets.sets, again.sets, strict=True):
        assert one.own.low <= one.depth <= one.own.high
        assert one.row() == other.row()
    # A map without chance has one order only, one without replicates none that is known.
    exact = sufficiency(model, scenes[:1], scenes[:1].mean(1), domain=BLACK, search=QUICK).sets[0]
    assert exact.own.low == exact.depth == exact.own.high
    single = sufficiency(model, scenes[:1], wcam, search=Search(resamples=0)).sets[0]
    assert np.isnan([single.own.low, single.own.high]).all()


def test_a_method_gives_what_its_attributions_give(scenes):
    model, wcam = Over(0.6 * float(scenes[0].sum())), Wcam(Sobol(rows=4), levels=1, grid=2)
    by_method = sufficiency(model, scenes[:3], wcam, search=QUICK).table()
    by_maps = sufficiency(model, scenes[:3], wcam(model, scenes[:3]), search=QUICK).table()
    assert by_method.equals(by_maps)


def test_a_row_is_that_of_the_image_alone(scenes):
    model, wcam = BlackBox(Over(0.6 * float(scenes[0].sum()))), Wcam(Sobol(rows=4), levels=1, grid=2)
    row = sufficient_row(model, scenes[0], method=wcam)
    assert row["depth"] == sufficiency(model, scenes[:1], wcam, search=Search(resamples=0)).sets[0].depth
    assert np.isnan(
        sufficient_row(model, scenes[0], 1 - int(row["class"][-1]), method=wcam, of_label=True)["depth"]
    )
    with pytest.raises(ValueError, match="of_label: the image has no label"):
        sufficient_row(model, scenes[0], of_label=True)


def test_a_class_that_was_not_decided_for_has_no_depth(scenes):
    sets = sufficiency(Over(1e6), scenes[:2], scenes[:2].mean(1), 1, BLACK)
    assert sets.table()[["depth", "first", "energy"]].isna().all(axis=None)
    assert sets.summary() == "2 of 2 images are not decided for the class at all."


def test_a_stream_is_read_image_by_image_and_not_kept(scenes):
    model, wcam = BlackBox(Over(1.0)), Wcam(Sobol(rows=2), levels=1, grid=1)
    explained = []

    class Watched(nn.Module):
        def forward(self, images):
            explained.append(len(read))
            return model.net(images)

    read = []

    def loader():
        for start in range(0, 6, 2):
            read.append(start)
            yield scenes[start : start + 2]

    sets = sufficiency(Watched(), loader(), wcam, search=Search(resamples=0, orders=()))
    assert len(sets.sets) == 6
    assert len(sets.pictures) == 4
    assert set(explained) == {1, 2, 3}  # the second batch is read when the first is done


def test_differences_are_paired_and_words_say_them(scenes):
    model = Over(0.5 * float(scenes.sum((1, 2, 3)).min()))
    sets = sufficiency(model, scenes, scenes.mean(1), domain=BLACK)
    table = sets.table()
    gain = sets.compared("random")
    expected = (table["depth.random"] - table["depth"]).mean() / 256
    assert gain.value[0] == pytest.approx(expected)
    assert 0 < gain.low[0] < gain.value[0] < gain.high[0]
    assert "By random the depth differs by +" in sets.summary()
    assert "6 images" in repr(sets)


def test_the_figure_has_the_image_beside_what_is_left(scenes):
    wcam = Wcam(Sobol(rows=4), levels=2, grid=2)
    domain = Domain(baseline="black")
    sets = sufficiency(Over(0.6 * float(scenes[0].sum())), scenes[:2], wcam, domain=domain, search=QUICK)
    figure = sets.plot()
    assert len(figure.axes) == 8
    shown = [axes.images[0].get_array() for axes in figure.axes[:2]]
    np.testing.assert_allclose(shown[0], scenes[0].permute(1, 2, 0), atol=1e-6)
    assert not np.allclose(shown[0], shown[1])
    assert [label.get_text() for label in figure.axes[2].get_yticklabels()] == list(sets.sets[0].bands)
    assert figure._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"window": -1}, "window: found -1"),
        ({"resamples": 1}, "resamples: found 1"),
        ({"randoms": 0}, "randoms: found 0"),
        ({"orders": ("centre",)}, "orders: found 'centre'; accepted are energy, random, gradient"),
    ],
)
def test_a_search_names_what_is_wrong(options, words):
    with pytest.raises(ValueError, match=words):
        Search(**options)


def test_bad_input_is_named(scenes):
    model, maps = Over(1.0), scenes.mean(1)
    with pytest.raises(ValueError, match="attributions: found 2 for 6 images"):
        sufficiency(model, scenes, maps[:2])
    with pytest.raises(TypeError, match="attributions: found Tensor for a stream of images"):
        sufficiency(model, iter(scenes), maps)
    broken = maps.clone()
    broken[1, 0, 0] = torch.nan
    with pytest.raises(ValueError, match=r"attributions\[1\]: found NaN"):
        sufficiency(model, scenes, broken, search=Search(resamples=0, orders=()))
    with pytest.raises(ValueError, match="images: found none"):
        sufficiency(model, iter(()), Wcam())
    with pytest.raises(TypeError, match=r"images\[0\]: found builtins.int"):
        sufficiency(model, iter([3]), Wcam())
    with pytest.raises(ValueError, match="targets: found Custom, which decides for no class"):
        sufficiency(model, scenes[:1], maps[:1], [Custom(lambda logits: logits[:, 0], "own")])
    with pytest.raises(ValueError, match="order: found 'centre'; searched were energy, random"):
        sufficiency(model, scenes[:1], maps[:1], Logit(1)).compared("centre")
