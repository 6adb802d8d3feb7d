"""What surrounds the steps of every method: ordinary tensors, and a look at whether the network changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import wraps
from typing import Any

from wcam_widget.explain.attribution import Attribution
from wcam_widget.model import BlackBox, ImageLike, ModelLike, TargetLike
from wcam_widget.model.condition import Condition
from wcam_widget.model.device import ordinary_tensors
from wcam_widget.perturb.steadiness import unresolved

Steps = Callable[..., Iterator[Attribution]]


def surrounded(steps: Steps) -> Steps:
    """The ``steps`` of a method, each made of ordinary tensors also inside ``torch.inference_mode``.

    Where the parameters or buffers of the network changed meanwhile, a map that is complete says so, and
    no cell of it is resolved.
    """

    @wraps(steps)
    def surrounding(
        self: Any, model: ModelLike, image: ImageLike, target: TargetLike = None, stream: int = 0
    ) -> Iterator[Attribution]:
        network = BlackBox.ensure(model)
        condition = Condition.now(network.net)
        inner = steps(self, network, image, target, stream)
        try:
            while True:
                with ordinary_tensors():
                    step = next(inner, None)
                if step is None:
                    return
                yield _compared(step, condition)
        finally:
            close = getattr(inner, "close", None)
            if close is not None:
                close()

    return surrounding


def _compared(step: Attribution, condition: Condition) -> Attribution:
    # Runs that keep their scores look for themselves.
    if not step.complete or step.traces or not (words := condition.words()):
        return step
    stop = f"{step.stop}; {words}: the map mixes both; explain again"
    return replace(step, stop=stop, estimate=unresolved(step.estimate))
