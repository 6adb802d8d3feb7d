"""What zooming in does to a score, and at which scales."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float
from torch import Tensor

from wcam_widget.evaluate.zoom import BoxLike, FactorsLike, ensure_factors, ensure_method, zoom
from wcam_widget.evaluate.zoomed_levels import EXPLAINED, VIEWS, LevelRow
from wcam_widget.explain import Wcam
from wcam_widget.model import BlackBox
from wcam_widget.study.row import Row
from wcam_widget.study.tasks.profile import default_method

STEPS = ("gain", "background", "larger", "detail")


def ensure_zoom(*, factors: Any = (1,), method: Any = None, **_: Any) -> None:
    """Raise ValueError or TypeError naming an option that is not valid."""
    ensure_factors(factors)
    ensure_method(method)


def zoom_row(
    model: BlackBox,
    image: Float[Tensor, "c h w"],
    label: int | None,
    *,
    factors: FactorsLike = (1, 2),
    box: BoxLike = None,
    method: Wcam | None = None,
) -> Row:
    """Scores of a photograph at several factors and of their controls, and the importance of their levels.

    The photograph is taken as it is stored, since zooming needs its detail, and not as ``BlackBox.fit`` makes
    it.

    Args:
        model: The model.
        image: (C, H, W) in [0, 1], larger than the model's input.
        label: The class whose probability is the score; None for the top class at factor 1.
        factors: At least 1 each; 1 itself is always measured.
        box: The object in all images, as top, left, bottom, right in pixels; None for the middle.
        method: None for ``Wcam(Derivative(rows=16))``, and ``Wcam(Sobol(rows=16))`` where the model has no
            gradients. All images have the same random rows.

    Returns:
        The factor stands last. Scores of the views: ``zoomed.2``, ``cropped.2``, ``enlarged.2``; whether the
        zoomed view is ``correct.2`` where there is a label, else the ``same.2``. What zooming adds to the
        score, ``gain.2``, and its steps: ``background.2`` (removed), ``larger.2`` (on the grid) and
        ``detail.2`` (finer). Shapley effects of the zoomed view: ``scale.1.2`` of its level 1, ``scale.A.2``
        of its approximation, ``finer.2`` of all levels that factor 1 does not have; and of the view without
        new detail: ``scale_enlarged.1.2``, ``finer_enlarged.2``. Also ``target``, and ``resolution``, pixels
        of the photograph for one of the closest view.

    Raises:
        ValueError: Naming ``factors`` or ``box``.

    References:
        As ``wcam_widget.zoom``.
    """
    chosen = default_method(model) if method is None else method
    measured = zoom(model, image, box, factors, chosen, label)
    (one,) = measured.rows
    row: Row = {"target": one.label, "resolution": one.resolution}
    decided = "same" if label is None else "correct"
    for number, factor in enumerate(measured.factors):
        views = VIEWS if factor > 1 else VIEWS[:1]
        row |= {f"{view}.{factor:g}": float(one.scores[number, place]) for place, view in enumerate(views)}
        row[f"{decided}.{factor:g}"] = bool(one.right[number, 0])
        if factor > 1:
            steps = measured.steps(number)[0].tolist()
            row |= {f"{step}.{factor:g}": gain for step, gain in zip(STEPS, steps, strict=True)}
        for view in EXPLAINED if factor > 1 else EXPLAINED[:1]:
            row |= _levels(one.levels[factor, view], f"{factor:g}", "" if view == "zoomed" else f"_{view}")
    return row


def _levels(levels: LevelRow, factor: str, view: str) -> Row:
    """The Shapley effects of the levels of one view."""
    row: Row = {}
    for kind, level, share in zip(levels.kinds, levels.levels, levels.groups.shapley.tolist(), strict=True):
        row[f"scale{view}.{'A' if kind == 'approximation' else level}.{factor}"] = share
    if factor != "1":
        row[f"finer{view}.{factor}"] = float(levels.groups.shapley[levels.is_finer].sum())
    return row
