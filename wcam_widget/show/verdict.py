"""What becomes of a decision when part of the image is taken away, in a few words."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from wcam_widget.model.head import SIGMOID, Head
from wcam_widget.show.words import format_score, probability

LIKELY = 0.5  # the probability from which a label counts as given


def verdict(
    labels: Sequence[str], head: Head, before: Float[Tensor, " k"], after: Float[Tensor, " k"]
) -> str:
    """Whether the class with the highest score is still the highest, with the scores that say so.

    Of labels that are there or not each by itself, whether the highest is still given.

    Args:
        labels: the classes' names.
        head: what their scores mean.
        before: probabilities of the image, or scores where the model gives none.
        after: those of the reconstruction.

    >>> import torch
    >>> cats = ["Egyptian cat", "lynx"]
    >>> verdict(cats, Head(classes=2), torch.tensor([0.39, 0.1]), torch.tensor([0.31, 0.1]))
    'still Egyptian cat (.39 to .31)'
    >>> verdict(cats, Head(classes=2), torch.tensor([0.39, 0.1]), torch.tensor([0.12, 0.42]))
    'now lynx (.42; Egyptian cat .39 to .12)'
    """
    number = probability if head.bounded else format_score
    first, now = int(before.argmax()), int(after.argmax())
    change = f"{number(float(before[first]))} to {number(float(after[first]))}"
    if head.activation == SIGMOID and head.bounded:
        if float(before[first]) < LIKELY:
            return f"{labels[first]} {change}"
        given = float(after[first]) >= LIKELY
        return f"still {labels[first]} ({change})" if given else f"no longer {labels[first]} ({change})"
    if len(labels) == 1:
        return f"{labels[0]} {change}"
    if now == first:
        return f"still {labels[first]} ({change})"
    return f"now {labels[now]} ({number(float(after[now]))}; {labels[first]} {change})"
