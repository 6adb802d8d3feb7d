"""A faster forward pass in the making: exported or fused beside the run, and used once it gives the same."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from typing import final

from torch import Tensor, nn

from wcam_widget.model.device import ordinary_tensors
from wcam_widget.model.engines.eligibility import fingerprint
from wcam_widget.model.engines.engine import Engine
from wcam_widget.model.engines.exporting import exported
from wcam_widget.model.engines.fusing import fused
from wcam_widget.model.engines.samples import TOLERANCE, Samples
from wcam_widget.model.outputs import Choice

Maker = Callable[[nn.Module, Choice | None, Tensor], Callable[[Tensor], Tensor]]
MAKERS: dict[str, Maker] = {"onnx": exported, "fused": fused}
_COLOURS = re.compile("\x1b\\[[0-9;]*m")
_WORDS = 120  # characters of an error, which may be a page


@final
class Build:
    """Another engine for a network as it is now; torch runs the rows until ``forward`` is there.

    Args:
        net: The network, of which nothing is kept.
        copied: A private copy of it.
        choice: Which part of its answer holds the scores.
        rows: Some rows of its input, (n, ...).
        scores: torch's class scores of these, (n, k).
    """

    def __init__(
        self, net: nn.Module, copied: nn.Module, choice: Choice | None, rows: Tensor, scores: Tensor
    ) -> None:
        self.engine = Engine("torch", "a faster engine is being made ready")
        self.forward: Callable[[Tensor], Tensor] | None = None
        self.samples = Samples()
        self.samples.put(rows, scores)
        self._of = fingerprint(net)
        self._process = os.getpid()
        # Not a daemon, which would be cut inside of torch when the interpreter ends: that waits for a maker.
        self.thread = threading.Thread(target=self._make, args=(copied, choice), name="wcam_widget engine")
        self.thread.start()

    def fits(self, net: nn.Module) -> bool:
        """Whether the network is still as it was, in the same process: no fork has threads of its parent."""
        return self._process == os.getpid() and self._of == fingerprint(net)

    def _make(self, copied: nn.Module, choice: Choice | None) -> None:
        reasons: list[str] = []
        for name, maker in MAKERS.items():
            if not threading.main_thread().is_alive():
                return
            try:
                with ordinary_tensors():
                    forward = maker(copied, choice, self.samples.rows())
                    difference = self.samples.difference(forward)
            except Exception as error:  # noqa: BLE001 of a network, an exporter or a runtime: any
                reasons.append(in_words(name, error))
                continue
            if difference <= TOLERANCE:
                agreement = (
                    f"class scores of {len(self.samples)} images differ by {difference:.1g} of their spread"
                )
                self.engine = Engine(name, "; ".join([agreement, *reasons]))
                self.forward = forward
                return
            reasons.append(f"{name}: class scores differ by {difference:.1g} of their spread")
        self.engine = Engine("torch", "; ".join(reasons))


def in_words(name: str, error: Exception) -> str:
    """Why an engine cannot be used, in a line.

    >>> in_words("onnx", RuntimeError("no such operator"))
    'onnx: RuntimeError: no such operator'
    """
    line = next(iter(_COLOURS.sub("", str(error)).strip().splitlines()), "")
    said = line if isinstance(error, ImportError | ValueError) else f"{type(error).__name__}: {line}"
    return f"{name}: {said[:_WORDS]}"
