"""How much of an image's information lies in each cell: by l1 norm of coefficients, or by entropy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float

from wcam_widget.evaluate.rankings import Values
from wcam_widget.explain.cell_sums import summed
from wcam_widget.explain.gradient.cartoonx import l1_norm
from wcam_widget.perturb.probe import Probe

L1, ENTROPY = "l1", "entropy"


def entropy(probe: Probe) -> Values:
    """The part that each cell has in the entropy of the squared coefficients, less the baseline's.

    The parts add up to the entropy, so that those of some cells are a share of it: other than the entropy of
    these cells by themselves, which can be larger than that of all.
    """
    energy = probe.picture.double().square()
    parts = torch.special.entr(energy / energy.sum().clamp_min(torch.finfo(torch.float64).tiny))
    return summed(parts, probe.cells)


INFORMATION: dict[str, Callable[[Probe], Values]] = {L1: l1_norm, ENTROPY: entropy}


def share_of_total(information: Values) -> Values:
    """The share of each cell in the total; equal shares where there is none."""
    total = information.sum()
    return information / total if total > 0 else np.full(len(information), 1 / len(information))


def cumulative_share(information: Values) -> Float[np.ndarray, " m"]:
    """The share of the information in the first 0, 1, … cells, 1 for all of them."""
    sums = np.append(0.0, np.cumsum(share_of_total(information)))
    return np.asarray(sums / sums[-1])
