"""A front end and a model that tests can hold in their hands."""

from __future__ import annotations

import threading
from typing import Any

import comm
import pytest
import torch

from wcam_widget.explain import Wcam
from wcam_widget.model import BlackBox
from wcam_widget.sensitivity import Sobol
from wcam_widget.show.explorer.encoder import Encoder
from wcam_widget.show.explorer.session import Session
from wcam_widget.show.pages import page as export

PATIENCE = 60  # seconds before a test that waits for another thread gives up; never a measurement


class FrontEnd:
    """Stands where a browser's comm would: keeps what was sent, and sends."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self.threads: list[threading.Thread] = []
        self.heard = threading.Condition()
        self.comm: Comm | None = None

    def custom(self, kind: str | None = None) -> list[dict[str, Any]]:
        said = [message["content"] for message in self.said if message["method"] == "custom"]
        return [content for content in said if kind is None or content["t"] == kind]

    def updates(self, name: str) -> list[Any]:
        return [
            message["state"][name]
            for message in self.said
            if message["method"] == "update" and name in message["state"]
        ]

    def wait_for(self, condition: Any) -> None:
        with self.heard:
            assert self.heard.wait_for(condition, PATIENCE), "the kernel did not say what was waited for"

    def say(self, **content: Any) -> None:
        self.comm.receive({"method": "custom", "content": content})

    def set(self, **state: Any) -> None:
        self.comm.receive({"method": "update", "state": state})


class Comm(comm.base_comm.BaseComm):
    """A comm whose other end is a FrontEnd."""

    def __init__(self, front_end: FrontEnd, **arguments: Any) -> None:
        self.front_end = front_end
        front_end.comm = self
        super().__init__(**arguments)

    def publish_msg(self, msg_type: str, data: Any = None, buffers: Any = None, **rest: Any) -> None:
        if msg_type != "comm_msg":
            return
        for path, buffer in zip(data.get("buffer_paths", []), buffers or [], strict=True):
            data["state"][path[0]] = bytes(buffer)
        with self.front_end.heard:
            self.front_end.said.append(data)
            self.front_end.threads.append(threading.current_thread())
            self.front_end.heard.notify_all()

    def receive(self, data: dict[str, Any]) -> None:
        self.handle_msg({"content": {"data": data}, "buffers": []})


@pytest.fixture
def front_end(monkeypatch):
    """The other end of the next widget's comm."""
    end = FrontEnd()
    monkeypatch.setattr(comm, "create_comm", lambda **arguments: Comm(end, **arguments))
    return end


@pytest.fixture
def without_front_end_code(monkeypatch):
    """Explorers where the front end need not be built."""
    monkeypatch.setattr(export, "built", lambda name: f"/* {name} */")


class Gate:
    """A model, images -> channel means, that can be made to wait, to fail and to count."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.shut_by_itself = threading.Event()
        self.entered = threading.Event()
        self.error: BaseException | None = None
        self.images = 0
        self.shuts_after: int | None = None  # images it answers before it waits
        self.threads: set[str] = set()

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        self.entered.set()
        assert self.open.wait(PATIENCE), "the gate was not opened"
        if self.error is not None:
            raise self.error
        self.images += len(images)
        if self.shuts_after is not None and self.images >= self.shuts_after:
            self.shuts_after = None
            self.shut()
            self.shut_by_itself.set()
        self.threads.add(threading.current_thread().name)
        return 4 * images.mean((2, 3))

    def shut(self) -> None:
        self.open.clear()
        self.entered.clear()


@pytest.fixture
def gate():
    """A model in the test's hand; whatever happens it is open at the end."""
    model = Gate()
    yield model
    model.open.set()


@pytest.fixture
def image():
    return torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def method():
    """28 cells, many short steps."""
    return Wcam(Sobol(rows=4), levels=2, grid=2)


class Screen:
    """Keeps the snapshots that were published, and the traits that they become."""

    def __init__(self) -> None:
        self.encoder = Encoder()
        self.snapshots = []
        self.news = []
        self.changed = threading.Condition()

    def __call__(self, snapshot):
        with self.changed:
            self.snapshots.append(snapshot)
            self.news.append(self.encoder.news(snapshot))
            self.changed.notify_all()

    def all(self, name):
        return [news[name] for news in self.news if name in news]

    def wait_for(self, condition):
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE)


@pytest.fixture
def screen():
    return Screen()


@pytest.fixture
def session(gate, image, method, screen):
    one = Session(BlackBox(gate), image, None, method, screen)
    yield one
    gate.open.set()
    one.close()
