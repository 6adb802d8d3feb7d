"""Targets: one contract over all of them, closed forms, and what is refused."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wcam_widget.model import Custom, Logit, Margin, Probability, ensure_target
from wcam_widget.model.head import Head

NAMES = ("cat", "dog", "red fox")
ALL = [
    Logit(1),
    Probability("dog"),
    Margin("cat"),
    Margin("cat", other="red fox"),
    Custom(lambda logits: logits.square().sum(dim=1), "energy"),
]


@pytest.mark.parametrize("target", ALL, ids=lambda target: target.label(NAMES))
def test_contract_one_differentiable_score_per_row_that_depends_on_its_row_only(target):
    logits = torch.randn(5, 3, generator=torch.Generator().manual_seed(1)).requires_grad_()
    resolved = ensure_target(target, logits[0], NAMES)
    scores = resolved(logits)
    assert scores.shape == (5,)
    alone = torch.cat([resolved(row[None]) for row in logits])
    torch.testing.assert_close(scores, alone)
    (slope,) = torch.autograd.grad(scores[2], logits)
    assert float(slope[2].abs().sum()) > 0
    slope[2] = 0
    assert float(slope.abs().sum()) == 0
    assert ensure_target(resolved, logits[0], NAMES) == resolved
    assert resolved.unit


@given(st.lists(st.floats(-20, 20, width=32), min_size=2, max_size=6), st.data())
def test_closed_forms(row, data):
    wanted = data.draw(st.integers(0, len(row) - 1))
    logits = torch.tensor([row])
    others = row[:wanted] + row[wanted + 1 :]
    exact = np.array(row, dtype=np.float64)
    softmax = np.exp(exact - exact.max())
    assert float(Logit(wanted)(logits)) == pytest.approx(row[wanted])
    assert float(Probability(wanted)(logits)) == pytest.approx(
        softmax[wanted] / softmax.sum(), rel=1e-4, abs=1e-7
    )
    assert float(Margin(wanted)(logits)) == pytest.approx(row[wanted] - max(others), abs=1e-4)


def test_a_single_score_has_a_probability_under_a_sigmoid_alone_and_no_margin():
    single = torch.tensor([[0.7]])
    label = ensure_target(Probability(0), single[0], None, Head("sigmoid"))
    assert float(label(single)) == pytest.approx(1 / (1 + np.exp(-0.7)))
    for head in (Head("softmax"), Head("none")):
        with pytest.raises(ValueError, match="target: the model gives scores and no probabilities"):
            ensure_target(Probability(0), single[0], None, head)
    with pytest.raises(ValueError, match="target: Margin needs at least two classes"):
        ensure_target(Margin(0), single[0], None)


def test_none_is_the_best_class_and_ids_of_any_integer_kind_are_taken():
    logits = torch.tensor([0.1, 0.9, 0.2])
    assert ensure_target(None, logits, None) == Logit(1)
    for two in (2, np.int64(2), torch.tensor(2), Logit(np.int32(2)), "red fox"):
        assert ensure_target(two, logits, NAMES) == Logit(2)


def test_labels_use_names_where_there_are_any():
    assert Logit(2).label(NAMES) == "logit of red fox"
    assert Probability(2).label(None) == "probability of class 2"
    assert Margin(0).label(NAMES) == "margin of cat over the best other class"
    assert Margin("cat", 1).label(NAMES) == "margin of cat over dog"


BAD = {
    "too large": (3, ValueError, "target: class id 3 is out of range; net has classes 0 to 2"),
    "negative": (Probability(-1), ValueError, "target: class id -1 is out of range"),
    "other": (Margin(0, other=7), ValueError, "target: class id 7 is out of range"),
    "itself": (Margin("dog", other=1), ValueError, "target: Margin compares class 1 with itself"),
    "misspelt": (
        Logit("red fix"),
        ValueError,
        "target: 'red fix' is not a class name; did you mean 'red fox'?",
    ),
    "unknown": (
        "<b>zebra</b>",
        ValueError,
        "target: '<b>zebra</b>' is not a class name; the model has 3 classes",
    ),
    "float": (1.0, TypeError, "target: found float; accepted are None, a class id"),
    "bool": (True, TypeError, "target: found bool; accepted"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_targets(case):
    target, error, message = BAD[case]
    with pytest.raises(error, match=re.escape(message)):
        ensure_target(target, torch.zeros(3), NAMES)


def test_names_need_names_and_ambiguous_ones_are_refused():
    with pytest.raises(ValueError, match="target: 'cat' is a class name, but the model has none"):
        ensure_target("cat", torch.zeros(2), None)
    with pytest.raises(ValueError, match=re.escape("target: 'crane' is the name of classes [0, 2]")):
        ensure_target("crane", torch.zeros(3), ("crane", "heron", "crane"))
    with pytest.raises(ValueError, match="target: 'cat' has no class id yet"):
        Logit("cat")(torch.zeros(1, 2))


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (lambda logits: 1.0, TypeError, "target: Custom function 'mine' returned float"),
        (
            lambda logits: logits,
            ValueError,
            "returned shape (4, 3) for class scores of shape (4, 3); accepted is (4,)",
        ),
        (
            lambda logits: logits[:, 0] / 0,
            ValueError,
            "target: Custom function 'mine' returned NaN or infinite",
        ),
    ],
)
def test_custom_functions_are_checked(function, error, message):
    with pytest.raises(error, match=re.escape(message)):
        Custom(function, "mine")(torch.ones(4, 3))


def test_log_odds_are_those_of_the_probability_and_keep_their_gradient():
    log_odds = Head().log_odds
    logits = torch.randn(5, 4, generator=torch.Generator().manual_seed(8), dtype=torch.float64)
    classes = torch.tensor([0, 3, 1, 2, 2])
    shares = logits.softmax(1)[torch.arange(5), classes]
    torch.testing.assert_close(log_odds(logits, classes), torch.log(shares / (1 - shares)))
    certain = torch.tensor([[200.0, 0.0, 0.0]], requires_grad=True)
    log_odds(certain, torch.tensor([0])).backward()
    torch.testing.assert_close(certain.grad, torch.tensor([[1.0, -0.5, -0.5]]))
    shares = logits.sigmoid()[torch.arange(5), classes]
    torch.testing.assert_close(Head("sigmoid").log_odds(logits, classes), torch.log(shares / (1 - shares)))
