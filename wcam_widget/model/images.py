"""Images at the door: what a caller may hand in, checked once and turned into float32 in [0, 1]."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

ACCEPTED = "a float tensor or array (C, H, W) with C = 1 or 3 and values in [0, 1]"
ACCEPTED_BATCH = "a float tensor or array (B, C, H, W) with C = 1 or 3 and values in [0, 1]"
_CHANNELS = (1, 3)


def ensure_image(image: Any, argument: str = "image") -> Float[Tensor, "c h w"]:
    """Check one image and return it as a float32 tensor on the CPU.

    `image` is a torch tensor or numpy array (C, H, W), C = 1 or 3, any float dtype, values in [0, 1].
    The result shares memory with the input where it already is float32 on the CPU; it is never written to.

    Raises TypeError for anything but a tensor or an array, and ValueError for a wrong rank, dtype, channel
    count or range and for NaN or infinite pixels. Messages begin with `argument`.

    >>> ensure_image(np.full((1, 2, 2), 0.5)).dtype
    torch.float32
    >>> ensure_image(np.full((1, 2, 2), 255.0), "photo")
    Traceback (most recent call last):
    ValueError: photo: found values in [255, 255]; divide by 255; accepted is a float tensor or array \
(C, H, W) with C = 1 or 3 and values in [0, 1]
    """
    return _checked(image, 3, argument, ACCEPTED)


def ensure_images(images: Any, argument: str = "images") -> Float[Tensor, "b c h w"]:
    """Check a batch of images and return it as a float32 tensor on the CPU.

    `images` is a torch tensor or numpy array (B, C, H, W), B >= 1, C = 1 or 3, values in [0, 1]. Errors are
    those of `ensure_image`.

    >>> ensure_images(torch.rand(2, 3, 8, 8)).shape
    torch.Size([2, 3, 8, 8])
    """
    return _checked(images, 4, argument, ACCEPTED_BATCH)


def _checked(found: Any, rank: int, argument: str, accepted: str) -> Tensor:
    pixels = _as_float32(found, argument, accepted)
    _check_shape(tuple(pixels.shape), rank, argument, accepted)
    _check_range(pixels, argument, accepted)
    return pixels


def _as_float32(found: Any, argument: str, accepted: str) -> Tensor:
    if not isinstance(found, Tensor | np.ndarray):
        kind = f"{type(found).__module__}.{type(found).__qualname__}"
        raise TypeError(f"{argument}: found {kind}; accepted is {accepted}")
    dtype = str(found.dtype).removeprefix("torch.")
    if dtype == "uint8":
        raise ValueError(f"{argument}: found dtype uint8; divide by 255; accepted is {accepted}")
    is_float = found.dtype.is_floating_point if isinstance(found, Tensor) else found.dtype.kind == "f"
    if not is_float:
        raise ValueError(f"{argument}: found dtype {dtype}; accepted is {accepted}")
    if isinstance(found, Tensor):
        return found.detach().to(device="cpu", dtype=torch.float32)
    # ascontiguousarray: torch reads no negative strides; the copy of a read-only array keeps torch silent.
    contiguous = np.ascontiguousarray(found, dtype=np.float32)
    return torch.from_numpy(contiguous if contiguous.flags.writeable else contiguous.copy())


def _check_shape(shape: tuple[int, ...], rank: int, argument: str, accepted: str) -> None:
    if len(shape) != rank:
        hint = ""
        if rank == 3 and len(shape) == 4:
            hint = " (a batch: give one image, e.g. images[0])"
        elif rank == 4 and len(shape) == 3:
            hint = " (one image: add a batch axis, e.g. image[None])"
        elif rank == 3 and len(shape) == 2:
            hint = " (no channel axis: add one, e.g. image[None])"
        raise ValueError(f"{argument}: found shape {shape}{hint}; accepted is {accepted}")
    channels = shape[-3]
    if channels not in _CHANNELS:
        if shape[-1] in _CHANNELS:
            axes = "2, 0, 1" if rank == 3 else "0, 3, 1, 2"
            raise ValueError(
                f"{argument}: found shape {shape}, which looks channels-last; move the channels first, "
                f"e.g. image.transpose({axes}); accepted is {accepted}"
            )
        raise ValueError(f"{argument}: found {channels} channels in shape {shape}; accepted is {accepted}")
    if 0 in shape:
        raise ValueError(f"{argument}: found shape {shape}, which holds no pixels; accepted is {accepted}")


def _check_range(pixels: Tensor, argument: str, accepted: str) -> None:
    bad = int((~torch.isfinite(pixels)).sum())
    if bad:
        first = tuple(int(i) for i in (~torch.isfinite(pixels)).nonzero()[0])
        raise ValueError(
            f"{argument}: found {bad} NaN or infinite pixels, the first at index {first}; "
            f"accepted is {accepted}"
        )
    low, high = float(pixels.min()), float(pixels.max())
    if low < 0.0 or high > 1.0:
        hint = "; divide by 255" if low >= 0.0 and 1.0 < high <= 255.0 and high > 2.0 else ""
        raise ValueError(f"{argument}: found values in [{low:.4g}, {high:.4g}]{hint}; accepted is {accepted}")
