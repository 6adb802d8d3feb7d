"""What ``explore`` is given, made into what a session works with, or refused in the caller's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor

from wcam_widget.explain import AbstractMethod, MethodLike, Wcam
from wcam_widget.model import BlackBox, ImageLike, ModelLike, ensure_image
from wcam_widget.zoo import load_model

MOST_PIXELS = 2**21  # a page rebuilds the image at every click: with more, its reader waits


def load(model: ModelLike | str, class_names: Sequence[Any] | None = None) -> BlackBox:
    """A BlackBox of a name for ``load_model``, or of what ``BlackBox.ensure`` takes."""
    return BlackBox.ensure(load_model(model) if isinstance(model, str) else model, "model", class_names)


def ensure_pixels(image: ImageLike, name: str, model: BlackBox) -> Float[Tensor, "c h w"]:
    """The image that ``name`` gave, through ``model.fit`` where it is a file; ValueError where too large."""
    pixels = ensure_image(image, name, model.fit)
    _, height, width = pixels.shape
    if height * width > MOST_PIXELS:
        raise ValueError(
            f"{name}: found {height}x{width} pixels; accepted are at most {MOST_PIXELS:,}, as 1448x1448 has, "
            "which a page can still rebuild at every click: make the image smaller, or crop it"
        )
    return pixels


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
