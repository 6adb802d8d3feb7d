"""What every method of explanation is: parameters, and a call on a model and images."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from torch import Tensor

from wcam_widget.explain.attribution import Attribution
from wcam_widget.model import BlackBox, ensure_images

# What a caller may hand in as an image or a batch; checked for rank, type, channels and range at the door.
Pixels = Tensor | np.ndarray
MOST_TRACES = 16  # images of one call whose class scores are kept: they must not pile up over a data set


class AbstractMethod(ABC):
    """Holds parameters only; ``method(model, images, targets)`` explains, ``steps`` streams one image."""

    @property
    def title(self) -> str:
        """The method's short name, for lists of methods."""
        return type(self).__name__

    @abstractmethod
    def steps(self, model: Any, image: Pixels, target: Any = None, stream: int = 0) -> Iterator[Attribution]:
        """Attributions of one image (C, H, W) in [0, 1], one per block of work; stop iterating to cancel.

        ``target`` is None for the top class, a class id, a class name or a target. ``stream`` separates the
        random rows of several images.
        """

    def __call__(self, model: Any, images: Pixels, targets: Sequence[Any] | None = None) -> list[Attribution]:
        """One attribution for each image of (B, C, H, W) in [0, 1].

        ``targets`` holds one class id, class name, target or None per image. Up to 16 images keep the class
        scores of their runs, for ``Attribution.for_target`` and ``Wcam.resume``. A keyboard interrupt ends
        the work: what was done until then is returned, the last map partial, with a warning. Raises
        ValueError naming ``images`` or ``targets`` for what does not fit.
        """
        asked, wanted = ensure_batch(images, targets)
        network, done = ensure_model(model), []
        for stream, (image, target) in enumerate(zip(asked, wanted, strict=True)):
            last = None
            try:
                for last in self.steps(network, image, target, stream):  # noqa: B007 the last one is the result
                    pass
            except KeyboardInterrupt:
                if last is not None:
                    done.append(last.stopped("interrupted: call again for the whole map"))
                if not done:
                    raise
                warnings.warn(f"interrupted: {len(done)} of {len(asked)} images are returned", stacklevel=2)
                return done
            if last is not None:
                done.append(last if len(asked) <= MOST_TRACES else replace(last, traces=()))
        return done


def ensure_batch(images: Pixels, targets: Sequence[Any] | None) -> tuple[Tensor, list[Any]]:
    """Images (B, C, H, W) in float32 and a target for each; ValueError naming the argument that is wrong.

    >>> import torch
    >>> ensure_batch(torch.rand(2, 3, 4, 4), None)[1]
    [None, None]
    """
    asked = ensure_images(images, "images")
    wanted = [None] * len(asked) if targets is None else list(targets)
    if len(wanted) != len(asked):
        raise ValueError(f"targets has {len(wanted)} entries for {len(asked)} images; one each is needed")
    return asked, wanted


def ensure_model(model: Any) -> BlackBox:
    """A ``BlackBox`` as it is, or one around a torch module or callable.

    >>> ensure_model(lambda images: images.mean((2, 3))).differentiable
    False
    """
    return model if isinstance(model, BlackBox) else BlackBox(model)
