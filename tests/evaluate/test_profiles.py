"""Profiles of models of which the scale and the filter that matter are known, and bad input."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from wcam_widget import Derivative, GradCam, Wcam, profiles
from wcam_widget.basis import WaveletBasis
from wcam_widget.evaluate import Profiles

SIDE, BANDS = 16, ("A2", "LH2", "HL2", "HH2", "LH1", "HL1", "HH1")
QUICK = Wcam(Derivative(rows=4), levels=2, grid=1)


class Selective(nn.Module):
    """The sum of the coefficients of one band, each with a sign of its own."""

    def __init__(self, name):
        super().__init__()
        self.basis = WaveletBasis((SIDE, SIDE), levels=2)
        (self.band,) = (band for band in self.basis.bands if band.name == name)
        shape = (self.band.height, self.band.width)
        self.signs = torch.randn(shape, generator=torch.Generator().manual_seed(0))

    def forward(self, images):
        coefficients = self.basis.pack(images)[..., *self.band.slices]
        return (coefficients * self.signs).sum((1, 2, 3))[:, None]


class Energy(nn.Module):
    """The squares of an image less its middle grey."""

    def forward(self, images):
        return (images - 0.5).square().sum((1, 2, 3))[:, None]


@pytest.fixture(scope="module")
def images():
    return torch.rand(10, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def both(images):
    return profiles({"fine": Selective("HL1"), "coarse": Selective("LH2")}, images, QUICK)


def test_a_band_that_alone_is_read_has_all_of_the_profile(both):
    assert both.names == BANDS
    expected = np.zeros((2, 10, 7))
    expected[0, :, BANDS.index("HL1")] = expected[1, :, BANDS.index("LH2")] = 1
    np.testing.assert_allclose(both.values(), expected, atol=1e-3)
    # Totals are estimated from few rows, but those of bands that are not read are 0 exactly.
    np.testing.assert_array_equal(both.values("total") > 0.01, expected > 0)
    assert both.groups("level") == ("A2", "level 2", "level 1")
    np.testing.assert_allclose(both.values(by="level")[:, 0], [[0, 0, 1], [0, 1, 0]], atol=1e-3)
    assert both.groups("orientation") == ("A", "LH", "HL", "HH")
    np.testing.assert_allclose(both.values(by="orientation")[:, 0], [[0, 0, 1, 0], [0, 1, 0, 0]], atol=1e-3)


def test_two_models_are_told_apart_by_paired_tests(both):
    difference = both.compare()
    assert difference.models == ("fine", "coarse")
    named = [name for name, p in zip(difference.names, difference.p, strict=True) if p < 0.05]
    assert named == ["LH2", "HL1"]
    assert difference.p[BANDS.index("HL1")] == pytest.approx(7 * 2 / 2**10)  # the fewest signs, by Holm
    assert difference.distance == pytest.approx(1.0, abs=1e-6)
    assert difference.distance_p == pytest.approx(2 / 2**10)
    assert both.compare("coarse", "fine").value == pytest.approx(-difference.value)
    assert "HL1 +1e+02 %" in difference.summary()
    assert difference.table()["name"].tolist() == list(BANDS)
    same = both.compare("fine", "fine")
    assert (same.p == 1).all()
    assert same.distance == 0
    assert "fine: level 1 has 100 %" in both.summary()


def test_images_are_grouped_by_what_they_show():
    # The energy of vertical stripes lies in HL1, that of horizontal ones in LH1.
    stripes = torch.zeros(6, 1, SIDE, SIDE)
    stripes[::2, ..., ::2] = 1.0
    stripes[1::2, ..., ::2, :] = 1.0
    measured = profiles(Energy(), stripes, QUICK)
    distances = measured.distances()
    assert distances[0, 1] == pytest.approx(1.0, abs=1e-6)
    assert distances[0, 2] == pytest.approx(0.0, abs=1e-6)
    clusters = measured.clusters(2)
    assert len(set(clusters[::2])) == len(set(clusters[1::2])) == 1
    assert clusters[0] != clusters[1]
    figure = measured.plot()
    assert "model" in figure.axes[2].get_title()
    order = [int(label.get_text()) % 2 for label in figure.axes[2].get_yticklabels()]
    assert order in ([0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0])


def synthetic(values, noise):
    """Profiles with these Shapley effects and their noise, (n, 2), of one model."""
    shapley, unknown = np.array(values, float)[None], np.full((1, len(values), 2), np.nan)
    noisy = np.broadcast_to(np.array(noise, float), shapley.shape)
    return Profiles(("one",), ("A1", "HH1"), (1, 1), ("A", "HH"), shapley, shapley, noisy, unknown, "")


def test_the_spread_between_images_leaves_out_the_estimation_error():
    values = [[0.2, 0.8], [0.4, 0.6], [0.6, 0.4], [0.8, 0.2]]
    variance = np.var([0.2, 0.4, 0.6, 0.8], ddof=1)
    table = synthetic(values, 0.02).table()
    assert table["spread"].tolist() == pytest.approx([np.sqrt(variance - 0.02)] * 2)
    assert table["error"].tolist() == pytest.approx([np.sqrt(0.02)] * 2)
    assert (table["low"] < 0.5).all()
    assert (table["high"] > 0.5).all()
    assert synthetic(values, 1.0).table()["spread"].tolist() == [0.0, 0.0]
    unknown = synthetic(values, 0.02).table("total")
    assert unknown["spread"].tolist() == pytest.approx([np.sqrt(variance)] * 2)
    assert unknown["error"].isna().all()


def test_repeats_tell_the_estimation_error(images):
    once, twice = (profiles(Energy(), images[:2], QUICK, repeats=count) for count in (1, 2))
    assert np.isnan(once.shapley_noise).all()
    assert np.isfinite(once.total_noise).all()
    assert (twice.shapley_noise > 0).any()
    np.testing.assert_allclose(twice.shapley.sum(2), 1.0)


def test_images_of_a_stream_are_shared_by_models(images):
    models = [Selective("HL1"), Selective("LH2")]
    streamed = profiles(models, iter(images[:4].split(2)), QUICK)
    assert streamed.models == ("model 1", "model 2")
    np.testing.assert_array_equal(streamed.shapley, profiles(models, images[:4], QUICK).shapley)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda both: both.values("mean"), "statistic: found 'mean'; accepted are shapley, total"),
        (lambda both: both.values(by="scale"), "by: found 'scale'"),
        (lambda both: both.values("total", "level"), "by: found 'level' for totals, which do not add up"),
        (lambda both: both.compare("other"), "one: found 'other'; accepted are fine, coarse"),
        (lambda both: both.clusters(11), "count: found 11; accepted are 1 to 10"),
        (lambda both: both.plot("other"), "model: found 'other'"),
    ],
)
def test_readings_name_what_is_wrong(both, call, words):
    with pytest.raises(ValueError, match=words):
        call(both)


def test_bad_input_is_named(images):
    net = nn.Sequential(nn.Conv2d(1, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.raises(ValueError, match=r"method: .* gives no Shapley effects"):
        profiles(net, images[:1], GradCam())
    with pytest.raises(ValueError, match="models: found none"):
        profiles({}, images)
    with pytest.raises(TypeError, match=r"models\['b'\]: found int"):
        profiles({"a": net, "b": 3}, images)
    with pytest.raises(ValueError, match="repeats: found 0"):
        profiles(net, images, repeats=0)
    with pytest.raises(TypeError, match="method: found str"):
        profiles(net, images, "wcam")
    with pytest.raises(ValueError, match="images: found none"):
        profiles(net, iter(()))
    sizes = [torch.rand(1, side, side) for side in (16, 16, 2)]
    with pytest.raises(
        ValueError, match=r"images\[2\]: found 2x2 pixels, with bands A1, .*; the first has A3"
    ):
        profiles(net, sizes, Wcam(Derivative(rows=4), grid=1))
    with pytest.raises(ValueError, match="other: None needs a second model"):
        profiles(Selective("HL1"), images[:1], QUICK).compare()


def test_images_are_drawn_at_the_points_of_the_embedding(images):
    measured = profiles(Energy(), images[:4], QUICK)
    images = images[:4]
    embedding = measured.embedding()
    assert embedding.points.shape == (len(images), 2)
    assert 0.0 < embedding.share <= 1.0
    apart = np.linalg.norm(embedding.points[:, None] - embedding.points[None], axis=-1)
    assert apart.max() == pytest.approx(measured.distances().max(), rel=0.5)
    (axes,) = measured.plot_embedding(images).axes
    np.testing.assert_allclose(axes.collections[0].get_offsets(), embedding.points)
    assert len(axes.artists) == len(images)
    with pytest.raises(ValueError, match=f"images: found 1; accepted are the {len(images)}"):
        measured.plot_embedding(images[:1])
