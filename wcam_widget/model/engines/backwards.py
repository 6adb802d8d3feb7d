"""Forward passes that will be differentiated: by the network, and by a fused copy that gives the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wcam_widget.model.batches import is_out_of_memory
from wcam_widget.model.engines.eligibility import (
    Fingerprint,
    UnsuitableError,
    fingerprint,
    is_listened_to,
    suitable_copy,
)
from wcam_widget.model.engines.engine import LABELS
from wcam_widget.model.engines.fusing import fused
from wcam_widget.model.engines.operations import OperationCount
from wcam_widget.model.engines.samples import TOLERANCE, relative
from wcam_widget.model.outputs import Choice

ROWS = 8  # whose saving is what copying, fusing and the first check cost
CHECKED = 256  # rows by the copy of which one is differentiated by the network as well
# Of a gradient's length. Units of ReLU within rounding of their kink change sides: on EfficientNet-Lite0 and
# Lite2 torch's own gradients in float32 differ by up to 0.01 from those in float64, and so do the copy's.
SLOPE_TOLERANCE = 0.03
Scores = Callable[[Tensor], Tensor]


@final
class Backwards:
    """The passes with gradients of one network for input of one shape, shared by all BlackBoxes around it.

    The copy has batch normalisation fused into convolutions, channels last. It is made in a moment, so in no
    thread: which rows it serves depends on counts alone. Calls come one at a time, under the lock of the
    network.

    Args:
        eager: Whether a copy is made of any network with the first rows, not only where it pays.
        choice: Which part of the network's answer holds the scores.
        counted: The operations of the network for a row of this shape, once they were counted.
    """

    def __init__(self, *, eager: bool, choice: Choice | None, counted: OperationCount) -> None:
        self.reason = ""
        """Why the copy, or the network itself, runs these passes; empty while that is open."""
        self._eager, self._choice, self._counted = eager, choice, counted
        self._is_settled = False
        self._copy: Scores | None = None
        self._of: Fingerprint | None = None
        self._rows, self._unchecked = 0, 0

    @property
    def label(self) -> str:
        """What runs the passes, for a reader; empty for the network itself."""
        return "" if self._copy is None else LABELS["fused"]

    def scores(self, net: nn.Module, rows: Float[Tensor, "n ..."], by_torch: Scores, ahead: int) -> Tensor:
        """Class scores (n, k) of a batch, differentiable by its rows.

        Args:
            net: The network.
            rows: A batch of its input.
            by_torch: Gives class scores by the network itself.
            ahead: How many rows are known to come, these included.
        """
        if self._is_settled or is_listened_to(net, backward=True):
            return by_torch(rows)
        if self._of is not None and self._of != fingerprint(net):
            self.reason, self._copy, self._of, self._rows = "", None, None, 0
        if self._copy is None and (self._eager or self._rows + ahead >= ROWS):
            self._begin(net, rows, by_torch)
        self._rows += len(rows)
        return by_torch(rows) if self._copy is None else self._by_copy(self._copy, rows, by_torch)

    def _begin(self, net: nn.Module, rows: Tensor, by_torch: Scores) -> None:
        """Make a copy where that pays, and keep it where it gives the same; else leave the rows to torch."""
        row = rows[:1].detach()
        try:
            copied = suitable_copy(net, row, self._counted, small=self._eager)
            with torch.random.fork_rng(devices=()):
                copy = fused(copied, self._choice, row)
        except (UnsuitableError, ValueError) as error:
            self._settle(str(error))
        except Exception as error:  # noqa: BLE001 whatever a copy of a user's network raises
            self._settle(f"a copy of the network raised {type(error).__name__}")
        else:
            self._check(copy, row, by_torch)
            if not self._is_settled:
                self._copy, self._of = copy, fingerprint(net)

    def _by_copy(self, copy: Scores, rows: Tensor, by_torch: Scores) -> Tensor:
        if self._unchecked + len(rows) > CHECKED:
            self._check(copy, rows[:1].detach(), by_torch)
            if self._is_settled:
                return by_torch(rows)
        try:
            scores = copy(rows)
        except Exception as error:
            if is_out_of_memory(error):  # fewer rows are tried
                raise
            self._settle(f"the fused copy raised {type(error).__name__}")
            return by_torch(rows)
        self._unchecked += len(rows)
        return scores

    def _check(self, copy: Scores, row: Tensor, by_torch: Scores) -> None:
        """Compare scores and gradient of one row with the network's own."""
        self._unchecked = 0
        try:
            with torch.random.fork_rng(devices=()):
                scores, slope = _differentiated(by_torch, row)
                near, roughly = _differentiated(copy, row)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            self._settle(f"differentiating a row raised {type(error).__name__}")
            return
        share = relative(float((near - scores).abs().max()), float(scores.amax() - scores.amin()))
        if not share <= TOLERANCE:
            self._settle(f"class scores of the fused copy differ by {share:.1g} of their spread")
            return
        share = relative(float((roughly - slope).norm()), float(slope.norm()))
        if share <= SLOPE_TOLERANCE:
            self.reason = f"of an image they differ by {share:.1g} of their length"
        else:
            self._settle(f"those of the fused copy differ by {share:.1g} of their length")

    def _settle(self, reason: str) -> None:
        """Leave the rows to the network for good."""
        self.reason, self._is_settled, self._copy = reason, True, None


def _differentiated(scores_of: Scores, row: Tensor) -> tuple[Tensor, Tensor]:
    """The class scores of a row and a gradient that all of them have a part in: that of their variance."""
    with torch.inference_mode(mode=False), torch.enable_grad():
        leaf = row.clone().requires_grad_()
        scores = scores_of(leaf)
        spread = (scores * (scores - scores.mean()).detach()).sum()
        (slope,) = torch.autograd.grad(spread, leaf)
    return scores.detach(), slope
