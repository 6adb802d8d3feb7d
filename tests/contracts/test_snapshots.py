"""What every snapshot of an explained image keeps: one table over the kinds of methods."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from tests.show.pages.conftest import saved_states
from wcam_widget import BlackBox, GradCam, Sobol, WaveletGradient, Wcam, explore, plot
from wcam_widget.show.explorer.encoder import EVERYTHING, Encoder, encoded
from wcam_widget.show.explorer.session import Session
from wcam_widget.show.frame import decode
from wcam_widget.show.heat import heat_map
from wcam_widget.show.pages import page as export
from wcam_widget.show.pages import still
from wcam_widget.show.pages.page import page
from wcam_widget.show.scale import cut_shares
from wcam_widget.show.selection import Question

PATIENCE = 60
SMALL = {"levels": 2, "grid": 2}
METHODS = {
    "cells of its own": Wcam(Sobol(rows=2), **SMALL),
    "cells of its own, signed": WaveletGradient("product", **SMALL),
    "other cells in the same bands": Wcam.as_published(grid=4, rows=2, levels=2),
    "a map over the image": GradCam("1"),
}
IMAGE = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(5))

each_method = pytest.mark.parametrize("name", METHODS)


@pytest.fixture(scope="module")
def net():
    """A small network that every method can look into."""
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3)
    )


@pytest.fixture(scope="module")
def published(net):
    """For each method the snapshots of a session with one more layer, each beside what it became at once."""
    runs = {}
    for name, method in METHODS.items():
        kept = []
        keep = partial(_keep, kept)
        session = Session(BlackBox(net), IMAGE, 1, method, keep)
        session.start()
        session.add_layer("extra", GradCam("1", "hirescam"))
        session.wait(PATIENCE)
        session.answer(Question((0, 1), "keep"))
        session.close()
        runs[name] = kept
    return runs


def _keep(kept, snapshot):
    kept.append((snapshot, encoded(snapshot, 1)))


def drawn(news):
    """The traits that a front end has after these, whatever their frames are numbered."""
    traits = {}
    for one in news:
        traits |= one
    return {name: plain(value) for name, value in traits.items()}


def plain(value):
    if isinstance(value, dict):
        return {key: each for key, each in value.items() if key != "rev"}
    frame = decode(value)
    header = {key: each for key, each in frame.header.items() if key != "rev"}
    return header, {key: each.tobytes() for key, each in frame.sections.items()}


@each_method
def test_a_snapshot_alone_is_enough_to_draw_everything(published, name):
    snapshots = [snapshot for snapshot, _ in published[name]]
    encoder = Encoder()
    assert drawn(map(encoder.news, snapshots)) == drawn([encoded(snapshots[-1], 1)])
    assert set(encoded(snapshots[-1], 1)) == set(EVERYTHING)


@each_method
def test_a_front_end_that_comes_late_gets_all_there_is(published, name):
    for snapshot, traits in published[name]:
        assert drawn([Encoder().news(snapshot)]) == drawn([traits])


@each_method
def test_any_snapshot_may_be_left_out_but_the_last(published, name):
    snapshots = [snapshot for snapshot, _ in published[name]]
    every, some = Encoder(), Encoder()
    left = [*snapshots[1:-1:3], snapshots[-1]]
    assert drawn(map(some.news, left)) == drawn(map(every.news, snapshots))


@each_method
def test_numbers_only_grow_and_an_earlier_snapshot_changes_nothing_after_a_later_one(published, name):
    snapshots = [snapshot for snapshot, _ in published[name]]
    assert [one.number for one in snapshots] == sorted({one.number for one in snapshots})
    encoder = Encoder()
    encoder.news(snapshots[-1])
    assert [encoder.news(snapshot) for snapshot in snapshots[:-1]] == [{}] * (len(snapshots) - 1)


@each_method
def test_a_snapshot_never_changes(published, name):
    for snapshot, traits in published[name]:
        assert drawn([encoded(snapshot, 1)]) == drawn([traits])


@each_method
def test_live_in_a_saved_page_as_a_still_and_by_plot_the_numbers_are_the_same(net, name, monkeypatch):
    monkeypatch.setattr(export, "built", lambda name: f"/* {name} */")
    plotted = []

    def keeping(*given, **named):
        plotted.append(plot(*given, **named))
        return plotted[-1]

    monkeypatch.setattr("wcam_widget.show.plots.plot", keeping)
    monkeypatch.setattr(still, "small", lambda picture, longest: b"")
    monkeypatch.setattr(still.Still, "page_picture", lambda self: None)
    with explore(BlackBox(net), IMAGE, 1, METHODS[name]) as explorer:
        explorer.wait(PATIENCE)
        snapshot = explorer._session.snapshot()
        live, saved = explorer._frame, explorer.page_state()
    text = page([saved], "one")
    (state,) = saved_states(text)
    still.moment_of(snapshot).draw()
    shown = snapshot.on_cells
    for frame in (decode(live), decode(state["_frame"])):
        np.testing.assert_array_equal(frame.sections["values"], shown.values.astype(np.float32))
        np.testing.assert_array_equal(frame.sections["low"], shown.low.astype(np.float32))
        known = [np.nan if value is None else value for value in frame.header["profile"]["total"]]
        np.testing.assert_array_equal(known, shown.profile().total)
    for figure in plotted:
        axes = {one.get_label(): one for one in figure.axes}
        np.testing.assert_array_equal(axes["image"].images[1].get_array(), heat_map(shown))
        packed = shown.cells.packed(cut_shares(shown.values, shown.unit))
        np.testing.assert_array_equal(axes["dyadic view"].images[0].get_array().filled(0.0), packed)
        widths = [bar.get_width() for bar in axes["scale profile"].patches]
        np.testing.assert_allclose(widths, np.nan_to_num(cut_shares(shown.profile().total, shown.unit)))
    assert len(plotted) == 1
