"""Layers: maps of other methods over the image, and maps taken apart in cells they did not come from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import traitlets
from torch import nn

from wcam_widget.explain import Attribution, Cameras, GradCam, WaveletGradient, Wcam
from wcam_widget.model import BlackBox
from wcam_widget.sensitivity import Sobol
from wcam_widget.show.explorer.encoder import Encoder
from wcam_widget.show.explorer.explore import explore
from wcam_widget.show.explorer.layers import ensure_layers
from wcam_widget.show.explorer.session import Session
from wcam_widget.show.frame import decode
from wcam_widget.show.heat import heat_map
from wcam_widget.show.snapshot import on_cells

PATIENCE = 60


@pytest.fixture
def net():
    """A small network that every method can look into."""
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3)
    )


@pytest.fixture
def picture():
    return torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(5))


def run(net, picture, method, **layers):
    """What a session publishes last, after its run and these layers."""
    news, encoder = {}, Encoder()
    session = Session(BlackBox(net), picture, None, method, lambda one: news.update(encoder.news(one)))
    session.start()
    for name, source in layers.items():
        session.add_layer(name, source)
    try:
        attribution = session.wait(PATIENCE)
    finally:
        session.close()
    return session, attribution, news


def test_a_map_is_shown_whole_and_its_means_in_the_cells_of_wcam(net, picture):
    _, attribution, news = run(net, picture, GradCam("1"))
    layers, frame = decode(news["_layers"]), decode(news["_frame"])
    (entry,) = layers.header["layers"]
    assert (entry["name"], entry["main"], entry["complete"]) == ("GradCam", True, True)
    np.testing.assert_array_equal(layers.sections["map0"], heat_map(attribution).astype(np.float32))
    values = frame.sections["values"].reshape(10, 8, 8)
    means = attribution.spatial().reshape(8, 8, 8, 8).mean((1, 3))
    for band in values:
        np.testing.assert_allclose(band, means, rtol=1e-5)
    assert frame.header["unit"].endswith("mean over the cell's place (the map itself tells no scales)")
    assert frame.header["profile"]["total"] == [None] * 10
    assert frame.header["complete"]


def test_a_map_of_other_cells_in_the_same_bands_keeps_scales_and_sums(net, picture):
    method = Wcam.as_published(grid=8, rows=2)
    _, attribution, news = run(net, picture, method)
    frame = decode(news["_frame"])
    assert frame.header["unit"].endswith("spread from the map's own cells over these, band by band")
    groups = attribution.cells.groups
    for band, values in enumerate(frame.sections["values"].reshape(10, 8, 8)):
        np.testing.assert_allclose(values.sum(), attribution.values[groups == band].sum(), rtol=1e-4)
    assert decode(news["_layers"]).header["layers"][0]["name"] == "Wcam as published"


def test_a_method_with_cells_keeps_them_and_has_no_layer_of_its_own(net, picture):
    _, attribution, news = run(net, picture, WaveletGradient("product"))
    assert "_layers" not in news
    frame = decode(news["_frame"])
    assert frame.header["signed"]
    np.testing.assert_array_equal(frame.sections["values"], attribution.values.astype(np.float32))


def test_layers_come_after_the_run_with_its_target(net, picture):
    session, attribution, news = run(
        net, picture, Wcam(Sobol(rows=2), grid=2), cam=GradCam("1"), fused=Cameras("1", sizes=(64, 96))
    )
    entries = {entry["name"]: entry for entry in decode(news["_layers"]).header["layers"]}
    assert list(entries) == ["cam", "fused"]
    assert {entry["target"]["label"] for entry in entries.values()} == {attribution.target}
    assert not any(entry["main"] for entry in entries.values())
    assert entries["fused"]["stop"] == "2 of 2 input sizes count"
    assert {layer.name: layer.attribution.method for layer in session.snapshot().layers} == {
        "cam": "GradCam · 1 (64x64)",
        "fused": "Cameras · 1 (64x64), 2 input sizes",
    }


def test_an_attribution_is_a_layer_as_it_is(net, picture):
    (given,) = WaveletGradient("integrated")(net, picture[None], [1])
    _, _, news = run(net, picture, Wcam(Sobol(rows=2), grid=2), given=given)
    frame = decode(news["_layers"])
    np.testing.assert_array_equal(frame.sections["map0"], heat_map(given).astype(np.float32))
    assert frame.header["layers"][0]["signed"]


def test_a_layer_that_fails_says_so_and_leaves_the_others(net, picture, caplog):
    news, encoder = {}, Encoder()
    wcam = Wcam(Sobol(rows=2), grid=2)
    session = Session(BlackBox(net), picture, None, wcam, lambda one: news.update(encoder.news(one)))
    session.start()
    session.add_layer("bad", GradCam("nowhere"))
    session.add_layer("good", GradCam("1"))
    with pytest.raises(ValueError, match="'nowhere' is no module that net runs"):
        session.wait(PATIENCE)
    session.close()
    bad, good = decode(news["_layers"]).header["layers"]
    assert bad["error"].startswith("ValueError: layer: 'nowhere'")
    assert (bad["drawn"], good["error"], good["drawn"]) == (False, "", True)
    assert bad["details"].endswith(bad["error"])
    assert "line " in bad["details"]
    assert good["details"] == ""
    assert "a layer ended with an error" in caplog.text
    assert session.attribution.complete


def test_cancelling_ends_layers_too(gate, image, method):
    session = Session(BlackBox(gate), image, None, method, lambda snapshot: None)
    session.add_layer("again", method)
    session.cancel()
    session.start()
    with pytest.raises(RuntimeError, match="cancelled before its first map"):
        session.wait(PATIENCE)
    assert session.snapshot().layers[0].attribution is None
    session.close()


def test_a_layer_that_is_added_after_a_cancel_is_drawn(gate, image, method):
    session = Session(BlackBox(gate), image, None, method, lambda snapshot: None)
    session.cancel()
    session.start()
    session.add_layer("again", method)
    with pytest.raises(RuntimeError, match="cancelled before its first map"):
        session.wait(PATIENCE)
    assert session.snapshot().layers[0].attribution.complete
    session.close()


def test_names_are_taken_from_methods_and_numbered():
    (attribution,) = Wcam(Sobol(rows=2), levels=1, grid=1)(
        lambda images: images.mean((2, 3)), torch.rand(1, 3, 8, 8)
    )
    assert list(ensure_layers([GradCam(), GradCam(variant="layercam"), GradCam(), attribution], (8, 8))) == [
        "GradCam",
        "LayerCam",
        "GradCam-2",
        "Wcam",
    ]
    with pytest.raises(ValueError, match=r"layers\['mine'\]: found a map of 8x8 pixels; the image has 9x8"):
        ensure_layers({"mine": attribution}, (9, 8))


def test_small_images_are_taken_apart_in_fewer_cells(net):
    probe = GradCam("1").probe(net, torch.rand(3, 16, 24))
    assert {len(probe.cells.in_band(band.name)) for band in probe.cells.bands} == {2 * 2}


def test_cells_that_fit_are_left_as_they_are(net, picture):
    method = Wcam(Sobol(rows=2), grid=2)
    (attribution,) = method(net, picture[None])
    probe = method.probe(net, picture)
    assert on_cells(attribution, probe.basis, probe.cells) is attribution


def test_an_explorer_has_layers_to_choose_from(net, picture, without_front_end_code):
    with explore(net, picture, method=Wcam(Sobol(rows=2), grid=2), layers=GradCam("1")) as explorer:
        assert explorer.add_layer(GradCam("1", "hirescam")) == "HiResCam"
        assert explorer.add_layer(GradCam("1"), name="Wcam") == "Wcam-2"
        explorer.wait(PATIENCE)
        assert list(explorer.layers) == ["GradCam", "HiResCam", "Wcam-2"]
        assert all(isinstance(one, Attribution) for one in explorer.layers.values())
        explorer.layer = "HiResCam"
        with pytest.raises(traitlets.TraitError, match=r"found 'hirescam'; accepted are '' and .*HiResCam"):
            explorer.layer = "hirescam"
        assert explorer.page_state()["layer"] == "HiResCam"
        with pytest.raises(TypeError, match="layer: found str; accepted is a method"):
            explorer.add_layer("GradCam")
    assert explorer._layers == b""
