import base64
import hashlib
import re

import pytest

from tests.show.pages.conftest import HOSTILE, Elements, saved_states
from wcam_widget.show.pages import page as export
from wcam_widget.show.traits import NAMES


def test_a_page_holds_every_state_and_the_code_once(state):
    text = export.page([state, {**state, "mode": "remove"}], "two")
    first, second = saved_states(text)
    assert set(first) == set(NAMES)
    for name in NAMES:
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


def test_code_that_would_end_its_own_element_is_refused(state, monkeypatch):
    monkeypatch.setattr(export, "built", lambda name: 'x = "</SCRIPT>"')
    with pytest.raises(ValueError, match="cannot be put into a page"):
        export.page([state], "one")
