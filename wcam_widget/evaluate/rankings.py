"""Null rankings: what any map has to beat before its score means something."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from wcam_widget.explain.cell_sums import summed
from wcam_widget.perturb.probe import Probe

Values = Float[np.ndarray, " d"]


def energy(probe: Probe, rng: np.random.Generator | None = None) -> Values:
    """Squared coefficients of each cell, summed over channels: how much of the image goes with the cell.

    Coefficients are taken less the baseline's, as the probe removes them. It knows the image, not the model.
    """
    del rng
    return summed(probe.picture.double().square(), probe.cells)


def at_random(probe: Probe, rng: np.random.Generator | None = None) -> Values:
    """A random order of the cells, as the ranks 0 … d-1."""
    return (rng or np.random.default_rng(0)).permutation(len(probe.cells)).astype(float)


def centre(probe: Probe, rng: np.random.Generator | None = None) -> Values:
    """Nearness of each cell to the image's centre: photographers put there what they photograph.

    Minus the distance in pixels; cells over the same place, at other scales, are equal.
    """
    del rng
    middle = (probe.cells.support[:, :2] + probe.cells.support[:, 2:]) / 2
    return np.asarray(-np.hypot(*(middle - np.array(probe.cells.image_size) / 2).T))


NULLS: dict[str, Callable[[Probe, np.random.Generator | None], Values]] = {
    "energy": energy,
    "random": at_random,
    "centre": centre,
}
