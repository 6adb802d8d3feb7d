"""What a model says of an image, and whether it is right."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from wcam_widget.model import BlackBox
from wcam_widget.study.row import Row


def prediction(model: BlackBox, image: Float[Tensor, "c h w"], label: int | None) -> Row:
    """The top class with its probability and its margin; with a label, whether it is right, and at what rank.

    >>> from torch import rand
    >>> row = prediction(BlackBox(lambda images: images.mean((2, 3))), rand(3, 4, 4), 1)
    >>> sorted(row)
    ['class', 'correct', 'label_probability', 'margin', 'name', 'probability', 'rank']
    """
    logits = model.logits(image[None])
    scores, shares = logits[0], model.probabilities(logits)[0]
    top = int(shares.argmax())
    best = scores.topk(min(2, len(scores))).values
    row: Row = {
        "class": top,
        "name": model.class_names[top] if model.class_names else str(top),
        "probability": float(shares[top]),
        "margin": float(best[0] - best[-1]),
    }
    if label is not None:
        row["correct"] = top == label
        row["rank"] = 1 + int((shares > shares[label]).sum())
        row["label_probability"] = float(shares[label])
    return row
