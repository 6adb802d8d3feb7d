"""Forward passes without gradients: by torch, and by a faster engine once that pays and gives the same."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import final

from jaxtyping import Float
from torch import Tensor, nn

from wcam_widget.model.batches import NetworkState
from wcam_widget.model.engines.backwards import Backwards
from wcam_widget.model.engines.build import Build
from wcam_widget.model.engines.eligibility import UnsuitableError, is_listened_to, suitable_copy
from wcam_widget.model.engines.engine import Engine
from wcam_widget.model.engines.operations import OperationCount
from wcam_widget.model.engines.samples import TOLERANCE, relative
from wcam_widget.model.outputs import Choice

ROWS = 64  # that are worth making an engine for: it costs about as much as they do
CHECKED = 256  # rows by another engine of which one is scored by torch as well
_SHAPES = 4  # of input; for each an engine holds all weights
Scores = Callable[[Tensor], Tensor]


def forwards_of(
    state: NetworkState, choice: Choice | None, shape: tuple[int, ...] | None, *, eager: bool
) -> Forwards:
    """The forward passes of a network for input of ``shape``, kept in its state; the oldest ones are let go.

    Where no shape is known yet, None, the latest ones there are, or new ones that are not kept.

    >>> state = NetworkState()
    >>> one, same = (forwards_of(state, None, (3, 8, 8), eager=False) for _ in range(2))
    >>> one is same
    True
    """
    part = id(choice) if callable(choice) else choice  # which the forwards keep, so that no other gets its id
    kept: dict[tuple[bool, Choice | None, tuple[int, ...]], Forwards] = state.forwards
    if shape is None:
        alike = [forwards for key, forwards in tuple(kept.items()) if key[:2] == (eager, part)]
        return alike[-1] if alike else Forwards(eager=eager, choice=choice)
    key = (eager, part, shape)
    if key not in kept:
        made = Forwards(eager=eager, choice=choice)
        while len(kept) >= _SHAPES:
            kept.pop(next(iter(kept)), None)
        kept[key] = made
    return kept[key]


@final
class Forwards:
    """The forward passes of one network for input of one shape, shared by all BlackBoxes around it.

    Whether another engine is made depends on counts alone, so that it does not on how busy a machine is.
    When it is ready does; scores then differ by less than rounding counts for. Calls come one at a time,
    under the lock of the network.

    Args:
        eager: Whether an engine is made with the first rows, not only where it pays.
        choice: Which part of the network's answer holds the scores.
    """

    def __init__(self, *, eager: bool, choice: Choice | None) -> None:
        self.build: Build | None = None
        self._counted = OperationCount()
        self.backwards = Backwards(eager=eager, choice=choice, counted=self._counted)
        self._eager, self._choice = eager, choice
        self._settled = Engine("torch", f"made ready once {ROWS} images have been scored")
        self._is_settled = False
        self._rows, self._unchecked, self._served = 0, 0, 0

    @property
    def engine(self) -> Engine:
        """What runs the passes, and why; and what runs those with gradients."""
        engine, backwards = self._settled if self.build is None else self.build.engine, self.backwards
        if not backwards.reason:
            return engine
        reason = f"{engine.reason}; gradients: {backwards.reason}"
        return replace(engine, reason=reason, gradients=backwards.label)

    def scores(self, net: nn.Module, rows: Float[Tensor, "n ..."], by_torch: Scores, ahead: int) -> Tensor:
        """Class scores (n, k) of a batch, by the engine that is ready.

        Args:
            net: The network.
            rows: A batch of its input.
            by_torch: Gives class scores by the network itself.
            ahead: How many rows are known to come, these included.
        """
        if self._is_settled:
            return by_torch(rows)
        if self.build is not None and not self.build.fits(net):
            self.build, self._rows, self._served = None, 0, 0
        if self.build is not None and self.build.forward is not None and not is_listened_to(net):
            scores = self._by_engine(self.build, self.build.forward, rows, by_torch)
            return by_torch(rows) if scores is None else scores
        scores = by_torch(rows)
        if self.build is not None:
            self.build.samples.put(rows, scores)
            self._tell(self.build)
        elif self._eager or self._rows + ahead >= ROWS:
            self._begin(net, rows, scores)
        self._rows += len(rows)
        return scores

    def _begin(self, net: nn.Module, rows: Tensor, scores: Tensor) -> None:
        """Make an engine of the network where that may pay; else settle for torch."""
        if is_listened_to(net):
            self._settled = Engine("torch", "hooks listen to the network")
            return
        try:
            copied = suitable_copy(net, rows, self._counted, small=self._eager)
        except UnsuitableError as error:
            self._settle(str(error))
        else:
            self.build = Build(net, copied, self._choice, rows, scores)

    def _by_engine(self, build: Build, forward: Scores, rows: Tensor, by_torch: Scores) -> Tensor | None:
        """Scores by the engine that is ready; None where it fails, and is given up."""
        try:
            scores = forward(rows)
        except Exception as error:  # noqa: BLE001 a runtime's own
            self._settle(f"{build.engine.label} raised {type(error).__name__}: {error}")
            return None
        if self._served == 0 or self._unchecked + len(rows) > CHECKED:
            self._unchecked = 0
            gap = float((by_torch(rows[:1]) - scores[:1]).abs().max())
            if not (share := relative(gap, build.samples.spread)) <= TOLERANCE:
                reason = f"{build.engine.label} gave class scores that differ by {share:.1g} of their spread"
                if self._served:
                    warnings.warn(f"{reason}, after some that did not: explain again", stacklevel=2)
                self._settle(reason)
                return None
        self._unchecked += len(rows)
        self._served += len(rows)
        return scores

    def _tell(self, build: Build) -> None:
        if build.thread.is_alive() or build.forward is not None:
            return
        self._settle(build.engine.reason)

    def _settle(self, reason: str) -> None:
        """Leave the rows to torch for good."""
        self._settled, self._is_settled, self.build = Engine("torch", reason), True, None
        if self._eager:
            logging.getLogger("wcam_widget").warning("engine: PyTorch runs the network: %s", reason)
