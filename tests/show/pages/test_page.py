import base64
import hashlib
import json
import re
import stat
from html.parser import HTMLParser

import nbformat
import pytest

from wcam_widget.show.explorer.explorer import explore
from wcam_widget.show.pages import page as export
from wcam_widget.show.traits import FRAMES, NAMES

PATIENCE = 60
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


@pytest.fixture
def state(gate, image, method, without_front_end_code):
    with explore(gate, image, method=method, class_names=(HOSTILE, "green", "blue"), target=0) as explorer:
        explorer.wait(PATIENCE)
        explorer.selection = [1, 2]
        assert explorer.scores
        yield explorer.page_state()


def saved_states(text):
    data = [text for attributes, text in Elements(text).named("script") if attributes.get("type")]
    return [json.loads(one) for one in data]


def test_a_page_holds_every_state_and_the_code_once(state):
    text = export.page([state, {**state, "mode": "remove"}], "two")
    first, second = saved_states(text)
    assert set(first) == set(NAMES)
    assert base64.b64decode(first["_frame"]) == state["_frame"]
    assert base64.b64decode(first["_picture"]) == state["_picture"]
    for name in set(NAMES) - set(FRAMES):
        assert first[name] == state[name]
    assert (first["mode"], second["mode"]) == ("keep", "remove")
    assert text.count("/* standalone.js */") == text.count("/* widget.css */") == 1
    assert [attributes["data-wcam-saved"] for attributes, _ in Elements(text).named("div")] == ["0", "1"]


def test_a_page_runs_its_own_scripts_and_nothing_else(state):
    elements = Elements(export.page([state], "one"))
    (policy,) = [a["content"] for a, _ in elements.named("meta") if a.get("http-equiv")]
    scripts = [text for attributes, text in elements.named("script") if not attributes.get("type")]
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in scripts
    ]
    assert len(scripts) == 2
    assert f"script-src {' '.join(hashes)};" in policy
    assert policy.startswith("default-src 'none';")
    assert "src" not in {name for _, attributes, _ in elements.found for name in attributes}


def test_hostile_labels_and_titles_are_text(state):
    text = export.page([{**state, "title": f"one {HOSTILE}"}], HOSTILE)
    elements = Elements(text)
    assert "img" not in {tag for tag, _, _ in elements.found}
    assert elements.named("title")[0][1] == HOSTILE
    assert elements.named("h1")[0][1] == HOSTILE
    assert elements.named("h2")[0][1] == f"one {HOSTILE}"
    assert saved_states(text)[0]["_scores"]["target"]["label"] == f"logit of {HOSTILE}"
    data = [text for attributes, text in elements.named("script") if attributes.get("type")]
    assert not set("<>&\u2028") & set(data[0])


def test_a_page_does_not_say_its_title_twice(state):
    assert Elements(export.page([{**state, "title": "one"}], "one")).named("h2") == []


def test_no_page_mentions_a_network_address(state):
    assert not re.search(r"https?://|//[a-z]+\.", export.page([state], "one"))


@pytest.mark.parametrize("missing", ["_picture", "_proto", "selection"])
def test_a_state_that_is_not_whole_is_refused(state, missing):
    with pytest.raises(ValueError, match=f"states: one lacks {missing}"):
        export.page([{name: value for name, value in state.items() if name != missing}], "one")


def test_reports_take_explorers_and_states(state, tmp_path):
    class Saved:
        def page_state(self):
            return {**state, "title": "from an explorer"}

    path = export.write_report(
        tmp_path / "report.html", [Saved(), {**state, "title": "from a state"}], "both"
    )
    text = path.read_text(encoding="utf-8")
    assert [text for _, text in Elements(text).named("h2")] == ["from an explorer", "from a state"]
    assert len(saved_states(text)) == 2


def test_a_report_is_written_whole_or_not_at_all(state, tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("the old one")
    broken = {**state, "_known": {"all": float("nan")}}
    with pytest.raises(ValueError, match="Out of range float"):
        export.write_report(path, [broken])

    def full(self, target):
        raise OSError("disk full")

    monkeypatch.setattr(type(path), "replace", full)
    with pytest.raises(OSError, match="disk full"):
        export.write_report(path, [state])
    assert path.read_text() == "the old one"
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_a_report_is_as_readable_as_any_file(state, tmp_path):
    plain = tmp_path / "plain.txt"
    plain.write_text("")
    path = export.write_report(tmp_path / "report.html", [state])
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_code_that_would_end_its_own_element_is_refused(state, monkeypatch):
    monkeypatch.setattr(export, "built", lambda name: 'x = "</SCRIPT>"')
    with pytest.raises(ValueError, match="cannot be put into a page"):
        export.page([state], "one")


def test_an_explorer_writes_its_own_page(gate, image, method, without_front_end_code, tmp_path):
    with explore(gate, image, method=method) as explorer:
        explorer.wait(PATIENCE)
        path = explorer.to_html(tmp_path / "explorer.html")
        assert path == tmp_path / "explorer.html"
        assert saved_states(path.read_text())[0]["_status"] == explorer._status
        with pytest.raises(FileNotFoundError, match="nowhere"):
            explorer.to_html(tmp_path / "nowhere" / "explorer.html")


def executed(state, *model_ids):
    """A notebook as nbclient leaves it: widget views as outputs, states in the metadata."""
    plain = {name: value for name, value in state.items() if not isinstance(value, bytes) and name != "title"}
    buffers = [
        {"encoding": "base64", "path": [name], "data": base64.b64encode(state[name]).decode()}
        for name in FRAMES
    ]
    model = {
        "model_name": "AnyModel",
        "state": {**plain, "_anywidget_id": export.EXPLORER},
        "buffers": buffers,
    }
    view = nbformat.v4.new_output
    outputs = [
        view("display_data", {export.WIDGET_VIEW: {"model_id": one}, "text/plain": f"Explorer({one})"})
        for one in model_ids
    ]
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# A title\n\nwith $x^2$"),
            nbformat.v4.new_code_cell("explorer", outputs=outputs),
        ]
    )
    others = {"slider": {"model_name": "FloatSliderModel", "state": {}}}
    notebook.metadata["widgets"] = {export.WIDGET_STATE: {"state": {"one": model, "two": model, **others}}}
    return notebook


def test_a_notebook_s_explorers_are_placed_where_they_stood(state, tmp_path):
    notebook = executed(state, "one", "two", "one", "slider", "nobody")
    before = nbformat.writes(notebook)
    text = export.notebook_report(notebook, tmp_path / "notebook.html").read_text(encoding="utf-8")
    places = [a["data-wcam-saved"] for a, _ in Elements(text).named("div") if "data-wcam-saved" in a]
    assert places == ["0", "1", "0"]
    first, second = saved_states(text)
    assert base64.b64decode(first["_frame"]) == state["_frame"]
    assert set(first) == set(second) == set(NAMES)
    assert text.count("/* standalone.js */") == 1
    assert "Explorer(slider)" in text
    assert "Explorer(nobody)" in text
    assert nbformat.writes(notebook) == before


def test_a_notebook_s_page_loads_nothing(state, tmp_path):
    path = tmp_path / "notebook.ipynb"
    nbformat.write(executed(state, "one"), path)
    elements = Elements(export.notebook_report(path, tmp_path / "notebook.html").read_text(encoding="utf-8"))
    assert not [a for tag, a, _ in elements.found if tag in ("script", "img", "iframe") and "src" in a]
    assert not [a for a, _ in elements.named("link")]
    assert not [text for _, text in elements.named("script") if "import(" in text or "createElement" in text]


def test_a_notebook_without_the_state_of_its_explorer_is_refused(state, tmp_path):
    notebook = executed(state, "one")
    del notebook.metadata.widgets[export.WIDGET_STATE].state.one.buffers[0]
    with pytest.raises(ValueError, match="the state of an explorer lacks _picture; execute it again"):
        export.notebook_report(notebook, tmp_path / "notebook.html")
    assert list(tmp_path.iterdir()) == []


def test_hostile_model_ids_and_labels_in_a_notebook_are_text(state, tmp_path):
    notebook = executed(state, HOSTILE)
    states = notebook.metadata.widgets[export.WIDGET_STATE].state
    states[HOSTILE] = states["one"]
    states[HOSTILE].state["mode"] = HOSTILE
    path = export.notebook_report(notebook, tmp_path / "notebook.html")
    elements = Elements(path.read_text(encoding="utf-8"))
    assert "img" not in {tag for tag, _, _ in elements.found}
    data = [text for a, text in elements.named("script") if a.get("type") == "application/json"]
    assert [json.loads(one)["mode"] for one in data] == [HOSTILE]
