"""The picture beside an explorer, in a shell that keeps what is displayed."""

from __future__ import annotations

import io
import threading

import matplotlib as mpl
import numpy as np
import pytest
from IPython.display import display
from ipywidgets import HBox
from PIL import Image

from tests.show.conftest import PATIENCE
from wcam_widget.explain import Wcam
from wcam_widget.sensitivity import Sobol
from wcam_widget.show.explorer.explore import explore
from wcam_widget.show.pages import still

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def shown(front_end, gate, image, method, without_front_end_code, notebook):
    explorer = explore(gate, image, method=method)
    yield explorer
    gate.open.set()
    explorer.close()


def test_a_finished_run_is_a_sentence_and_a_figure(shown, notebook):
    shown.wait(PATIENCE)
    shown._ipython_display_()
    assert notebook.kinds == [
        sorted(["text/plain", VIEW]),
        ["text/html", "text/plain"],
        ["image/png", "text/plain"],
    ]
    assert "run this cell to explore the map" in notebook.words
    assert notebook.picture.width == still.WIDTH


def test_a_run_that_goes_on_is_the_image_and_then_its_map(
    front_end, gate, image, method, without_front_end_code, notebook
):
    gate.shuts_after = 2
    explorer = explore(gate, image, method=method)
    explorer._ipython_display_()
    first = notebook.picture.size
    assert "no map yet" in notebook.words
    assert not any("0 of 0" in str(data) for _, data in notebook.outputs)
    gate.open.set()
    explorer._session.worker.close(finish=True)  # nobody waits: the worker itself shows the end
    assert "no map yet" not in notebook.words
    assert notebook.picture.size != first
    assert len(notebook.outputs) == 3
    explorer.close()


def test_waiting_shows_the_end_on_behalf_of_the_waiting_cell(shown, notebook, monkeypatch):
    shown.wait(PATIENCE)
    shown._ipython_display_()
    updates = []
    monkeypatch.setattr(notebook, "publish", lambda data, **rest: updates.append(rest["update"]))
    shown.wait(PATIENCE)
    assert updates == [True, True]


def test_what_is_never_displayed_draws_nothing(shown, notebook, monkeypatch):
    monkeypatch.setattr(still, "small", lambda *_: pytest.fail("drawn"))
    shown.wait(PATIENCE)
    shown.close()
    assert notebook.outputs == []


def settle(explorer):
    """Wait until the worker has done what it was asked for before."""
    done = threading.Event()
    explorer._session.worker.follow(iter(done.set, None))
    assert done.wait(PATIENCE)


def changes(notebook, explorer, change):
    """The kinds of the outputs that a change replaces."""
    before = [data for _, data in notebook.outputs]
    change()
    settle(explorer)
    return [sorted(new) for (_, new), old in zip(notebook.outputs, before, strict=True) if new != old]


WORDS, PICTURE = ["text/html", "text/plain"], ["image/png", "text/plain"]


def test_another_target_is_another_picture(shown, notebook):
    shown.wait(PATIENCE)
    shown._ipython_display_()
    settle(shown)
    other = 1 - shown.target if shown.target < 2 else 0

    def retarget():
        shown.target = other
        shown.wait(PATIENCE)

    assert changes(notebook, shown, retarget) == [WORDS, PICTURE]
    assert f"class {other} (" in notebook.words


def test_a_selection_is_told_and_draws_nothing(shown, notebook):
    shown.wait(PATIENCE)
    shown._ipython_display_()
    settle(shown)

    def select():
        shown.selection, shown.mode = [0, 1], "remove"
        assert shown.scores

    assert changes(notebook, shown, select) == [WORDS]
    assert f"2 of {len(shown.mask)} cells removed: " in notebook.words
    assert notebook.words.count(shown._scores["verdict"]) == 1

    def clear():
        shown.selection = []
        assert shown.scores

    assert changes(notebook, shown, clear) == [WORDS]
    assert "removed" not in notebook.words


def test_other_colours_are_another_picture(shown, notebook):
    shown.wait(PATIENCE)
    shown._ipython_display_()
    settle(shown)
    assert changes(notebook, shown, lambda: shown.set_trait("colormap", "viridis")) == [PICTURE]


def test_one_output_for_hosts_that_ask_for_it(shown, notebook):
    shown.wait(PATIENCE)
    data, _ = shown._repr_mimebundle_()
    assert set(data) == {VIEW, "text/html", "image/png", "text/plain"}
    assert "run this cell to explore the map" in data["text/html"]
    assert data["text/plain"].startswith("Explorer of ")
    assert notebook.outputs == []


def test_the_hosted_widget_manager_is_named(shown, notebook, monkeypatch):
    said = {VIEW: {"colab": {"custom_widget_manager": {"url": "https://example.org/manager.js"}}}}
    monkeypatch.setattr("anywidget._util.get_repr_metadata", lambda: said)
    told = []
    monkeypatch.setattr(notebook, "publish", lambda data, metadata=None, **rest: told.append(metadata))
    shown._ipython_display_()
    assert told[0] == said
    assert shown._repr_mimebundle_()[1] == said


def test_a_pair_is_drawn_when_both_have_ended(front_end, image, method, without_front_end_code, notebook):
    pair = explore(lambda x: x.mean((2, 3)), {"one": image, "other": image.flip(2)}, method=method)
    pair.wait(PATIENCE)
    pair._ipython_display_()
    settle(pair)
    both = notebook.words

    def show_one():
        pair.shown = [1]

    assert changes(notebook, pair, show_one) == [WORDS, PICTURE]
    assert len(notebook.words) < len(both)
    pair.close()


def test_a_failed_run_says_so(front_end, image, method, without_front_end_code, notebook):
    def broken(images):
        if len(images) > 1:
            raise RuntimeError("out of <memory>")
        return images.mean((2, 3))

    explorer = explore(broken, image, method=method)
    explorer._ipython_display_()
    with pytest.raises(RuntimeError, match="out of"):
        explorer.wait(PATIENCE)
    assert "The run ended with an error: ModelError: net: raised" in notebook.words
    assert "out of &lt;memory&gt;" in notebook.words
    explorer.close()


def test_labels_are_text(front_end, image, method, without_front_end_code, notebook):
    label = "</p><script>alert(1)</script>"
    explorer = explore(lambda x: x.mean((2, 3)), image, 0, method, class_names=[label, "b", "c"])
    explorer.wait(PATIENCE)
    explorer._ipython_display_()
    (html,) = [data["text/html"] for _, data in notebook.outputs if "text/html" in data]
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    explorer.close()


def test_a_picture_that_cannot_be_drawn_costs_no_run(shown, notebook, monkeypatch, caplog):
    monkeypatch.setattr(still, "small", lambda *_: 1 / 0)
    shown._ipython_display_()
    assert shown.wait(PATIENCE).complete
    assert "the picture of an explorer could not be shown" in caplog.text


def test_a_closed_explorer_shows_its_text(shown, notebook, capsys):
    shown.close()
    shown._ipython_display_()
    assert notebook.outputs == []
    assert capsys.readouterr().out == "Explorer(closed)\n"


def test_ipywidgets_7_shows_its_own_view_first(notebook):
    class View:
        def _ipython_display_(self, **options):
            display({VIEW: {"model_id": "7"}}, raw=True)

    assert still.display_widget(View(), "text", "title", {})
    assert notebook.kinds == [[VIEW]]


def test_a_terminal_shows_text_alone(shown, notebook, monkeypatch):
    class TerminalInteractiveShell:
        display_pub = notebook

    monkeypatch.setattr("IPython.get_ipython", TerminalInteractiveShell)
    shown._ipython_display_()
    assert [data["text/plain"] for _, data in notebook.outputs] == [repr(shown)]


@pytest.mark.parametrize("side", [64, 400, 2000])
def test_a_photograph_is_small_and_its_shape_stays(side):
    noise = np.random.default_rng(0).integers(0, 256, (side, side // 2, 3), dtype=np.uint8)
    png = still.small(Image.fromarray(noise), 320)
    assert len(png) <= still.LARGEST
    size = Image.open(io.BytesIO(png)).size
    assert max(size) <= 320
    assert size[1] == pytest.approx(2 * size[0], abs=2)


def test_the_users_backend_stays(shown, notebook):
    before = mpl.rcParams._get("backend")
    shown.wait(PATIENCE)
    shown._ipython_display_()
    assert mpl.rcParams._get("backend") == before


def test_the_view_inside_a_box_has_no_output_of_its_own(shown, notebook):
    display(HBox([shown]))
    assert notebook.kinds == [sorted(["text/plain", VIEW])]


def test_every_explorer_has_its_own_places(front_end, image, without_front_end_code, notebook):
    method = Wcam(Sobol(rows=4), levels=1, grid=2)
    explorers = [explore(lambda x: x.mean((2, 3)), image, method=method) for _ in range(2)]
    for explorer in explorers:
        explorer.wait(PATIENCE)
        explorer._ipython_display_()
    names = [name for name, _ in notebook.outputs if name is not None]
    assert len(set(names)) == 4
    for explorer in explorers:
        explorer.close()
