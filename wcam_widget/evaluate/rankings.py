"""Null rankings: what any map has to beat before its score means something."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
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


def gradient(probe: Probe) -> Values:
    """The derivative of the score by each cell's weight where all are 1, without its sign: one backward pass.

    It is the sum of gradient times coefficient over the cell (Shrikumar et al. 2016, "Not just a black box").
    Raises ModelError where the model has no gradients.
    """
    _, slopes = probe.gradient(torch.ones(1, len(probe.cells)))
    return np.asarray(slopes[0].double().abs().cpu().numpy())


NULLS: dict[str, Callable[[Probe, np.random.Generator | None], Values]] = {
    "energy": energy,
    "random": at_random,
    "centre": centre,
}
