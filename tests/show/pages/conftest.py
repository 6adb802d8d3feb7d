"""What tests read from pages, as a browser would, and the state that they make pages of."""

import base64
import io
import json
import re
import zlib
from html.parser import HTMLParser

import nbformat
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from PIL import Image

from tests.show.conftest import PATIENCE
from wcam_widget.show.explorer.explore import explore
from wcam_widget.show.frame import decode
from wcam_widget.show.pages.notebook import STILL, WIDGET_VIEW
from wcam_widget.show.pages.saved_models import EXPLORERS, WIDGET_STATE
from wcam_widget.show.pages.still import Still
from wcam_widget.show.traits import FRAMES

HOSTILE = "</script><img src=x onerror=alert(1)>\u2028'\"&<!--"


class Elements(HTMLParser):
    """The elements of a page as a browser would find them, with the text of scripts."""

    def __init__(self, text):
        super().__init__()
        self.found, self.open = [], False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.found.append([tag, dict(attributes), ""])
        self.open = True

    def handle_endtag(self, tag):
        self.open = False

    def handle_data(self, data):
        if self.open:
            self.found[-1][2] += data

    def named(self, tag):
        return [(attributes, text) for name, attributes, text in self.found if name == tag]


def saved(state, *model_ids):
    """A notebook as nbclient leaves it: widget views as outputs, states in the metadata."""
    plain = {name: value for name, value in state.items() if not isinstance(value, bytes) and name != "title"}
    buffers = [
        {"encoding": "base64", "path": [name], "data": base64.b64encode(state[name]).decode()}
        for name in FRAMES
    ]
    model = {
        "model_name": "AnyModel",
        "state": {**plain, "_anywidget_id": EXPLORERS[0]},
        "buffers": buffers,
    }
    view = nbformat.v4.new_output
    outputs = [
        view("display_data", {WIDGET_VIEW: {"model_id": one}, "text/plain": f"Explorer({one})"})
        for one in model_ids
    ]
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# A title\n\nwith $x^2$"),
            nbformat.v4.new_code_cell("explorer", outputs=outputs),
        ]
    )
    others = {"slider": {"model_name": "FloatSliderModel", "state": {}}}
    notebook.metadata["widgets"] = {WIDGET_STATE: {"state": {"one": model, "two": model, **others}}}
    return notebook


def picture_of(state):
    metadata = {STILL: state["_status"]["run"]}
    return nbformat.v4.new_output(
        "display_data", {"image/png": "iVBORw0KGgo=", "text/plain": "a map"}, metadata=metadata
    )


def saved_states(text):
    data = [text for a, text in Elements(text).named("script") if a.get("type") == "text/plain"]
    return [unpacked(one) for one in data]


def unpacked(text):
    """What a page makes of a state."""
    frame = decode(zlib.decompress(base64.b64decode(text)))
    state = json.loads(frame.sections["rest"].tobytes())
    for name, data in frame.sections.items():
        step = frame.header["apart"].get(name)
        if step is not None:
            padded = np.pad(data, (0, -len(data) % step)).reshape(-1, step)
            data = np.cumsum(padded, axis=0, dtype=np.uint8).ravel()[: len(data)]  # noqa: PLW2901
        if name != "rest":
            state[name] = data.tobytes()
    return state


@pytest.fixture
def state(gate, image, method, without_front_end_code, monkeypatch):
    monkeypatch.setattr(Still, "page_picture", lambda self: None)  # takes a second, and few tests need it
    with explore(gate, image, method=method, class_names=(HOSTILE, "green", "blue"), target=0) as explorer:
        explorer.wait(PATIENCE)
        explorer.selection = [1, 2]
        assert explorer.scores
        yield explorer.page_state()


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
