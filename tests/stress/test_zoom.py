"""Views of a photograph at a factor, and their two controls."""

from __future__ import annotations

import pytest
import torch

from wcam_widget.stress import zoom_views


@pytest.fixture
def photo():
    return torch.rand(3, 64, 96, generator=torch.Generator().manual_seed(0))


def test_at_factor_1_nothing_is_removed_or_enlarged(photo):
    views = zoom_views(photo, 56, 1.0)
    # The frame has 7/8 of the shorter side: 56 pixels, as many as the view.
    torch.testing.assert_close(views.original, photo[:, 4:60, 20:76])
    for one in (views.cropped, views.enlarged, views.zoomed):
        torch.testing.assert_close(one, views.original)
    assert views.resolution == 1.0


def test_the_zoomed_view_is_the_photograph_closer(photo):
    views = zoom_views(photo, 28, 2.0)
    torch.testing.assert_close(views.zoomed, photo[:, 18:46, 34:62])
    assert views.resolution == 1.0
    assert zoom_views(photo, 56, 2.0).resolution == 0.5


def test_the_crop_keeps_size_and_place_of_what_the_zoomed_view_shows(photo):
    views = zoom_views(photo, 28, 2.0)
    inside = torch.zeros(28, 28, dtype=torch.bool)
    inside[7:21, 7:21] = True
    torch.testing.assert_close(views.cropped[:, inside], views.original[:, inside])
    mean = views.original.mean((1, 2))
    torch.testing.assert_close(views.cropped[:, ~inside], mean[:, None].expand(3, 28 * 28 - 14 * 14))


def test_the_enlarged_view_has_no_detail_beyond_the_old_band_limit(photo):
    views = zoom_views(photo, 56, 2.0)

    def beyond(image):  # the share of the power above half of the highest frequency
        power = torch.fft.fft2(image - image.mean()).abs().square()
        high = torch.fft.fftfreq(56).abs() > 0.25
        return float(power[:, high[:, None] | high[None]].sum() / power.sum())

    sharp = zoom_views(photo, 28, 2.0)
    assert beyond(views.enlarged) < 0.1
    assert views.enlarged.shape == views.zoomed.shape == (3, 56, 56)
    power = torch.fft.fft2(sharp.zoomed - sharp.zoomed.mean()).abs().square()
    high = torch.fft.fftfreq(28).abs() > 0.25
    assert float(power[:, high[:, None] | high[None]].sum() / power.sum()) > 0.5


def test_the_frame_is_as_near_to_the_box_as_the_photograph_allows(photo):
    views = zoom_views(photo, 28, 2.0, (0, 0, 10, 10))
    torch.testing.assert_close(views.zoomed, photo[:, :28, :28])
    torch.testing.assert_close(views.cropped[:, :14, :14], views.original[:, :14, :14])
    views = zoom_views(photo, 28, 2.0, (30, 40, 40, 50))
    torch.testing.assert_close(views.zoomed, photo[:, 21:49, 31:59])


@pytest.mark.parametrize(
    ("factor", "box", "words"),
    [
        (0.5, None, "factors: found 0.5"),
        (2.0, (0, 0, 65, 10), "box: found .* inside 64 x 96 pixels"),
        (2.0, (10, 10, 10, 20), "box: found"),
        (2.0, (10, 10, 20), "box: found"),
        (2.0, (10, 10, 50, 20), "box: found 40 pixels along its longer side; factor 2 shows 28 alone"),
    ],
)
def test_bad_input_is_named(photo, factor, box, words):
    with pytest.raises(ValueError, match=words):
        zoom_views(photo, 28, factor, box)
