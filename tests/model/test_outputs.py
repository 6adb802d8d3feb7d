"""What networks answer with."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from transformers.modeling_outputs import ImageClassifierOutput

from wcam_widget.model import ModelError
from wcam_widget.model.outputs import ensure_finite, read_scores

SCORES = torch.arange(6.0).reshape(2, 3)
READABLE = {
    "tensor": SCORES,
    "array": SCORES.numpy(),
    "tuple": (SCORES, torch.zeros(2, 8)),
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
    "two tensors": ({"a": SCORES, "b": SCORES}, "keys ['a', 'b'], no 'logits' and 2 tensors"),
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
