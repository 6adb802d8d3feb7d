"""What a model says of an image once it is corrupted."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from wcam_widget.evaluate.failures import SOME, STANDARD
from wcam_widget.explain import AbstractMethod
from wcam_widget.model import BlackBox
from wcam_widget.stress import corrupt
from wcam_widget.stress.corruptions.corrupt import ensure_corruption, ensure_several, ensure_severity
from wcam_widget.study.row import Row
from wcam_widget.study.tasks.profile import shares


def ensure_versions(*, names: Any = STANDARD, severities: Any = SOME, **_: Any) -> None:
    """Raise ValueError or TypeError naming a corruption or a severity that is not valid."""
    ensure_several(names, "names", ensure_corruption)
    ensure_several(severities, "severities", ensure_severity)


def corruptions(  # noqa: PLR0913 options by name
    model: BlackBox,
    image: Float[Tensor, "c h w"],
    label: int | None,
    *,
    names: Sequence[str] = STANDARD,
    severities: Sequence[int] = SOME,
    seed: int = 0,
    method: AbstractMethod | None = None,
) -> Row:
    """Whether the model is still right, or of the same mind, after each corruption at each severity.

    Args:
        model: The model.
        image: (C, H, W) in [0, 1], sides of at least 16.
        label: The class of the image, if it has one.
        names: Of ``CORRUPTIONS``, the 15 of the benchmark by default.
        severities: 1, the least, to 5.
        seed: Of the random numbers, at least 0; those of an image depend on this and on its pixels alone.
        method: Explains the clean answer in the clean image and, by the same masks, in each corrupted one;
            None: not measured, as it takes many times longer.

    Returns:
        For "fog" at 3: ``fog.3.probability`` of the label, or of the clean image's top class without one;
        ``fog.3.correct`` where there is a label; ``fog.3.same``, whether the top class is the clean one. With
        a method also ``fog.3.change.scale.1``, the Shapley effect of the finest level less the clean one,
        and likewise ``change.scale.A`` and ``change.orientation.HL``.

    Raises:
        ValueError: Naming what does not fit.
    """
    clean = int(model.logits(image[None])[0].argmax())
    wanted, number = clean if label is None else label, zlib.crc32(image.numpy().tobytes())
    row: Row = {}
    before = {} if method is None else shares(method.last(model, image, clean).profile())
    for name in names:
        versions = torch.cat([corrupt(image[None], name, each, seed, number) for each in severities])
        logits = model.logits(versions)
        tops, left = logits.argmax(dim=1).tolist(), model.probabilities(logits)[:, wanted].tolist()
        for severity, top, share in zip(severities, tops, left, strict=True):
            row[f"{name}.{severity}.probability"] = share
            row[f"{name}.{severity}.same"] = top == clean
            if label is not None:
                row[f"{name}.{severity}.correct"] = top == label
        if method is not None:
            for severity, version in zip(severities, versions, strict=True):
                after = shares(method.last(model, version, clean).profile())
                row |= {f"{name}.{severity}.change.{part}": after[part] - before[part] for part in before}
    return row
