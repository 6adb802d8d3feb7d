"""How much each scale and orientation matters to a decision."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from jaxtyping import Float
from torch import Tensor

from wcam_widget.explain import AbstractMethod, Wcam
from wcam_widget.explain.profile import Profile
from wcam_widget.model import BlackBox
from wcam_widget.sensitivity import Derivative, Sobol
from wcam_widget.study.row import Row

ROWS = 16


def profile(
    model: BlackBox,
    image: Float[Tensor, "c h w"],
    label: int | None,
    *,
    method: AbstractMethod | None = None,
    of_label: bool = False,
    maps: bool = False,
) -> Row:
    """The indices of the bands, and their Shapley effects added up over scales and orientations.

    Args:
        model: The model.
        image: (C, H, W) in [0, 1].
        label: The class of the image, if it has one.
        method: None for ``Wcam(Derivative(rows=16))``, and ``Wcam(Sobol(rows=16))`` where the model has no
            gradients. All images have the same random rows, so that the value of an image does not depend on
            which others there are.
        of_label: Explain the class of the label and not the top class.
        maps: Whether the map over the pixels is kept, too.

    Returns:
        For each band "HL1": ``HL1.total`` with ``.low`` and ``.high``, its interval, and ``HL1.shapley``;
        ``scale.1``, 1 the finest, and ``scale.A`` for the approximation; ``orientation.HL``; ``score``.

    Raises:
        ValueError: Where ``of_label`` finds no label.
    """
    if of_label and label is None:
        raise ValueError("of_label: the image has no label")
    chosen = method or default_method(model)
    attribution = chosen.last(model, image, label if of_label else None)
    bands = attribution.profile()
    row: Row = {"target": attribution.target, "score": attribution.score, "evaluations": attribution.done}
    for number, name in enumerate(bands.names):
        for kind in ("total", "low", "high", "shapley"):
            row[f"{name}.{kind}" if kind in ("total", "shapley") else f"{name}.total.{kind}"] = float(
                getattr(bands, kind)[number]
            )
    row |= shares(bands)
    if maps:
        row["map"] = attribution.spatial().astype(np.float32)
    return row


def default_method(model: BlackBox) -> Wcam:
    """What a study explains by where it is not told.

    Args:
        model: The model that is explained.
    """
    return Wcam(Derivative(rows=ROWS) if model.differentiable else Sobol(rows=ROWS))


def shares(bands: Profile) -> dict[str, float]:
    """The Shapley effects of bands, added up over scales and over orientations.

    Args:
        bands: Of one map.
    """
    sums: dict[str, float] = defaultdict(float)
    for level, orientation, share in zip(
        bands.levels, bands.orientations, bands.shapley.tolist(), strict=True
    ):
        sums[f"scale.{'A' if orientation == 'A' else level}"] += share
        sums[f"orientation.{orientation}"] += share
    return dict(sums)
