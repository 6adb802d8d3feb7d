"""Explorers end: threads, widgets, models and interpreters."""

import gc
import os
import subprocess
import sys
import threading
import weakref

import pytest
import torch
from ipywidgets.widgets.widget import _instances

from wcam_widget.show.explorer.explore import explore

PATIENCE = 60


def test_closing_during_a_run_ends_it(front_end, gate, image, method, without_front_end_code):
    gate.shuts_after = 1
    explorer = explore(gate, image, method=method)
    name = explorer._session.worker.name
    assert any(thread.name == name for thread in threading.enumerate())
    opening = threading.Thread(target=lambda: (gate.entered.wait(PATIENCE), gate.open.set()))
    opening.start()
    explorer.close()
    opening.join(PATIENCE)
    assert explorer.attribution is None or not explorer.attribution.complete
    assert all(thread.name != name for thread in threading.enumerate())
    assert explorer.comm is None
    assert explorer not in _instances.values()


def test_closed_explorers_and_their_models_are_forgotten(image, method, without_front_end_code):
    class Net(torch.nn.Module):
        def forward(self, images):
            return images.mean((2, 3))

    explorers, nets = [], []
    for number in range(12):
        net = Net()
        explorer = explore(net, image, method=method)
        if number % 2:
            explorer.wait(PATIENCE)
        explorer.close()
        explorers.append(weakref.ref(explorer))
        nets.append(weakref.ref(net))
        del explorer, net
    gc.collect()
    assert [ref() for ref in explorers] == [None] * 12
    assert [ref() for ref in nets] == [None] * 12
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("wcam explorer")]


def test_a_running_explorer_can_be_collected_once_closed_by_its_cell(
    gate, image, method, without_front_end_code
):
    explorer = explore(gate, image, method=method)
    session = explorer._session
    reference = weakref.ref(explorer)
    with explorer:
        explorer.wait(PATIENCE)
    del explorer
    gc.collect()
    assert reference() is None
    assert session.attribution.complete


LONG_RUN = """
import torch
from wcam_widget.explain import Wcam
from wcam_widget.sensitivity import Sobol
explorer = explore(lambda x: x.mean((2, 3)), torch.rand(3, 64, 64), method=Wcam(Sobol(rows=512)))
print(explorer._status["state"])
"""
# A thread that ends below a frame of C++, as this backward pass stands, takes the process with it.
LONG_STEP = """
import threading, time, torch
from wcam_widget.explain import Wcam
from wcam_widget.sensitivity import Derivative
begun = threading.Event()
class Slow(torch.autograd.Function):
    @staticmethod
    def forward(context, images):
        return images.mean((2, 3))
    @staticmethod
    def backward(context, gradient):
        begun.set()
        time.sleep(6)
        return gradient[..., None, None].expand(-1, -1, 16, 16)
class Net(torch.nn.Module):
    def forward(self, images):
        return Slow.apply(images)
method = Wcam(Derivative(rows=8), levels=1, grid=2)
explorer = explore(Net(), torch.rand(3, 16, 16), 0, method=method)
assert begun.wait(60)
print("running")
"""


@pytest.mark.parametrize("program", [LONG_RUN, LONG_STEP], ids=["long run", "long step"])
def test_an_interpreter_ends_while_a_run_goes_on(program):
    opening = """
from wcam_widget.show.pages import page as export
from wcam_widget.show.explorer.explore import explore
export.built = lambda name: ""
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", opening + program],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in ("waiting", "running")
    assert done.stderr == ""
