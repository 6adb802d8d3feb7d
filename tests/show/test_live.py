"""The explorer as a figure of matplotlib, driven as a mouse drives it, without a screen."""

import logging

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.backend_bases import CloseEvent, KeyEvent, MouseEvent

from tests.show.conftest import PATIENCE
from wcam_widget import live
from wcam_widget.explain import Wcam
from wcam_widget.model import BlackBox
from wcam_widget.sensitivity import Sobol
from wcam_widget.show.heat import heat_map

IMAGE = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(0))
METHOD = Wcam(Sobol(rows=4), levels=2, grid=2)


def two_classes(images):
    left, right = images[..., :8].square().mean((1, 2, 3)), images[..., 8:].mean((1, 2, 3))
    return torch.stack([4 * left, right], dim=1)


MODEL = BlackBox(two_classes, class_names=("left side", "right side"))


@pytest.fixture(autouse=True)
def without_a_screen():
    before = mpl.get_backend()
    plt.switch_backend("agg")
    yield
    plt.close("all")
    plt.switch_backend(before)


@pytest.fixture
def shown():
    figure = live(MODEL, IMAGE, "left side", METHOD)
    figure.wait(PATIENCE)
    figure.figure.draw_without_rendering()
    yield figure
    figure.close()


def at(axes, column, row):
    return axes.transData.transform((column, row))


def click(shown, column, row, modifiers=()):
    canvas = shown.figure.canvas
    x, y = at(shown._board.scale, column, row)
    MouseEvent("button_press_event", canvas, x, y, button=1, modifiers=modifiers)._process()


def hover(shown, axes, column, row):
    x, y = at(axes, column, row)
    MouseEvent("motion_notify_event", shown.figure.canvas, x, y)._process()


def press(shown, key):
    KeyEvent("key_press_event", shown.figure.canvas, key)._process()


def answered(shown):
    """Wait until the worker has answered, and look at the figure once more."""
    assert shown.scores
    shown.refresh()
    return shown._board.rebuilt.get_xlabel()


def test_the_pictures_are_those_of_the_run(shown):
    board = shown._board
    np.testing.assert_array_equal(board.where.images[1].get_array(), heat_map(shown.attribution))
    assert [axes.get_label() for axes in shown.figure.axes] == ["image", "dyadic view", "reconstruction"]
    assert shown.figure.get_suptitle().replace("\n", " ").startswith("left side (")
    np.testing.assert_allclose(board.rebuilt.images[0].get_array(), IMAGE.permute(1, 2, 0), atol=1e-6)
    assert repr(shown).startswith("LiveFigure(done, ")


def test_a_click_keeps_the_cell_and_asks_the_model(shown):
    cell = int(shown.attribution.cells.index[0, 0])
    click(shown, 0.5, 0.5)
    assert shown.selection == [cell]
    rebuilt = shown.reconstruction.clamp(0, 1).permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(shown._board.rebuilt.images[0].get_array(), rebuilt)
    assert "left side: " in answered(shown)
    expected = MODEL.probabilities(MODEL.logits(shown.reconstruction[None]))[0, 0]
    assert shown.scores["left side"][1] == pytest.approx(float(expected), abs=1e-5)
    click(shown, 0.5, 0.5)
    assert shown.selection == []
    assert shown._board.rebuilt.get_title() == "Everything is kept"


def test_shift_and_a_click_take_the_band_and_keys_change_what_is_done(shown):
    click(shown, 12.5, 12.5, modifiers=["shift"])
    assert shown.selection == shown.attribution.cells.in_band("HH1").tolist()
    kept = shown.reconstruction
    press(shown, "m")
    assert shown.mode == "remove"
    assert shown._board.rebuilt.get_title() == "What is left"
    assert not torch.allclose(kept, shown.reconstruction)
    press(shown, "escape")
    assert shown.selection == []
    press(shown, "q7")


def test_pointing_links_place_and_scale(shown):
    board, cells = shown._board, shown.attribution.cells
    hover(shown, board.scale, 12.5, 4.5)
    cell = int(cells.index[4, 12])
    (outlined,) = (path.vertices for path in board._marks["place"].get_paths())
    top, left, bottom, right = cells.support[cell]
    assert (outlined.min(0).tolist(), outlined.max(0).tolist()) == ([left, top], [right, bottom])
    assert board._line.get_text().startswith("HL1: ")
    hover(shown, board.where, 3.0, 5.0)
    assert len(board._marks["place"].get_paths()) == 0
    assert len(board._marks["scale"].get_paths()) == len(cells.at(5.0, 3.0))


def test_an_interactive_backend_draws_by_itself_what_the_worker_publishes(shown):
    shown._drawn.clear()
    shown._rest = 0.0
    assert shown._tick()
    assert "map" in shown._drawn


def test_clicks_are_the_toolbars_while_it_zooms(shown, monkeypatch):
    class Toolbar:
        mode = "zoom rect"

    monkeypatch.setattr(shown.figure.canvas, "toolbar", Toolbar())
    click(shown, 0.5, 0.5)
    assert shown.selection == []


def test_a_backend_without_clicks_says_what_to_do(caplog):
    with caplog.at_level(logging.WARNING):
        figure = live(MODEL, IMAGE, method=METHOD)
    assert not figure.interactive
    (message,) = caplog.messages
    assert "%matplotlib widget" in message
    assert "answers no clicks" in figure._board._line.get_text().replace("\n", " ")
    figure.close()


def test_closing_the_window_ends_the_run():
    figure = live(MODEL, IMAGE, method=METHOD)
    session = figure._session
    CloseEvent("close_event", figure.figure.canvas)._process()
    session.worker.close(timeout=PATIENCE)
    assert session._closed


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [("selection", [999], "^selection: there is no cell 999"), ("mode", "drop", "^mode must be 'keep' or")],
)
def test_bad_values_are_named(shown, name, value, message):
    with pytest.raises(ValueError, match=message):
        setattr(shown, name, value)
