"""The benchmark on photographs: a folded network is the network, and a run that was stopped goes on."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.benchmarks.folding import folded
from tests.benchmarks.real_maps import (
    CHEAP,
    DEAR,
    LINEAR,
    Photograph,
    Protocol,
    line_key,
    pending,
    photographs,
    read_lines,
)
from wcam_widget.cli.methods import Name
from wcam_widget.evaluate.rankings import NULLS

PHOTOS = [Photograph(Path(f"{number:04}_thing.jpg"), number) for number in range(12)]


@pytest.fixture
def net():
    torch.manual_seed(0)
    made = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(288, 4)
    )
    made(torch.rand(16, 3, 8, 8))  # so that its running statistics are its own
    return made.eval()


def test_a_folded_network_gives_the_same_scores_and_leaves_the_other_alone(net):
    before = {name: value.clone() for name, value in net.state_dict().items()}
    images = torch.rand(2, 3, 8, 8)
    made, difference = folded(net, images)
    assert difference < 1e-4
    assert torch.allclose(made(images), net(images), atol=1e-4)
    kinds = [type(module) for module in made]
    assert kinds[1] is nn.Identity  # in the convolution now
    assert kinds[3] is nn.BatchNorm2d  # no convolution comes before it
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_a_copy_that_differs_is_refused(net):
    net[1].register_forward_hook(lambda module, given, output: output + 1)
    with pytest.raises(RuntimeError, match="the folded copy differs by"):
        folded(net, torch.rand(2, 3, 8, 8))


def test_every_method_of_the_catalogue_has_a_place():
    assert {*CHEAP, *DEAR} == {*map(str, Name), LINEAR}


def test_a_run_that_was_stopped_goes_on(tmp_path):
    protocol = Protocol()
    every = list(pending(PHOTOS, [], protocol))
    assert {(task.photograph, name) for task in every for name in task.methods} == {
        (photo, name) for photo in PHOTOS for name in (*CHEAP, *DEAR)
    }
    assert every[0].nulls == tuple(NULLS)

    path = tmp_path / "maps.jsonl"
    names = (*every[0].methods, *every[0].nulls)
    lines = [line_key(PHOTOS[0], name, protocol) for name in names]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"image": "0001', "utf-8")
    assert read_lines(path) == lines  # without the one that was cut
    assert path.read_text("utf-8").endswith("}\n")  # so that the next line is one of its own
    assert list(pending(PHOTOS, read_lines(path), protocol)) == every[1:]


def test_lines_of_other_settings_do_not_count():
    every = list(pending(PHOTOS, [], Protocol()))
    others = [line_key(PHOTOS[0], name, Protocol(steps=50)) for name in every[0].methods]
    assert list(pending(PHOTOS, others, Protocol())) == every


def test_photographs_are_known_by_the_class_in_their_names(tmp_path):
    for name in ("0285_egyptian_cat.jpg", "0000_tench.jpg", "labels.csv", "README.md"):
        (tmp_path / name).touch()
    assert [photo.class_id for photo in photographs(tmp_path)] == [0, 285]
