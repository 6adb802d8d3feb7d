"""What tests read from pages, as a browser would, and the state that they make pages of."""

import json
from html.parser import HTMLParser

import pytest

from tests.show.conftest import PATIENCE
from wcam_widget.show.explorer.explore import explore

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


def saved_states(text):
    data = [text for attributes, text in Elements(text).named("script") if attributes.get("type")]
    return [json.loads(one) for one in data]


@pytest.fixture
def state(gate, image, method, without_front_end_code):
    with explore(gate, image, method=method, class_names=(HOSTILE, "green", "blue"), target=0) as explorer:
        explorer.wait(PATIENCE)
        explorer.selection = [1, 2]
        assert explorer.scores
        yield explorer.page_state()
