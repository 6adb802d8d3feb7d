"""Zooming on photographs and models of which the scale that matters is known, and bad input."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from wcam_widget import BlackBox, Derivative, GradCam, Wcam, zoom
from wcam_widget.basis import PixelBasis
from wcam_widget.evaluate.levels import levels_of

SIDE, SIZE = 128, 56  # the frame has 112 pixels: at factor 2 a view pixel is one of the photograph
QUICK = Wcam(Derivative(rows=8), levels=3, grid=1)


class Energy(nn.Module):
    """The squares of an image less its middle grey: all scales count by what they hold."""

    def forward(self, images):
        return (images - 0.5).square().mean((1, 2, 3))[:, None]


@pytest.fixture
def model():
    made = BlackBox(Energy())
    made.input_size = (SIZE, SIZE)
    return made


def checkers(block):
    """A board of black and white squares of so many pixels."""
    place = torch.arange(SIDE) // block
    return ((place[:, None] + place[None]) % 2)[None].float()


def shares(measured, factor, view="zoomed"):
    """Shapley effects by physical level of the details of one view."""
    table = measured.table()
    rows = table[(table["factor"] == factor) & (table["view"] == view) & (table["kind"] == "level")]
    return dict(zip(rows["physical"], rows["shapley"], strict=True))


def test_a_pattern_keeps_its_physical_level(model):
    # Squares of 4 pixels are 2 pixels of the view at factor 1, where level 2 holds them, and 4 at factor 2.
    measured = zoom(model, checkers(4), factors=(1, 2), method=QUICK)
    for factor, view in ((1.0, "zoomed"), (2.0, "zoomed")):
        assert shares(measured, factor, view)[2.0] > 0.9
    table = measured.table()
    assert table[(table["factor"] == 2.0) & (table["view"] == "zoomed")]["level"].tolist() == [4, 4, 3, 2, 1]


def test_detail_that_factor_1_cannot_show_is_what_zooming_gains(model):
    # Squares of one pixel are grey at factor 1, with and without enlarging.
    measured = zoom(model, checkers(1), factors=[2], method=QUICK)
    gains = dict(zip(measured.gains()["step"], measured.gains()["gain"], strict=True))
    assert gains["finer detail"] == pytest.approx(0.25, abs=1e-3)
    assert gains["zoom"] == pytest.approx(sum(gain for step, gain in gains.items() if step != "zoom"))
    assert abs(gains["background removed"]) < 0.03
    assert abs(gains["larger on the grid"]) < 0.03
    assert shares(measured, 2.0)[0.0] > 0.99
    assert "finer detail +0.2" in measured.summary()
    assert "Levels finer than factor 1 has, 1 of them, carry 100 %" in measured.summary()


def test_a_background_that_is_removed_is_said_to_be(model):
    # The middle is grey, what surrounds it is not: only removing it moves the score.
    photo = checkers(8)
    photo[:, 36:92, 36:92] = 0.5
    measured = zoom(model, photo, factors=[2], method=QUICK)
    gains = dict(zip(measured.gains()["step"], measured.gains()["gain"], strict=True))
    assert gains["background removed"] == pytest.approx(gains["zoom"], abs=0.01)
    assert gains["background removed"] < -0.1
    assert abs(gains["finer detail"]) < 0.01


def test_several_photographs_have_intervals_and_accuracy():
    class Bright(nn.Module):
        def forward(self, images):
            mean = images.mean((1, 2, 3))
            return torch.stack([1 - mean, mean], 1)

    model = BlackBox(Bright())
    model.input_size = (SIZE, SIZE)
    photos = torch.rand(5, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0)) * 0.5
    photos[:, :, 40:88, 40:88] += 0.5
    measured = zoom(model, photos, (36, 36, 92, 92), factors=[2], method=QUICK, targets=1)
    scores = measured.scores().set_index(["factor", "view"])
    assert scores.loc[(1.0, "zoomed"), "accuracy"] == 0
    assert scores.loc[(2.0, "zoomed"), "accuracy"] == 1
    assert (scores["low"] <= scores["score"]).all()
    gains = measured.gains().set_index("step")
    assert gains.loc["zoom", "low"] > 0
    assert gains.loc["zoom", "p"] == pytest.approx(2 / 2**5)
    assert np.isfinite(measured.table()[["shapley.low", "total.high"]]).all(axis=None)
    assert "5 photographs" in repr(measured)


def test_one_photograph_has_intervals_of_its_totals_alone(model):
    table = zoom(model, checkers(4) * 0.9, factors=[1], method=QUICK).table()
    assert np.isinf(table["shapley.low"]).all()
    assert (table["total.low"] <= table["total"]).all()
    assert (table["total"] <= table["total.high"]).all()


def test_the_figure_has_the_views_beside_the_levels(model):
    measured = zoom(model, checkers(4), factors=(1, 1.5, 2), method=QUICK)
    figure = measured.plot()
    assert len(figure.axes) == 6
    assert "zoomed, factor 2" in figure.axes[3].get_title().replace("\n", " ")
    words = [text.get_text() for text in figure.axes[4].get_legend().get_texts()]
    assert words == [
        "factor 1",
        "factor 1.5",
        "factor 1.5, no new detail",
        "factor 2",
        "factor 2, no new detail",
    ]
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_without_an_input_size_views_have_the_photographs_pixels():
    measured = zoom(Energy(), checkers(1), factors=[2], method=QUICK)
    assert measured.rows[0].resolution == 1.0
    assert measured.rows[0].views[0].zoomed.shape == (1, 56, 56)


def test_each_photograph_may_have_a_box_of_its_own(model):
    photos = [checkers(4), checkers(1)]
    boxes = np.array([[8, 8, 40, 40], [60, 60, 90, 90]])
    together = zoom(model, photos, boxes, [2], QUICK)
    apart = zoom(model, photos[0], boxes[0], [2], QUICK)
    np.testing.assert_array_equal(together.rows[0].scores, apart.rows[0].scores)


def test_pixels_are_one_level():
    assert levels_of(PixelBasis((4, 4)).bands) == [("approximation", 0)]


def test_bad_input_is_named(model):
    photo = checkers(4)
    with pytest.raises(ValueError, match=r"factors: found 0\.5"):
        zoom(model, photo, factors=[0.5])
    with pytest.raises(ValueError, match="factors: found none"):
        zoom(model, photo, factors=[])
    with pytest.raises(TypeError, match="method: found GradCam"):
        zoom(model, photo, method=GradCam())
    with pytest.raises(ValueError, match="method: found wavelet='fourier', which has no levels"):
        zoom(model, photo, method=Wcam(wavelet="fourier"))
    with pytest.raises(ValueError, match="box: found 1 boxes for 2 images"):
        zoom(model, [photo, photo], [(0, 0, 9, 9)], method=QUICK)
    with pytest.raises(ValueError, match="targets has 3 entries for 2 images"):
        zoom(model, [photo, photo], targets=[0, 0, 0], method=QUICK)
    with pytest.raises(ValueError, match="images: found none"):
        zoom(model, iter(()), method=QUICK)
