import base64
import io
import stat

import pytest
from PIL import Image

from tests.show.conftest import PATIENCE
from tests.show.pages.conftest import Elements, saved_states
from wcam_widget.show.explorer.explore import explore
from wcam_widget.show.pages.exporter import write_report


def test_reports_take_explorers_and_states(state, tmp_path):
    class Saved:
        def page_state(self):
            return {**state, "title": "from an explorer"}

    path = write_report(tmp_path / "report.html", [Saved(), {**state, "title": "from a state"}], "both")
    text = path.read_text(encoding="utf-8")
    assert [text for _, text in Elements(text).named("h2")] == ["from an explorer", "from a state"]
    assert len(saved_states(text)) == 2


def test_a_report_is_written_whole_or_not_at_all(state, tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("the old one")
    broken = {**state, "_known": {"all": float("nan")}}
    with pytest.raises(ValueError, match="Out of range float"):
        write_report(path, [broken])

    def full(self, target):
        raise OSError("disk full")

    monkeypatch.setattr(type(path), "replace", full)
    with pytest.raises(OSError, match="disk full"):
        write_report(path, [state])
    assert path.read_text() == "the old one"
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_a_report_is_as_readable_as_any_file(state, tmp_path):
    plain = tmp_path / "plain.txt"
    plain.write_text("")
    path = write_report(tmp_path / "report.html", [state])
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_an_explorer_writes_its_own_page(gate, image, method, without_front_end_code, tmp_path):
    with explore(gate, image, method=method) as explorer:
        explorer.wait(PATIENCE)
        path = explorer.to_html(tmp_path / "explorer.html")
        assert path == tmp_path / "explorer.html"
        text = path.read_text()
        assert saved_states(text)[0]["_status"] == explorer._status
        ((picture, _),) = Elements(text).named("img")
        png = base64.b64decode(picture["src"].removeprefix("data:image/png;base64,"))
        assert Image.open(io.BytesIO(png)).width == 1000
        assert len(png) <= 36_000
        assert picture["alt"] == explorer._status["answer"]
        with pytest.raises(FileNotFoundError, match="nowhere"):
            explorer.to_html(tmp_path / "nowhere" / "explorer.html")
