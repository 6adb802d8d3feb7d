"""What ``explore`` is given, made into what a session works with, or refused in the caller's words."""

from __future__ import annotations

from copy import copy
from typing import Any

from wcam_widget.explain import AbstractMethod, Wcam
from wcam_widget.model import BlackBox
from wcam_widget.zoo import load_model


def ensure_model(model: Any, class_names: Any = None) -> BlackBox:
    """A BlackBox of what ``explore`` is given; ``class_names`` replace the model's, which is not changed."""
    if isinstance(model, str):
        model = load_model(model)
    if not callable(model) and not isinstance(model, BlackBox):
        raise TypeError(
            f"model: found {type(model).__qualname__}; accepted are a BlackBox, a torch module, a callable "
            "and a name for load_model"
        )
    if not isinstance(model, BlackBox):
        return BlackBox(model, class_names=class_names)
    if class_names is None:
        return model
    named = copy(model)
    named.class_names = BlackBox(model.net, class_names=class_names).class_names
    return named


def ensure_method(method: Any) -> AbstractMethod:
    """A method, ``Wcam()`` for None; TypeError for anything else."""
    if method is None:
        return Wcam()
    if not isinstance(method, AbstractMethod):
        raise TypeError(
            f"method: found {type(method).__qualname__}; accepted are None and a method, such as Wcam(...), "
            "WaveletGradient(...), GradCam(...) or Cameras(...)"
        )
    return method
