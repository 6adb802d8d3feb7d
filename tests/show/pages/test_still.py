"""The picture beside an explorer, in a shell that keeps what is displayed."""

from __future__ import annotations

import base64
import io
import re

import matplotlib as mpl
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display
from ipywidgets import HBox
from PIL import Image

from tests.show.conftest import PATIENCE
from wcam_widget.explain import Wcam
from wcam_widget.sensitivity import Sobol
from wcam_widget.show.explorer.explore import explore
from wcam_widget.show.pages import still

VIEW = "application/vnd.jupyter.widget-view+json"


class Publisher:
    """What a notebook shows: outputs in their order, replaced by those of the same display id."""

    def __init__(self) -> None:
        self.outputs: list[tuple[str | None, dict]] = []

    def publish(self, data, metadata=None, transient=None, update=False, **rest):
        name = (transient or {}).get("display_id")
        if update:
            self.outputs = [(key, data if key == name else old) for key, old in self.outputs]
        else:
            self.outputs.append((name, data))

    @property
    def kinds(self) -> list[list[str]]:
        return [sorted(data) for _, data in self.outputs]

    @property
    def words(self) -> str:
        (html,) = [data["text/html"] for _, data in self.outputs if "text/html" in data]
        return re.sub(r"<style>.*?</style>|<[^>]*>", "", html, flags=re.DOTALL)

    @property
    def picture(self) -> Image.Image:
        (png,) = [data["image/png"] for _, data in self.outputs if "image/png" in data]
        assert len(base64.b64decode(png)) <= 60_000
        return Image.open(io.BytesIO(base64.b64decode(png)))


@pytest.fixture
def notebook(monkeypatch):
    """The outputs of an IPython shell."""
    shell = InteractiveShell()
    publisher = Publisher()
    monkeypatch.setattr(shell, "display_pub", publisher)
    monkeypatch.setattr(InteractiveShell, "_instance", shell)
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    monkeypatch.setattr(InteractiveShell, "initialized", classmethod(lambda cls: True))
    return publisher


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
    monkeypatch.setattr(still, "bundles", lambda moment: pytest.fail("drawn"))
    shown.wait(PATIENCE)
    shown.close()
    assert notebook.outputs == []


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
    monkeypatch.setattr(still, "bundles", lambda moment: 1 / 0)
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
