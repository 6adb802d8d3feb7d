"""Whether a network answers alike to equal inputs: its score of one image, before a run and after."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wcam_widget.model.condition import Condition
from wcam_widget.perturb.probe import Probe
from wcam_widget.sensitivity import Estimate, Kind

BEFORE, AFTER = 3, 1  # forward passes: the image alone, then beside another image; and alone again
# What the order of sums and the kernels of other batch sizes may change, as a share of the largest score.
ROUNDING = {torch.float64: 1e-4, torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 3e-2}
ROUNDING_OF_TF32 = 5e-3


@final
@dataclass(eq=False)
class Steadiness:
    """The class scores of one unchanged image at several times, and the network's condition at the first.

    The image is scored alone and beside its baseline before a run, and alone after it, always as the run
    makes its images. ``condition`` is compared at the end.
    """

    probe: Probe
    condition: Condition = field(init=False)
    looks: list[Float[Tensor, " k"]] = field(default_factory=list)
    beside: Float[Tensor, " k"] | None = None
    changed: str = ""

    def begin(self) -> None:
        """Look before a run, or before it goes on."""
        if self.beside is not None:
            return
        self.condition = Condition.now(self.probe.model.net)
        ones = torch.ones(1, len(self.probe.cells))
        alone = self.probe.logits(ones)[0]
        beside = self.probe.logits(torch.cat([ones, torch.zeros_like(ones)]))[0]
        self.looks, self.beside = [alone], beside

    def end(self) -> None:
        """Look after a run; warns where the network did not answer alike."""
        self.looks.append(self.probe.logits(torch.ones(1, len(self.probe.cells)))[0])
        self.changed = self.condition.words()
        if words := self.words():
            warnings.warn(words, stacklevel=2)

    @property
    def evaluations(self) -> int:
        """Forward passes so far."""
        return 0 if self.beside is None else BEFORE + AFTER * (len(self.looks) - 1)

    @property
    def planned(self) -> int:
        """Forward passes at the end of a run."""
        return max(self.evaluations, BEFORE) + AFTER

    def words(self) -> str:
        """What is wrong with a map of this network, and what to do; empty where it answers alike."""
        if self.beside is None:
            return ""
        first, *later = self.looks
        after = [one for one in later if self._apart(one)]
        apart = self._apart(self.beside)
        if self.changed or (after and not apart):
            what = self.changed or "the network changed while it was explained"
            if after:
                before, now = self._score(first), self._score(after[-1])
                what += f"; the score of the image was {before} before and {now} after"
            return f"{what}: the map mixes both; explain again"
        if not apart:
            return ""
        if later and not after:
            return (
                f"the score of an image depends on the images beside it, {self._score(first)} alone and "
                f"{self._score(self.beside)} beside another, so that no cell is resolved: give BlackBox "
                "batch_size=1"
            )
        rows = torch.stack([first, self.beside, *later])
        scores = ", ".join(map(self._score, rows))
        size = float((rows.amax(0) - rows.amin(0)).max())
        return (
            f"the network is noisy: its class scores of the same image differ by up to {size:.2g} (the one "
            f"explained: {scores}), so that no cell is resolved: switch off what is random in it, or in "
            "preprocess"
        )

    def copy(self) -> Steadiness:
        """The same looks, to which others may be added without a change here."""
        twin = Steadiness(self.probe, list(self.looks), self.beside, self.changed)
        if self.beside is not None:
            twin.condition = self.condition
        return twin

    def _score(self, logits: Float[Tensor, " k"]) -> str:
        return f"{float(self.probe.target(logits[None])[0]):.4g}"

    def _apart(self, logits: Float[Tensor, " k"]) -> bool:
        """Whether class scores differ from the first ones by more than rounding does."""
        first = self.looks[0]
        return bool((logits - first).abs().max() > self._share * first.abs().max())

    @property
    def _share(self) -> float:
        model = self.probe.model
        share = max(ROUNDING.get(dtype, 1e-4) for dtype in model.dtypes)
        return max(share, ROUNDING_OF_TF32) if model.device.type == "cuda" else share


def unresolved(estimate: Estimate) -> Estimate:
    """The same numbers, of which none is certain; what was bounded is not."""
    bounded = estimate.kind == Kind.BOUNDED
    return replace(
        estimate,
        kind=np.full_like(estimate.kind, Kind.UNRESOLVED),
        low=np.where(bounded, np.minimum(estimate.low, 0.0), estimate.low),
        high=np.where(bounded, np.maximum(estimate.high, 1.0), estimate.high),
    )
