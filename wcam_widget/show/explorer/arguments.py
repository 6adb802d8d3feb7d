"""What ``explore`` is given, made into what a session works with, or refused in the caller's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wcam_widget.explain import AbstractMethod, MethodLike, Wcam
from wcam_widget.model import BlackBox, ModelLike
from wcam_widget.zoo import load_model


def load(model: ModelLike | str, class_names: Sequence[Any] | None = None) -> BlackBox:
    """A BlackBox of a name for ``load_model``, or of what ``BlackBox.ensure`` takes."""
    return BlackBox.ensure(load_model(model) if isinstance(model, str) else model, "model", class_names)


def ensure_method(method: MethodLike) -> AbstractMethod:
    """A method, ``Wcam()`` for None; TypeError for anything else."""
    if method is None:
        return Wcam()
    if not isinstance(method, AbstractMethod):
        raise TypeError(
            f"method: found {type(method).__qualname__}; accepted are None and a method, such as Wcam(...), "
            "WaveletGradient(...), GradCam(...) or Cameras(...)"
        )
    return method
