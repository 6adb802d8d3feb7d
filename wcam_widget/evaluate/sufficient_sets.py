"""Sufficient sets over images: their table, what they say in words, and a figure of the first ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from jaxtyping import Float
from torch import Tensor

from wcam_widget.evaluate.over_images import MeanOver, mean_over
from wcam_widget.evaluate.sufficient_set import SufficientSet

if TYPE_CHECKING:
    import pandas as pd

    from wcam_widget.figure import NotebookFigure

SHOWN = 4  # images that are kept for the figure


@final
@dataclass(frozen=True, eq=False)
class Sufficiency:
    """The smallest sets of cells that restore a model's decisions on images.

    Attributes:
        sets: One ``SufficientSet`` for each image.
        pictures: The first images with what their sets restore, (C, H, W) each, for ``plot``.
    """

    sets: tuple[SufficientSet, ...]
    pictures: tuple[tuple[Float[Tensor, "c h w"], Float[Tensor, "c h w"]], ...]

    def __repr__(self) -> str:
        images = "1 image" if len(self.sets) == 1 else f"{len(self.sets)} images"
        return f"<Sufficiency of {images}: {self.summary().splitlines()[0]}>"

    @property
    def orders(self) -> tuple[str, ...]:
        """Names of the other orders."""
        return tuple(self.sets[0].others)

    def table(self) -> pd.DataFrame:
        """One row for each image.

        Returns:
            ``class``, ``depth`` with its interval ``depth.low`` to ``depth.high``, ``cells``, ``share``,
            ``energy`` (share of the squared coefficients), ``first`` (the smallest number tested that
            suffices), ``monotone``, ``depth.…`` and ``monotone.…`` of every other order, and ``budget.…``,
            the cells of every band.
        """
        import pandas as pd  # noqa: PLC0415 takes half a second to import, and only tables need it

        return pd.DataFrame([one.row() for one in self.sets])

    def compared(self, order: str) -> MeanOver:
        """The depth by another order less that by the map's own, as a share of the cells, mean over images.

        Images that were not decided for the class are left out.

        Args:
            order: As "energy".

        Returns:
            Arrays of one number: the mean, positive where the map's order needs fewer cells, with
            limits of 95 % over images.

        Raises:
            ValueError: Naming ``order`` for one that was not searched.
        """
        if order not in self.orders:
            raise ValueError(f"order: found {order!r}; searched were {', '.join(self.orders) or 'none'}")
        gains = np.array([(one.depth_by(order) - one.depth) / len(one.kept) for one in self.sets])
        return mean_over(gains[np.isfinite(gains)][:, None])

    def summary(self) -> str:
        """What the sets say, in a few sentences."""
        known = [one for one in self.sets if np.isfinite(one.depth)]
        lost = len(self.sets) - len(known)
        left_out = f"{lost} of {len(self.sets)} images are not decided for the class at all" if lost else ""
        if not known:
            return f"{left_out}."
        share = mean_over(np.array([[one.share] for one in known]))
        energies = np.mean([one.energy_share for one in known])
        depth = np.median([one.depth for one in known])
        usual = " (median)" if len(known) > 1 else ""
        kept = f"{_percent(share)} of the cells, with {100 * energies:.3g} % of the energy"
        lines = [f"{depth:.0f} cells restore the decision{usual}: {kept}."]
        for order in self.orders:
            gain = self.compared(order)
            lines.append(f"By {order} the depth differs by {_percent(gain, signed=True)} of the cells.")
        broken = sum(not one.own.found.monotone for one in known)
        if broken:
            images = "1 image" if broken == 1 else f"{broken} images"
            lines.append(f"In {images} the decision is lost again above the first number that suffices.")
        return "\n".join([*lines, *([f"{left_out}."] if left_out else [])])

    def plot(self) -> NotebookFigure:
        """Draw the first images beside what their sets restore, with depths and the budget of each band.

        Returns:
            A figure, made without pyplot; a notebook shows it as the value of a cell.
        """
        from wcam_widget.evaluate.figures.sufficiency import draw_sets  # noqa: PLC0415 matplotlib takes a second

        return draw_sets(self.sets, self.pictures)


def _percent(mean: MeanOver, *, signed: bool = False) -> str:
    sign = "+" if signed else ""
    value, low, high = (100 * float(part[0]) for part in mean)
    if not np.isfinite([low, high]).all():
        return f"{value:{sign}.3g} %"
    return f"{value:{sign}.3g} % ({low:{sign}.3g} to {high:{sign}.3g})"
