"""What class scores mean: softmax, independent labels, scores that are no probabilities."""

import re

import numpy as np
import pytest
import torch
from torch import nn

import wcam_widget as wcam
from wcam_widget.model import BlackBox, Logit, Margin, ModelError, Probability
from wcam_widget.show.explorer.questions import Inquiry
from wcam_widget.show.selection import Question
from wcam_widget.stress import Threat, fgsm, pgd

IMAGES = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def labels_net(scale=5.2):
    """Two independent labels, both at sigmoid(5.2) = .9945 on white."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2, bias=False))
    with torch.no_grad():
        net[2].weight.fill_(scale / 3)
    return net


def single(images):
    return images.mean((1, 2, 3)) * 40.0


def halved(logits):
    return (logits / 2).softmax(1)


def test_probabilities_are_those_of_the_activation():
    logits = torch.tensor([[1.0, 2.0, -1.0]])
    kinds = {
        "softmax": logits.softmax(1),
        "sigmoid": logits.sigmoid(),
        "none": logits,
        halved: (logits / 2).softmax(1),
    }
    for activation, expected in kinds.items():
        model = BlackBox(lambda images: logits.expand(len(images), -1), activation=activation)
        torch.testing.assert_close(model.probabilities(logits), expected)
        torch.testing.assert_close(model(IMAGES), expected.expand(3, -1))
        if activation != "none":
            torch.testing.assert_close(model.scores(IMAGES, Probability(1)), expected[0, 1].expand(3))


UNITS = {
    ("softmax", 3): "probability, softmax",
    ("sigmoid", 3): "probability, sigmoid, per label",
    ("sigmoid", 1): "probability, sigmoid",
    ("none", 3): "score",
    ("softmax", 1): "score",
    ("none", 1): "score",
    (halved, 3): "probability, halved",
}


@pytest.mark.parametrize("case", UNITS)
def test_the_unit_says_the_activation(case):
    activation, classes = case
    model = BlackBox(lambda images: images.mean((2, 3))[:, :classes], activation=activation)
    model.logits(IMAGES)
    assert model.unit == UNITS[case]


def test_two_labels_are_not_shared_out_between_them():
    white = torch.ones(1, 3, 8, 8)
    model = BlackBox(labels_net(), activation="sigmoid", class_names=("cat", "dog"))
    np.testing.assert_allclose(model(white), 0.9945, atol=1e-4)
    probe = wcam.Wcam(levels=1, grid=2).probe(model, white[0], "cat")
    (answer,) = Inquiry(probe).answer([Question((), "keep")])
    assert answer["unit"] == "probability, sigmoid, per label"
    assert [one["original"] for one in answer["classes"]] == pytest.approx([0.9945] * 2, abs=1e-4)
    maps = [np.arange(64.0).reshape(8, 8)]
    curve = wcam.deletion(model, white, maps, ["cat"], "pixels", steps=2).curves[0]
    assert curve[0] == pytest.approx(0.9945, abs=1e-4)


@pytest.mark.parametrize("activation", ["softmax", "none"])
def test_one_output_without_a_sigmoid_is_a_score_never_a_logit_of_class_0(activation):
    model = BlackBox(single, activation=activation)
    (attribution,) = wcam.Wcam(wcam.Sobol(rows=4), levels=1, grid=2)(model, IMAGES[:1])
    assert attribution.target == "score"
    assert model.target(0, torch.zeros(1)).unit == "score"
    torch.testing.assert_close(model(IMAGES)[:, 0], single(IMAGES))
    with pytest.raises(ValueError, match="target: the model gives scores and no probabilities"):
        model.scores(IMAGES, Probability(0))
    named = BlackBox(single, activation=activation, class_names=("price",))
    assert named.target(None, torch.zeros(1)).label(named.class_names) == "score of price"


def test_one_output_with_a_sigmoid_is_the_probability_of_the_label():
    model = BlackBox(single, activation="sigmoid", class_names=("cat",))
    torch.testing.assert_close(model(IMAGES)[:, 0], single(IMAGES).sigmoid())
    found = model.target(Probability("cat"), torch.zeros(1))
    assert found.label(model.class_names) == "probability of cat"
    assert (
        BlackBox(single, activation="sigmoid").target(Probability(0), torch.zeros(1)).label(None)
        == "probability"
    )


def test_words_of_scores_that_are_no_probabilities():
    model = BlackBox(lambda images: images.mean((2, 3)), activation="none")
    logits = model.logits(IMAGES)[0]
    assert model.target(1, logits).label(None) == "score of class 1"
    assert model.target(Margin(1), logits).unit == "score difference"
    assert BlackBox(model.net).target(Margin(1), logits).unit == "logit difference"
    assert BlackBox(model.net, activation=halved).target(Margin(1), logits).unit == "probability difference"


def test_a_margin_under_a_function_is_of_its_probabilities():
    def reversed_order(logits):
        return (-logits).softmax(1)

    logits = torch.tensor([[0.0, 2.0, 1.0]])
    model = BlackBox(lambda images: logits, activation=reversed_order)
    shares = reversed_order(logits)[0]
    assert float(model.target(Margin(0), logits[0])(logits)) == pytest.approx(float(shares[0] - shares[2]))


def test_deletion_of_a_regression_is_of_its_score():
    maps = [np.arange(64.0).reshape(8, 8)]
    measured = wcam.deletion(BlackBox(single), IMAGES[:1], maps, domain="pixels", steps=2)
    assert measured.curves[0, 0] == pytest.approx(float(single(IMAGES[:1])), rel=1e-5)


@pytest.mark.parametrize("attack_of", [fgsm, pgd])
def test_an_attack_on_labels_lowers_its_own_label_and_no_other(attack_of):
    net = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2, bias=False))
    with torch.no_grad():
        net[2].weight.copy_(torch.tensor([[9.0, 0.0, 0.0], [0.0, 9.0, 0.0]]))
    grey = torch.full((1, 3, 8, 8), 0.5)
    attack = attack_of(BlackBox(net, activation="sigmoid"), grey, [0], 0.1)
    torch.testing.assert_close(attack.images[:, 0], grey[:, 0] - 0.1)  # red, which label 0 is read from
    torch.testing.assert_close(attack.images[:, 1:], grey[:, 1:])  # what only label 1 is read from
    assert attack.scores_before[0] == pytest.approx(1 / (1 + np.exp(-4.5)))
    assert not attack.fooled[0]  # the label is still likelier than not, though another is likelier
    assert attack.classes_after[0] == 1


def test_an_attack_on_a_single_label_is_possible_and_on_scores_is_refused():
    net = nn.Sequential(nn.Flatten(), nn.Linear(192, 1))
    attack = fgsm(BlackBox(net, activation="sigmoid"), IMAGES, [0] * 3, 0.05)
    assert (attack.scores_after < attack.scores_before).all()
    for activation in ("softmax", "none"):
        with pytest.raises(ValueError, match="model: found a single score per image"):
            fgsm(BlackBox(net, activation=activation), IMAGES)
    with pytest.raises(ValueError, match="model: found scores that are no probabilities"):
        pgd(BlackBox(labels_net(), activation="none"), IMAGES, threat=Threat("l2"))


def test_sise_explains_the_probability_of_the_activation():
    net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    image, layer = IMAGES[:1], ["0"]
    (of_labels,) = wcam.Sise(layer)(BlackBox(net, activation="sigmoid"), image, [1])
    assert of_labels.target == "probability of class 1"
    assert of_labels.score == pytest.approx(float(BlackBox(net).logits(image)[0, 1].sigmoid()), abs=1e-6)
    (of_scores,) = wcam.Sise(layer)(BlackBox(net, activation="none"), image, [1])
    assert of_scores.target == "score of class 1"
    assert of_scores.score == pytest.approx(float(BlackBox(net).logits(image)[0, 1]), abs=1e-6)


BAD_ACTIVATIONS = {
    "unknown": ("relu", ValueError, "activation: found 'relu'; accepted are softmax, sigmoid, none"),
    "number": (3, TypeError, "activation: found int"),
    "range": (lambda logits: logits - 1, ModelError, "activation: returned values in [-"),
    "shape": (lambda logits: logits[:, 0], ModelError, "activation: returned shape (3,)"),
    "no tensor": (lambda logits: None, ModelError, "activation: returned NoneType"),
}


@pytest.mark.parametrize("case", BAD_ACTIVATIONS)
def test_a_wrong_activation_is_named(case):
    activation, error, message = BAD_ACTIVATIONS[case]
    with pytest.raises(error, match=re.escape(message)):
        BlackBox(lambda images: images.mean((2, 3)), activation=activation)(IMAGES)


def test_a_black_box_is_asked_like_a_function_and_is_not_wrapped_twice():
    model = BlackBox(lambda images: images.mean((2, 3)), class_names=("red", "green", "blue"))
    assert torch.equal(model(IMAGES[0]), model(IMAGES[:1]))
    torch.testing.assert_close(model(IMAGES).sum(1), torch.ones(3))
    names, shares = zip(*model.top(IMAGES[0], 2), strict=True)
    assert names == tuple(np.array(model.class_names)[model(IMAGES)[0].argsort(descending=True)[:2]])
    assert shares[0] >= shares[1]
    assert BlackBox.ensure(model) is model
    with pytest.raises(TypeError, match="net: found a BlackBox"):
        BlackBox(model)
    with pytest.raises(ValueError, match="images: found"):
        model(IMAGES + 3)


def test_a_resolved_target_keeps_the_activation_of_its_model():
    logits = torch.tensor([[2.0, 2.0]])
    model = BlackBox(labels_net(), activation="sigmoid")
    found = model.target(Logit(0), logits[0]).as_probability()
    assert float(found(logits)) == pytest.approx(1 / (1 + np.exp(-2.0)))
    assert found == Probability(0)
