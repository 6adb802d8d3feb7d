"""What every method of explanation is: parameters, and a call on a model and images."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, final

import numpy as np
from jaxtyping import Float
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

    def rounds(
        self, model: BlackBox, images: Float[Tensor, "n c h w"], targets: Sequence[Any]
    ) -> Iterator[tuple[int, Attribution]]:
        """The place of an image and its attribution, image by image; a later one replaces an earlier one.

        Methods that send several images through the network together override this, and nothing else, for
        batches.
        """
        for stream, (image, target) in enumerate(zip(images, targets, strict=True)):
            for one in self.steps(model, image, target, stream):
                yield stream, one

    @final
    def __call__(self, model: Any, images: Pixels, targets: Sequence[Any] | None = None) -> list[Attribution]:
        """One attribution for each image of (B, C, H, W) in [0, 1].

        ``targets`` holds one class id, class name, target or None per image. Up to 16 images keep the class
        scores of their runs, for ``Attribution.for_target`` and ``Wcam.resume``. A keyboard interrupt ends
        the work: what was done until then is returned, the last map partial, with a warning. Raises
        ValueError naming ``images`` or ``targets`` for what does not fit.
        """
        asked, wanted = ensure_batch(images, targets)
        done: dict[int, Attribution] = {}
        try:
            for place, one in self.rounds(ensure_model(model), asked, wanted):
                done[place] = one if len(asked) <= MOST_TRACES else replace(one, traces=())
        except KeyboardInterrupt:
            if not done:
                raise
            warnings.warn(f"interrupted: {len(done)} of {len(asked)} images are returned", stacklevel=2)
            reason = "interrupted: call again for the whole map"
            return [done[place].stopped(reason) for place in sorted(done)]
        return [done[place] for place in sorted(done)]


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
