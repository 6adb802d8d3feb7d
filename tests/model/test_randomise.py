"""Networks whose layers forget: what is drawn, what stays, and that the network itself is never touched."""

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from transformers import ResNetConfig, ResNetForImageClassification, ViTConfig, ViTForImageClassification

from wcam_widget.demo import load_demo
from wcam_widget.model import BlackBox, ModelError
from wcam_widget.model.randomise import Randomisation, learned_layers, replica


class Scaled(nn.Module):
    """Parameters without a way to draw them anew, and buffers that were not learned."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.arange(8.0))
        self.register_buffer("mean", torch.full((1,), 0.5))
        self.register_buffer("running_var", torch.full((8,), 3.0))

    def forward(self, features):
        return (features - self.mean) * self.scale


def network():
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU()),
        nn.Sequential(nn.Conv2d(8, 8, 3), nn.BatchNorm2d(8, affine=False), nn.ReLU()),
        nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        Scaled(),
        nn.Linear(8, 8),
    )
    net.train()(torch.rand(4, 3, 16, 16))  # running statistics of its own
    return net.requires_grad_(requires_grad=False)


def states(model, randomisation):
    """The state of the network after each layer, copied: a cascade changes the one it has."""
    return {
        name: {key: value.clone() for key, value in made.net.state_dict().items()}
        for name, made in randomisation.copies(model)
    }


def changed(before, after):
    return {key.rpartition(".")[0] for key in before if not torch.equal(before[key], after[key])}


def test_layers_go_from_output_to_input_and_hold_whatever_was_learned():
    assert learned_layers(network()) == ("4", "3", "1.1", "1.0", "0.1", "0.0")
    names = Randomisation().names(load_demo().model)
    assert names[0] == "head"
    assert names[-1] == "stem"
    assert len(names) == 18


def test_a_cascade_keeps_what_is_randomised_and_independent_layers_do_not():
    model = BlackBox(network())
    whole = model.net.state_dict()
    layers = learned_layers(model.net)
    cascade = states(model, Randomisation())
    alone = states(model, Randomisation("independent"))
    for place, name in enumerate(layers):
        assert changed(whole, cascade[name]) == set(layers[: place + 1])
        assert changed(whole, alone[name]) == {name}
        for key in whole:
            if key.startswith(f"{name}."):
                assert torch.equal(cascade[name][key], alone[name][key])


def test_layers_of_one_shape_get_values_of_their_own():
    net = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
    last = list(states(BlackBox(net), Randomisation()).values())[-1]
    assert not torch.equal(last["0.weight"], last["1.weight"])


def test_a_container_is_one_layer():
    found = states(BlackBox(network()), Randomisation(layers=("4", "1")))
    assert list(found) == ["4", "1"]
    assert changed(network().state_dict(), found["1"]) == {"4", "1.0", "1.1"}
    (everything,) = states(BlackBox(network()), Randomisation(layers=("",))).values()
    assert changed(network().state_dict(), everything) == set(learned_layers(network()))


def test_values_are_drawn_as_the_module_draws_them_or_shuffled_and_statistics_begin_anew():
    model = BlackBox(network())
    *_, last = states(model, Randomisation()).values()
    bound = 1 / 8**0.5
    assert float(last["4.weight"].abs().max()) <= bound
    assert last["3.scale"].sort().values.tolist() == list(range(8))
    assert last["3.scale"].tolist() != list(range(8))
    assert torch.equal(last["3.running_var"], torch.ones(8))
    assert torch.equal(last["3.mean"], torch.full((1,), 0.5))
    for norm in ("0.1", "1.1"):
        assert torch.equal(last[f"{norm}.running_mean"], torch.zeros(8))
        assert torch.equal(last[f"{norm}.running_var"], torch.ones(8))
        assert int(last[f"{norm}.num_batches_tracked"]) == 0


@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_a_seed_repeats_and_another_one_does_not(one, other):
    model = BlackBox(nn.Linear(8, 8))
    first, again, second = (
        states(model, Randomisation(seed=seed))[""]["weight"] for seed in (one, one, other)
    )
    assert torch.equal(first, again)
    assert torch.equal(first, second) == (one == other)


def test_all_of_a_residual_network_and_of_a_vision_transformer_forgets():
    torch.manual_seed(0)
    nets = (
        ResNetForImageClassification(
            ResNetConfig(embedding_size=8, hidden_sizes=[8, 8], depths=[1, 1], num_labels=3)
        ),
        ViTForImageClassification(
            ViTConfig(
                hidden_size=32,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=64,
                image_size=32,
                patch_size=8,
                num_labels=3,
            )
        ),
    )
    for net in nets:
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.add_(0.01 * torch.randn_like(parameter))  # as if it were trained
        model = BlackBox(net)
        assert Randomisation().names(model)[0].startswith("classifier")
        before, (*_, after) = net.state_dict(), states(model, Randomisation()).values()
        assert {key for key, _ in net.named_parameters() if torch.equal(before[key], after[key])} == set()
        (_, made), *_ = Randomisation(layers=("",)).copies(model)
        images = torch.rand(2, 3, 32, 32)
        assert not torch.allclose(made.logits(images), model.logits(images))


def test_neither_the_network_nor_the_random_numbers_of_others_are_touched():
    net = network()
    net[0][0].train(mode=False)
    net[4].weight.grad = torch.ones(8, 8)
    modes = [module.training for module in net.modules()]
    before = {key: value.clone() for key, value in net.state_dict().items()}
    state = torch.get_rng_state()
    for _, made in Randomisation().copies(BlackBox(net)):
        assert [module.training for module in made.net.modules()] == modes
        assert not any(parameter.requires_grad for parameter in made.net.parameters())
        made.logits(torch.rand(1, 3, 16, 16, generator=torch.Generator()))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert [module.training for module in net.modules()] == modes
    assert torch.equal(net[4].weight.grad, torch.ones(8, 8))


def test_a_replica_is_asked_as_its_model_is():
    model = load_demo().model
    made = replica(model)
    images = torch.rand(2, 3, 64, 64)
    assert torch.equal(made.logits(images), model.logits(images))
    assert made.net is not model.net
    assert (made.class_names, made.input_size, made.preprocess) == (
        model.class_names,
        model.input_size,
        model.preprocess,
    )


def test_what_torch_compiled_is_randomised_as_it_was_before():
    compiled = torch.compile(network(), backend="eager")
    assert list(states(BlackBox(compiled), Randomisation(layers=("4",)))) == ["4"]


class Uncopied(nn.Linear):
    def __deepcopy__(self, memo):
        raise RuntimeError("one of a kind")


class Undrawn(nn.Linear):
    ready = False

    def reset_parameters(self):
        if self.ready:
            raise RuntimeError("drawn once")
        super().reset_parameters()
        self.ready = True


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (Uncopied(2, 2), "net: no copy of it can be made, and your own network is never randomised"),
        (nn.Sequential(Undrawn(2, 2)), "net: reset_parameters of '0' raised RuntimeError: drawn once"),
        (nn.Flatten(), "net: has neither parameters nor running statistics"),
        (torch.sigmoid, "net: a plain callable has no layers"),
    ],
)
def test_networks_that_cannot_be_randomised_say_why(net, message):
    with pytest.raises(ModelError, match=re.escape(message)):
        states(BlackBox(net), Randomisation())


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (("4", "1.2"), "layers[1]: '1.2' has learned nothing that could be randomised; accepted are 4, 3,"),
        (("0.3",), "layers[0]: '0.3' is no module of net; did you mean '0."),
        (("fc",), "layers[0]: 'fc' is no module of net; accepted are 4, 3, 1.1, 1.0, 0.1, 0.0 and"),
    ],
)
def test_layers_that_do_not_fit_are_named(layers, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Randomisation(layers=layers).names(BlackBox(network()))


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (
            {"order": "top_down"},
            ValueError,
            "order: found 'top_down'; accepted are cascading",
        ),
        ({"layers": ()}, ValueError, "layers: found none;"),
        ({"layers": "fc"}, TypeError, "layers: found 'fc'; accepted are None and a sequence of names"),
        ({"seed": -1}, ValueError, "seed: found -1; accepted is an integer of at least 0"),
    ],
)
def test_settings_that_do_not_fit_are_named(settings, error, message):
    with pytest.raises(error, match=re.escape(message)):
        Randomisation(**settings)
