"""When another engine is made, used and given up: small networks, made ready at once or by lower limits."""

import copy
import gc
import pickle
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest
import torch
from torch import nn

from tests.model.engines.ready import Net, builds, close, of_onnx, wait
from tests.model.networks import images_of
from wcam_widget.model import BlackBox, ModelError
from wcam_widget.model.engines import build, eligibility, exporting, forwards

pytest.importorskip("onnxruntime", reason="needs onnxruntime, of the extra fast")


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net()


def test_a_network_is_run_by_onnx_runtime_for_every_batch_and_left_as_it_was(net):
    before = copy.deepcopy(net.state_dict())
    model = of_onnx(net, class_names=["a", "b", "c"], batch_size=16)
    assert model.engine.name == "onnx", model.engine
    assert model.engine.reason.startswith("class scores of ")
    assert "engine='ONNX Runtime'" in repr(model)
    torched = BlackBox(net, engine="torch", batch_size=16)
    for count in (1, 2, 7, 8, 9, 40):
        close(model.logits(images_of(count)), torched.logits(images_of(count)))
    assert net.training
    assert net.drop.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert str(torched.engine) == "PyTorch: chosen"


def test_without_onnxruntime_normalisation_is_fused_and_the_reason_says_what_to_install(net, monkeypatch):
    monkeypatch.setattr(exporting, "find_spec", lambda name: None if name == "onnxruntime" else True)
    model = of_onnx(net)
    assert model.engine.name == "fused"
    assert 'onnx: onnxruntime is not installed, pip install "wcam_widget[fast]"' in model.engine.reason
    close(model.logits(images_of(9)), BlackBox(net, engine="torch").logits(images_of(9)))


def test_small_networks_and_few_images_are_left_to_torch(net):
    model = BlackBox(net)
    model.logits(images_of(3))
    assert model.engine == forwards.Engine("torch", "made ready once 64 images have been scored")
    model.logits(images_of(64))
    model.logits(images_of(64))
    assert "the network is small" in model.engine.reason
    assert not builds(model)


def test_a_large_network_is_made_ready_once_enough_images_are_known_to_come(net, monkeypatch):
    monkeypatch.setattr(eligibility, "OPERATIONS", 1000)
    model = BlackBox(net, batch_size=8)
    model.logits(images_of(40))
    assert not builds(model)
    scores = model.logits(images_of(64))
    assert len(builds(model)) == 1
    assert wait(model).engine.name == "onnx"
    close(model.logits(images_of(64)), scores)


def test_one_export_serves_all_blackboxes_around_a_network_and_each_reads_its_first_answer(net):
    model = of_onnx(net)
    other = BlackBox(net, lambda images: images * 1.0, engine="onnx")
    assert other.head.classes is None
    close(other.logits(images_of(5)), model.logits(images_of(5)))
    assert other.head.classes == 3
    assert len(builds(model)) == 1
    assert builds(other) == builds(model)
    with pytest.raises(ValueError, match="class_names: found 2 names, but net gives 3 scores"):
        BlackBox(net, class_names=["a", "b"], engine="onnx").logits(images_of(1))


def test_changed_weights_are_exported_anew(net):
    model = of_onnx(net)
    with torch.no_grad():
        net.head.bias += 1
    expected = BlackBox(net, engine="torch").logits(images_of(5))
    close(model.logits(images_of(5)), expected)
    wait(model)
    assert model.engine.name == "onnx", model.engine
    close(model.logits(images_of(5)), expected)
    net.norm = nn.BatchNorm2d(8)
    close(model.logits(images_of(5)), BlackBox(net, engine="torch").logits(images_of(5)))


def test_hooks_are_heard_by_torch(net):
    model = of_onnx(net)
    heard = []
    handle = net.conv.register_forward_hook(lambda *_args: heard.append(1))
    model.logits(images_of(2))
    assert heard == [1]
    handle.remove()
    model.logits(images_of(2))
    assert heard == [1]
    everywhere = nn.modules.module.register_module_forward_hook(lambda *_args: heard.append(2))
    model.logits(images_of(2))
    everywhere.remove()
    assert 2 in heard


def test_hooks_from_the_first_image_on_are_waited_for(net):
    handle = net.register_forward_pre_hook(lambda *_args: None)
    model = BlackBox(net, engine="onnx")
    for _ in range(3):
        model.logits(images_of(2))
    assert model.engine.reason == "hooks listen to the network"
    handle.remove()
    model.logits(images_of(2))
    assert wait(model).engine.name == "onnx"


def test_what_differs_only_later_is_given_up_with_a_warning(net, monkeypatch):
    monkeypatch.setattr(forwards, "CHECKED", 8)
    model = of_onnx(net)
    net.forward = lambda images: Net.forward(net, images) + 1  # no parameter says so
    with pytest.warns(
        UserWarning,
        match="ONNX Runtime gave class scores that differ by .*, after some that did not: explain again",
    ):
        scores = model.logits(images_of(8))
    close(scores, BlackBox(net, engine="torch").logits(images_of(8)))
    assert model.engine.name == "torch"


def test_a_runtime_that_raises_is_given_up(net):
    model = of_onnx(net)
    builds(model)[0].forward = lambda _rows: 1 / 0
    close(model.logits(images_of(3)), BlackBox(net, engine="torch").logits(images_of(3)))
    assert model.engine.reason == "ONNX Runtime raised ZeroDivisionError: division by zero"


def test_preprocessing_stays_in_torch_whatever_it_does(net):
    def by_numpy(images):
        return torch.from_numpy(np.sqrt(images.numpy()))

    model = of_onnx(net, preprocess=by_numpy)
    assert model.engine.name == "onnx", model.engine
    close(model.logits(images_of(4)), BlackBox(net, by_numpy, engine="torch").logits(images_of(4)))


def test_images_of_another_size_are_exported_by_themselves(net):
    model = of_onnx(net)
    larger = torch.rand(6, 3, 9, 12)
    close(model.logits(larger), BlackBox(net, engine="torch").logits(larger))
    wait(model)
    close(model.logits(larger), BlackBox(net, engine="torch").logits(larger))
    assert len(builds(model)) == 2
    for side in range(10, 16):
        model.logits(torch.rand(2, 3, side, side))
    wait(model)
    assert len(model._batches.state.forwards) == 4


def test_copies_and_pickles_keep_the_choice_and_make_their_own_engine(net):
    model = of_onnx(net)
    twin, loaded = copy.copy(model), pickle.loads(pickle.dumps(model))
    assert twin.engine == model.engine
    assert loaded.engine.name == "torch"
    loaded.logits(images_of(3))
    assert wait(loaded).engine.name == "onnx"
    assert model.by("torch").engine.reason == "chosen"
    assert model.engine.name == "onnx", model.engine


def test_threads_share_an_engine(net):
    model, found = of_onnx(net, batch_size=4), {}
    expected = BlackBox(net, engine="torch").logits(images_of(24))

    def work(number):
        found[number] = model.logits(images_of(24))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for scores in found.values():
        close(scores, expected)


def test_a_network_may_die_while_it_is_exported(monkeypatch):
    net = Net()
    started, go_on = threading.Event(), threading.Event()

    def slow(*args):
        started.set()
        go_on.wait(60)
        return exporting.exported(*args)

    monkeypatch.setitem(build.MAKERS, "onnx", slow)
    model = BlackBox(net, engine="onnx")
    model.logits(images_of(2))
    model.logits(images_of(2))
    (made,), alive = builds(model), weakref.ref(net)
    assert started.wait(60)
    del model, net
    gc.collect()
    assert alive() is None
    go_on.set()
    made.thread.join()
    assert made.engine.name == "onnx"


ENDS = """
import torch
from torch import nn
from wcam_widget.model import BlackBox
net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 3))
model = BlackBox(net, engine="onnx")
for _ in range(2):
    model.logits(torch.rand(2, 3, 8, 8))
print(model.engine.reason)
"""


def test_an_interpreter_may_end_while_a_network_is_exported():
    ended = subprocess.run([sys.executable, "-c", ENDS], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_an_unknown_engine_is_refused(net):
    with pytest.raises(ValueError, match="engine: found 'fast'; accepted are auto, torch, onnx, compiled"):
        BlackBox(net, engine="fast")
    with pytest.raises(ValueError, match="engine: found ''"):
        BlackBox(net).by("")


def test_a_network_that_raises_still_says_what_it_was_given(net):
    model = of_onnx(net)
    with pytest.raises(ModelError, match="net: raised RuntimeError"):
        model.logits(torch.rand(2, 4, 8, 8))
    close(model.logits(images_of(2)), BlackBox(net, engine="torch").logits(images_of(2)))
