"""What networks answer with."""

import re
from dataclasses import dataclass
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest
import torch
from transformers.modeling_outputs import ImageClassifierOutput

from wcam_widget import Hsic, Sobol, Wcam
from wcam_widget.model import BlackBox, ModelError
from wcam_widget.model.outputs import Reader, ensure_finite, read_scores

SCORES = torch.arange(6.0).reshape(2, 3)


@dataclass
class Parts:
    scores: torch.Tensor
    tokens: torch.Tensor


class Inception(NamedTuple):
    logits: torch.Tensor
    aux_logits: torch.Tensor


class Two(NamedTuple):
    f: torch.Tensor
    s: torch.Tensor


@dataclass
class Twins:
    features: torch.Tensor
    scores: torch.Tensor


READABLE = {
    "tensor": SCORES,
    "array": SCORES.numpy(),
    "tuple with feature maps": (SCORES, torch.zeros(2, 8, 4, 4), torch.tensor(0.5)),
    "tuple with chosen classes": (torch.tensor([0, 1]), SCORES),
    "the same twice": (SCORES, SCORES),
    "nested": {"loss": None, "out": [torch.zeros(2, 8, 4, 4), (SCORES,)]},
    "nested logits": {"features": torch.zeros(2, 16), "head": {"logits": SCORES}},
    "dataclass": Parts(SCORES, torch.zeros(2, 5, 8)),
    "inception": Inception(SCORES, torch.zeros(2, 3)),
    "list with a note first": ["note", SCORES],
    "logits of a dict": {"hidden": torch.zeros(2, 8), "logits": SCORES},
    "the only tensor of a dict": {"probabilities": SCORES, "loss": None},
    "an object with logits": SimpleNamespace(logits=SCORES),
    "transformers": ImageClassifierOutput(logits=SCORES, hidden_states=(torch.zeros(2, 8),)),
}


@pytest.mark.parametrize("kind", READABLE)
def test_scores_are_found_in_every_kind_of_answer(kind):
    assert torch.equal(read_scores(READABLE[kind], 2), SCORES)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.int64])
def test_scores_are_float32_and_one_score_per_image_becomes_a_column(dtype):
    column = read_scores(torch.tensor([1, 2], dtype=dtype), 2)
    assert column.dtype == torch.float32
    assert column.tolist() == [[1.0], [2.0]]


def test_the_gradient_path_is_kept():
    weight = torch.ones(2, 3, requires_grad=True)
    assert read_scores({"logits": weight * 2}, 2).requires_grad


def with_rows(count, **rows):
    scores = torch.zeros(count, 2)
    for row, value in rows.items():
        scores[int(row[1:]), 1] = value
    return scores


UNREADABLE = {
    "text": ("cat", "net: returned str without scores"),
    "nothing": (None, "net: returned NoneType without scores"),
    "empty tuple": ((), "net: returned tuple without scores"),
    "meta": (torch.zeros(2, 3, device="meta"), "net: returned scores on the meta device"),
    "words": (np.array(["a", "b"]), "net: returned an array of dtype <U1"),
    "feature map": (torch.zeros(2, 3, 4, 4), "net: returned scores of shape (2, 3, 4, 4) for 2 images"),
    "scalar": (torch.tensor(1.0), "net: returned scores of shape () for 2 images"),
    "no classes": (torch.zeros(2, 0), "net: returned scores of shape (2, 0) for 2 images"),
    "rows": (torch.zeros(5, 3), "net: returned 5 rows of scores for 2 images"),
    "complex": (torch.zeros(2, 3, dtype=torch.complex64), "net: returned complex scores"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_unreadable_answers_name_net_and_what_was_found(case):
    output, message = UNREADABLE[case]
    with pytest.raises(ModelError, match=re.escape(message)):
        read_scores(output, 2)


def test_images_without_a_finite_score_are_listed():
    with pytest.raises(
        ModelError, match=re.escape("net: returned NaN scores for 2 of 6 images of a batch (images 1, 4)")
    ):
        ensure_finite(with_rows(6, r1=torch.nan, r4=torch.inf))
    with pytest.raises(
        ModelError,
        match=re.escape("infinite scores for 7 of 9 images of a batch (images 20, 21, 22, 23, 24, …)"),
    ):
        ensure_finite(with_rows(9, **{f"r{row}": -torch.inf for row in range(7)}), first=20)


FEATURES = torch.zeros(2, 16)
SEVERAL = {
    "tuple": ((FEATURES, SCORES), "returned tuple", "[0] (2, 16), [1] (2, 3)", "output=1)"),
    "list": ([SCORES, FEATURES], "returned list", "[0] (2, 3), [1] (2, 16)", "output=1)"),
    "mapping": ({"f": FEATURES, "s": SCORES}, "returned dict", "['f'] (2, 16), ['s'] (2, 3)", "output='s')"),
    "dataclass": (Twins(FEATURES, SCORES), "Twins", ".features (2, 16), .scores (2, 3)", "output='scores')"),
    "nested": (
        {"a": [FEATURES, SCORES]},
        "returned dict",
        "['a'][0] (2, 16), ['a'][1] (2, 3)",
        "output=lambda answer: answer['a'][1])",
    ),
    "arrays": ((FEATURES.numpy(), SCORES.numpy()), "tuple", "[0] (2, 16), [1] (2, 3)", "output=1)"),
    "auxiliary logits": ((SCORES, SCORES + 1), "tuple", "[0] (2, 3), [1] (2, 3)", "output=1)"),
    "features of the same shape": ((SCORES, SCORES * 2), "tuple", "[0] (2, 3), [1] (2, 3)", "output=1)"),
    "a score per image beside": ((SCORES, SCORES[:, 0]), "tuple", "[0] (2, 3), [1] (2,)", "output=1)"),
    "two heads with logits": (
        {"a": {"logits": SCORES}, "b": {"logits": SCORES + 1}},
        "dict",
        "['a']['logits'] (2, 3), ['b']['logits'] (2, 3)",
        "output=lambda answer: answer['b']['logits'])",
    ),
}


@pytest.mark.parametrize("kind", SEVERAL)
def test_more_than_one_tensor_that_may_be_the_scores_is_refused_with_shapes_and_a_way_to_choose(kind):
    output, *messages = SEVERAL[kind]
    with pytest.raises(ModelError) as error:
        read_scores(output, 2)
    for message in ["net: returned", *messages]:
        assert message in str(error.value)


CHOSEN = {
    "index": ((FEATURES, SCORES), 1),
    "index from the end": ([FEATURES, SCORES], -1),
    "key": ({"f": FEATURES, "s": SCORES}, "s"),
    "number as a key": ({1: FEATURES, 2: SCORES}, 2),
    "attribute": (Twins(FEATURES, SCORES), "scores"),
    "name of a tuple": (Two(FEATURES, SCORES), "s"),
    "attribute of an object": (SimpleNamespace(f=FEATURES, s=SCORES), "s"),
    "not the logits": ({"logits": FEATURES, "s": SCORES}, "s"),
    "function": ({"a": [FEATURES, SCORES]}, lambda answer: answer["a"][1]),
    "container with one": ({"a": FEATURES, "b": (SCORES, torch.zeros(2, 3, 4))}, "b"),
}


@pytest.mark.parametrize("kind", CHOSEN)
def test_output_chooses_among_several_tensors(kind):
    answer, choice = CHOSEN[kind]
    assert torch.equal(BlackBox(lambda images: answer, output=choice).logits(torch.zeros(2, 3, 4, 4)), SCORES)


WRONG_CHOICES = {
    "index": (
        (FEATURES, SCORES),
        2,
        "output: 2 is not in what net returned, tuple with [0] (2, 16)",
    ),
    "key": ({"f": FEATURES}, "s", "output: 's' is not in what net returned, dict with ['f'] (2, 16)"),
    "tensor": (SCORES, 1, "output: found 1, but net returned a single tensor of shape (2, 3)"),
    "function": ((SCORES,), lambda answer: answer.scores, "output: raised AttributeError"),
    "text": ({"note": "cat", "s": SCORES}, "note", "net: returned str without scores"),
}


@pytest.mark.parametrize("kind", WRONG_CHOICES)
def test_a_choice_that_is_not_there_is_named(kind):
    answer, choice, message = WRONG_CHOICES[kind]
    with pytest.raises(ModelError, match=re.escape(message)):
        BlackBox(lambda images: answer, output=choice).logits(torch.zeros(2, 3, 4, 4))


@pytest.mark.parametrize("output", [1.5, True, [1]])
def test_output_of_another_type_is_refused(output):
    with pytest.raises(TypeError, match="output: found"):
        BlackBox(lambda images: images, output=output)


LATER = {
    "classes": (torch.zeros(2, 4), "float scores (n, 4) on cpu, but float scores (n, 3) on cpu before"),
    "rank": (torch.zeros(2), "float scores (n,) on cpu, but float scores (n, 3)"),
    "integers": (SCORES.long(), "integer scores (n, 3) on cpu, but float scores"),
    "truth values": (SCORES > 1, "bool scores (n, 3) on cpu, but float scores"),
    "complex": (SCORES.to(torch.complex64), "net: returned complex scores"),
    "device": (SCORES.to("meta"), "net: returned scores on the meta device"),
}


@pytest.mark.parametrize("kind", LATER)
def test_an_answer_unlike_the_first_is_refused_at_once(kind):
    later, message = LATER[kind]
    reader = Reader()
    for dtype in (torch.float32, torch.float16, torch.float64):
        reader.read(SCORES.to(dtype), 2)
    with pytest.raises(ModelError, match=re.escape(message)):
        reader.read(later, 2)


@pytest.mark.parametrize("analysis", [Sobol(rows=4), Hsic(rows=64)])
def test_a_run_ends_at_the_first_batch_that_answers_otherwise(analysis):
    batches = []

    def net(images):
        batches.append(len(images))
        return images.mean((2, 3)) if len(batches) < 4 else images.mean((2, 3))[:, :2]

    with pytest.raises(ModelError, match=re.escape("net: returned float scores (n, 2)")):
        Wcam(analysis, levels=1, grid=2)(BlackBox(net, batch_size=4), torch.rand(1, 3, 8, 8))
    assert len(batches) == 4
