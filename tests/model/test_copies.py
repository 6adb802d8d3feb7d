"""Copies and pickles: everything but what belongs to this process."""

import copy
import io
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from wcam_widget import Attribution, BlackBox, GradCam, Sobol, Wcam

IMAGE = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def halved(images):
    return images / 2


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 3, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def saved(thing):
    file = io.BytesIO()
    torch.save(thing, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


def pickled(thing):
    return pickle.loads(pickle.dumps(thing))


COPIES = {
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "pickle": lambda it: pickle.loads(pickle.dumps(it)),
    "torch": saved,
}


@pytest.mark.parametrize("kind", COPIES)
def test_a_black_box_is_copied_with_all_it_was_told(kind):
    told = {"batch_size": 3, "precision": "float32", "activation": "sigmoid"}
    model = BlackBox(network(), halved, ("a", "b", "c"), **told)
    model.input_size = (16, 16)
    made = COPIES[kind](model)
    assert torch.equal(made(IMAGE), model(IMAGE))
    for name in ("class_names", "input_size", "device", *told):
        assert getattr(made, name) == getattr(model, name)
    assert (made.net is model.net) == (kind == "copy")
    (attribution,) = Wcam(Sobol(rows=4), levels=1, grid=2)(made, IMAGE, ["b"])
    assert attribution.target == "logit of b"


@pytest.mark.parametrize("kind", COPIES)
@pytest.mark.parametrize(
    "method", [Wcam(Sobol(rows=4), levels=1, grid=2), GradCam()], ids=["wcam", "gradcam"]
)
def test_an_attribution_is_copied_without_its_run(kind, method):
    (attribution,) = method(network(), IMAGE)
    made = COPIES[kind](attribution)
    assert isinstance(made, Attribution)
    np.testing.assert_array_equal(made.spatial(), attribution.spatial())
    assert made.profile().names == attribution.profile().names
    assert (made.stop, made.target, made.evaluations) == (
        attribution.stop,
        attribution.target,
        attribution.evaluations,
    )
    with pytest.raises(ValueError, match="read from a file or copied"):
        made.for_target(1)
    with pytest.raises(ValueError, match="read from a file or copied"):
        next(Wcam(Sobol(rows=8), levels=1, grid=2).resume(made))
    if isinstance(method, Wcam):
        assert attribution.for_target(1).target == "logit of class 1"  # the one that was copied keeps its run


def test_a_copied_network_has_a_lock_of_its_own():
    model = BlackBox(network())
    made = copy.deepcopy(model)
    assert made._batches.state is not model._batches.state
    assert copy.copy(model)._batches.state is model._batches.state
