"""Images that are read when their turn comes, each with its map and its target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wcam_widget.explain.method import AbstractMethod, ensure_targets
from wcam_widget.model import BlackBox, ImagesLike, TargetLike, ensure_image, ensure_images
from wcam_widget.model.images import Fit
from wcam_widget.model.photograph import is_photograph

if TYPE_CHECKING:
    StreamLike: TypeAlias = ImagesLike | Iterable[ImagesLike]
else:
    StreamLike = Any  # checked image by image, with errors in the caller's words


PART = 32  # images in memory, where all of a batch are not


class Item(NamedTuple):
    """One image, what was given as its map, and its target."""

    image: Float[Tensor, "c h w"]
    given: Any
    target: TargetLike


def items(network: BlackBox, images: Any, attributions: Any, targets: Any) -> Iterator[Item]:
    """Images, one at a time, each with its map and target; errors name the argument that does not fit.

    Args:
        network: Its ``fit`` reads paths and images of PIL.
        images: As for ``ensure_images``, or any iterable of images and batches, which is read on the way.
        attributions: One for each image, or a method.
        targets: One for all images, or one for each.
    """
    count = count_of(images)
    if isinstance(attributions, AbstractMethod):
        maps: Iterable[Any] = repeat(attributions)
    elif count is None:
        raise TypeError(
            f"attributions: found {type(attributions).__qualname__} for a stream of images; accepted is a "
            "method, which explains each when it is read"
        )
    else:
        maps = attributions
        held = getattr(attributions, "__len__", lambda: 0)()
        if isinstance(attributions, str) or held != count:
            raise ValueError(
                f"attributions: found {held} for {count} images; accepted are one for each, or a method"
            )
    wanted = repeat(ensure_targets(targets, 1)[0]) if count is None else iter(ensure_targets(targets, count))
    for image, given, target in zip(read(images, network.fit), maps, wanted, strict=False):
        yield Item(image, given, target)


def read(images: Any, fit: Fit | None = None) -> Iterator[Float[Tensor, "c h w"]]:
    """The images one at a time; nothing is read before its turn.

    Args:
        images: As for ``items``.
        fit: How paths and images of PIL are resized and cropped; None: not at all.

    >>> [tuple(one.shape) for one in read(torch.rand(2, 3, 4, 4) for _ in range(2))]
    [(3, 4, 4), (3, 4, 4), (3, 4, 4), (3, 4, 4)]
    """
    if is_photograph(images) or not isinstance(images, Iterable):
        yield from ensure_images(images, "images", fit)
        return
    if isinstance(images, Tensor | np.ndarray):
        is_batch = images.ndim == 4 and len(images) > 0
        parts = (
            [images[start : start + PART] for start in range(0, len(images), PART)] if is_batch else [images]
        )
        for part in parts:
            yield from ensure_images(part, "images", fit)
        return
    number = -1
    for number, item in enumerate(images):
        where = f"images[{number}]"
        if isinstance(item, Tensor | np.ndarray) and item.ndim == 4:
            yield from ensure_images(torch.as_tensor(item), where, fit)
        else:
            yield ensure_image(item, where, fit)
    if number < 0:
        raise ValueError("images: found none; accepted is at least one image")


def count_of(images: Any) -> int | None:
    """How many images there are, where that is known beforehand."""
    if is_photograph(images):
        return 1
    if isinstance(images, Tensor | np.ndarray | list | tuple):
        return len(images)
    return None
