"""Images at the door: what a caller may hand in, checked once and turned into float32 in [0, 1]."""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Shaped
from PIL import Image
from torch import Tensor

from wcam_widget.model.clamping import clamped
from wcam_widget.model.photograph import is_photograph, photograph_pixels

_VALUES = "C = 1 or 3 and values in [0, 1], or of 8 or 16 bits"
ACCEPTED = f"a float tensor or array (C, H, W) with {_VALUES}, a path or an image of PIL"
ACCEPTED_BATCH = f"a float tensor or array (B, C, H, W) with {_VALUES}, or a list of images"
_CHANNELS = (1, 3)
_FULL_RANGE = {"bool": 1, "uint8": 255, "uint16": 65535}

if TYPE_CHECKING:
    ImageLike: TypeAlias = Tensor | np.ndarray | str | os.PathLike[str] | Image.Image
    ImagesLike: TypeAlias = ImageLike | Sequence[ImageLike]
else:
    # Checks at run time are our own: their errors name the argument as the caller wrote it.
    ImageLike = ImagesLike = Any

Fit = Callable[[Any], Tensor]
"""Makes (3, H, W) in [0, 1] of a path or an image of PIL: ``BlackBox.fit``."""


def ensure_image(image: ImageLike, argument: str = "image", fit: Fit | None = None) -> Float[Tensor, "c h w"]:
    """Check one image and return it as a float32 tensor on the CPU.

    Args:
        image: A tensor or array (C, H, W), C = 1 or 3: floats in [0, 1], or booleans or integers of 8 or 16
            bits, which are divided by their full range. Channels may be last where that is clear, and there
            may be a batch axis of one. Or a path of an image file, or an image of PIL.
        argument: What messages call it.
        fit: How paths and images of PIL are resized and cropped, ``BlackBox.fit``; None: not at all.

    Returns:
        (C, H, W), sharing memory with a float32 tensor on the CPU; it is never written to. Values up to 1e-4
        outside [0, 1], as rounding makes them, are clamped.

    Raises:
        TypeError: For anything else, with ``argument`` first, as in all messages.
        ValueError: For another rank, dtype, channel count or range, NaN or infinite pixels, and where it is
            not clear which axis holds the channels of integers.

    >>> ensure_image(np.full((4, 5, 3), 51, np.uint8)).shape
    torch.Size([3, 4, 5])
    >>> ensure_image(np.full((1, 2, 2), 255.0), "photo")
    Traceback (most recent call last):
    ValueError: photo: found values in [255, 255]; divide by 255; accepted is a float tensor or array \
(C, H, W) with C = 1 or 3 and values in [0, 1], or of 8 or 16 bits, a path or an image of PIL
    """
    if is_photograph(image):
        return photograph_pixels(image, argument=argument) if fit is None else fit(image)
    return _checked(image, 3, argument, ACCEPTED)


def ensure_images(
    images: ImagesLike, argument: str = "images", fit: Fit | None = None
) -> Float[Tensor, "b c h w"]:
    """Check a batch of images and return it as a float32 tensor on the CPU.

    Args:
        images: A tensor or array (B, C, H, W), B >= 1, or a list of images of one size, each as for
            ``ensure_image``; also a single path or image of PIL.
        argument: What messages call it.
        fit: How paths and images of PIL are resized and cropped, ``BlackBox.fit``; None: not at all.

    Returns:
        (B, C, H, W), float32.

    Raises:
        TypeError: As ``ensure_image`` does, which names the place in a list.
        ValueError: Likewise, and for an empty list and images of different shapes.

    Examples:
        >>> ensure_images(torch.rand(2, 3, 8, 8)).shape
        torch.Size([2, 3, 8, 8])
        >>> ensure_images([torch.rand(3, 8, 8), np.zeros((8, 8, 3), np.uint8)]).shape
        torch.Size([2, 3, 8, 8])
    """
    if is_photograph(images):
        return ensure_image(images, argument, fit)[None]
    if not isinstance(images, list | tuple):
        return _checked(images, 4, argument, ACCEPTED_BATCH)
    if not images:
        raise ValueError(f"{argument}: found an empty list; accepted is {ACCEPTED_BATCH}")
    each = [ensure_image(image, f"{argument}[{number}]", fit) for number, image in enumerate(images)]
    for number, image in enumerate(each):
        if image.shape != each[0].shape:
            raise ValueError(
                f"{argument}: found shape {tuple(each[0].shape)} first and {tuple(image.shape)} at {number}; "
                "accepted are images of one shape"
            )
    return torch.stack(each)


def _checked(pixels: Any, rank: int, argument: str, accepted: str) -> Tensor:
    if not isinstance(pixels, Tensor | np.ndarray):
        kind = f"{type(pixels).__module__}.{type(pixels).__qualname__}"
        raise TypeError(f"{argument}: found {kind}; accepted is {accepted}")
    if rank == 3 and len(pixels.shape) == 4 and pixels.shape[0] == 1:
        pixels = pixels[0]
    dtype = str(pixels.dtype).removeprefix("torch.").lstrip("<>=|")
    dtype = pixels.dtype.name if isinstance(pixels, np.ndarray) else dtype
    is_float = pixels.dtype.is_floating_point if isinstance(pixels, Tensor) else pixels.dtype.kind == "f"
    if not is_float and dtype not in _FULL_RANGE:
        raise ValueError(f"{argument}: found dtype {dtype}; accepted is {accepted}")
    channels_first = _channels_first(pixels, rank, argument, accepted, is_float=is_float)
    values = _as_float32(channels_first)
    if not is_float:
        return values / _FULL_RANGE[dtype]
    return clamped(values, argument, accepted)


def _as_float32(pixels: Tensor | Shaped[np.ndarray, "*shape"]) -> Tensor:
    if isinstance(pixels, Tensor):
        values = pixels.detach().to(device="cpu", dtype=torch.float32)
        with torch.inference_mode(mode=False):  # a tensor made in inference mode can have no gradient
            return values.clone() if values.is_inference() else values
    # ascontiguousarray: torch reads no negative strides; the copy of a read-only array keeps torch silent.
    contiguous = np.ascontiguousarray(pixels, dtype=np.float32)
    return torch.from_numpy(contiguous if contiguous.flags.writeable else contiguous.copy())


def _channels_first(pixels: Any, rank: int, argument: str, accepted: str, *, is_float: bool) -> Any:
    """The image or batch with its channels before its rows; ValueError where there is none."""
    shape = tuple(pixels.shape)
    if len(shape) != rank:
        raise ValueError(
            f"{argument}: found shape {shape}{_rank_hint(rank, len(shape))}; accepted is {accepted}"
        )
    if 0 in shape:
        raise ValueError(f"{argument}: found shape {shape}, which holds no pixels; accepted is {accepted}")
    first, last = shape[-3] in _CHANNELS, shape[-1] in _CHANNELS
    if first and last and not is_float:
        raise ValueError(
            f"{argument}: found shape {shape}, of which either end may be the channels; "
            f"give floats (C, H, W) in [0, 1]"
        )
    if first:
        return pixels
    if last:
        return pixels.swapaxes(-1, -2).swapaxes(-2, -3)
    transparent = " (transparency: Image.fromarray makes an image of PIL, which is laid over white)"
    hint = transparent if 4 in (shape[-1], shape[-3]) else ""
    raise ValueError(f"{argument}: found {shape[-3]} channels in shape {shape}{hint}; accepted is {accepted}")


def _rank_hint(rank: int, axes: int) -> str:
    return {
        (3, 4): " (a batch: give one image, e.g. images[0])",
        (4, 3): " (one image: add a batch axis, e.g. image[None])",
        (3, 2): " (no channel axis: add one, e.g. image[None])",
    }.get((rank, axes), "")
