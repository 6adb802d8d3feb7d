"""Networks that do not answer alike: noise, batches, changes during a run."""

import copy
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from wcam_widget import (
    BlackBox,
    Derivative,
    GradCam,
    Hsic,
    Probability,
    Refined,
    Screened,
    Sobol,
    Wcam,
    explore,
)
from wcam_widget.sensitivity import Kind

IMAGE = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(3))
SMALL = {"levels": 1, "grid": 2}
ANALYSES = {
    "sobol": Sobol(rows=8),
    "derivative": Derivative(rows=8),
    "screened": Screened(rows=8),
    "refined": Refined(rows=8),
    "hsic": Hsic(rows=64),
}


class Net(nn.Module):
    """A small network; ``spoil`` gets its class scores and itself."""

    def __init__(self, spoil=lambda scores, net: scores):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.head = nn.Conv2d(3, 8, 5, stride=2), nn.Linear(8, 3)
        self.spoil, self.calls = spoil, 0

    def forward(self, images):
        self.calls += 1
        return self.spoil(self.head(self.conv(images).relu().mean((2, 3))), self)


def explained(spoil, analysis=ANALYSES["sobol"], preprocess=None, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = BlackBox(Net(spoil), preprocess, **options)
        (attribution,) = Wcam(analysis, **SMALL)(model, IMAGE)
    return attribution, [str(one.message) for one in caught]


def dropped(scores, net):
    units = scores[:, :, None].expand(-1, -1, 50)
    return functional.dropout(units, 0.4, training=True).mean(2)


def noisy(scores, net):
    return scores + 0.01 * torch.randn_like(scores)


def cropped(images):
    column = int(torch.randint(0, 4, ()))
    return images[..., column : column + 12]


@pytest.mark.parametrize("kind", ANALYSES)
def test_a_noisy_network_gives_a_warning_and_nothing_resolved(kind):
    attribution, caught = explained(noisy, ANALYSES[kind])
    assert attribution.complete
    assert (attribution.kind == Kind.UNRESOLVED).all()
    assert attribution.stop.startswith(
        "the network is noisy: its class scores of the same image differ by up to "
    )
    assert "resolved: " not in attribution.stop.split(":")[0]
    assert "every cell is resolved" not in attribution.stop
    assert caught == [attribution.stop]


def test_dropout_that_is_always_on_and_random_crops_are_noise():
    torch.manual_seed(5)
    for attribution, _ in (explained(dropped), explained(Net().spoil, preprocess=cropped)):
        assert attribution.stop.startswith("the network is noisy")
        assert (attribution.kind == Kind.UNRESOLVED).all()
        assert not attribution.matters().any()


def test_other_targets_of_a_noisy_run_are_not_resolved_either():
    attribution, _ = explained(noisy)
    assert (attribution.for_target(Probability(1)).kind == Kind.UNRESOLVED).all()


def rounded(scores, net):
    return scores * (1 + 1e-6 * torch.randn_like(scores))


STEADY = {"float rounding": rounded, "nothing": lambda scores, net: scores}


@pytest.mark.parametrize("kind", STEADY)
def test_rounding_is_no_noise(kind):
    attribution, caught = explained(STEADY[kind])
    assert caught == []
    assert attribution.stop == "all planned rows are done"
    assert (attribution.kind != Kind.UNRESOLVED).any()


def test_a_preprocess_that_rounds_to_bytes_is_no_noise():
    attribution, caught = explained(STEADY["nothing"], preprocess=lambda images: (images * 255).floor() / 255)
    assert caught == []
    assert attribution.stop == "all planned rows are done"


def test_the_looks_are_counted():
    net = Net()
    (attribution,) = Wcam(Sobol(rows=4), **SMALL)(BlackBox(net, batch_size=1), IMAGE)
    assert attribution.evaluations == attribution.planned == net.calls - 1  # the first finds the top class


def over_batch(scores, net):
    return scores - scores.mean(0)


def test_a_score_that_depends_on_the_batch_is_seen():
    attribution, _ = explained(over_batch)
    assert attribution.stop.startswith("the score of an image depends on the images beside it")
    assert "batch_size=1" in attribution.stop
    assert (attribution.kind == Kind.UNRESOLVED).all()
    alone, caught = explained(lambda scores, net: scores - 0.5 * scores.mean(0), batch_size=1)
    assert caught == []
    assert "depends" not in alone.stop


def drifting(scores, net):
    return scores + (net.calls > 6)


def test_answers_that_drift_during_a_run_are_seen():
    attribution, caught = explained(drifting)
    assert "the network changed while it was explained; the score of the image was " in attribution.stop
    assert (attribution.kind == Kind.UNRESOLVED).all()
    assert len(caught) == 1


def trained(scores, net):
    if net.calls == 6:
        with torch.no_grad():
            net.head.bias.add_(1e-9)
    return scores


def loaded(scores, net):
    if net.calls == 6:
        net.load_state_dict({name: value * 1.5 for name, value in net.state_dict().items()})
    return scores


@pytest.mark.parametrize("change", [trained, loaded])
def test_parameters_that_change_during_a_run_are_named(change):
    attribution, caught = explained(change)
    assert attribution.stop.startswith("the network changed while it was explained (")
    assert "head.bias" in attribution.stop or "conv.weight" in attribution.stop
    assert attribution.stop.endswith("the map mixes both; explain again")
    assert (attribution.kind == Kind.UNRESOLVED).all()
    assert caught == [attribution.stop]


def test_the_map_of_a_layer_says_that_the_network_changed():
    net = Net()
    steps = GradCam("conv").steps(BlackBox(net), IMAGE[0])
    net.spoil = lambda scores, net: (net.conv.weight.data.mul_(1.0), scores)[1]
    assert "changed" not in next(steps).stop
    net.spoil = loaded
    net.calls = 5
    assert "the network changed while it was explained" in next(GradCam("conv").steps(net, IMAGE[0])).stop


def test_a_network_that_changes_between_a_run_and_its_resumption_is_named():
    net = Net()
    (first,) = Wcam(Sobol(rows=4), **SMALL)(BlackBox(net), IMAGE)
    with torch.no_grad():
        net.head.weight.mul_(2)
    with pytest.warns(UserWarning, match="the network changed"):
        *_, second = Wcam(Sobol(rows=8), **SMALL).resume(first)
    assert second.evaluations == second.planned
    assert "head.weight" in second.stop


def test_the_mean_of_shifts_is_not_resolved_where_the_network_is_noisy():
    with pytest.warns(UserWarning, match="noisy"):
        (attribution,) = Wcam(Sobol(rows=8), **SMALL).spun(2)(BlackBox(Net(noisy)), IMAGE)
    assert (attribution.kind == Kind.UNRESOLVED).all()
    assert attribution.stop.startswith("the network is noisy")


def test_eval_called_after_explore_returned_is_kept():
    net = Net().train()
    explorer = explore(BlackBox(net), IMAGE[0], method=Wcam(Sobol(rows=16), **SMALL))
    net.eval()
    explorer.wait(120)
    assert not any(module.training for module in net.modules())
    explorer.close()


def test_a_copy_of_a_network_explains_as_the_network():
    net = Net()
    maps = [Wcam(Sobol(rows=4), **SMALL)(each, IMAGE)[0].values for each in (net, copy.deepcopy(net))]
    np.testing.assert_array_equal(*maps)
