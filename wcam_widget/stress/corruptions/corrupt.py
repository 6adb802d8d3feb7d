"""`corrupt`: one call for nineteen common corruptions at five severities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from numbers import Integral
from typing import Any, TypeVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wcam_widget.model import ImagesLike, ensure_images
from wcam_widget.model.clamping import clamped
from wcam_widget.stress.corruptions import blur, digital, noise, weather
from wcam_widget.stress.corruptions.draws import Draws
from wcam_widget.stress.corruptions.spatter import spatter

Corruption = Callable[[Tensor, int, Draws], Tensor]
Value = TypeVar("Value")

_FUNCTIONS: Mapping[str, Corruption] = {
    "gaussian_noise": noise.gaussian_noise,
    "shot_noise": noise.shot_noise,
    "impulse_noise": noise.impulse_noise,
    "defocus_blur": blur.defocus_blur,
    "glass_blur": blur.glass_blur,
    "motion_blur": blur.motion_blur,
    "zoom_blur": blur.zoom_blur,
    "snow": weather.snow,
    "frost": weather.frost,
    "fog": weather.fog,
    "brightness": digital.brightness,
    "contrast": digital.contrast,
    "elastic_transform": digital.elastic_transform,
    "pixelate": digital.pixelate,
    "jpeg_compression": digital.jpeg_compression,
    "speckle_noise": noise.speckle_noise,
    "gaussian_blur": blur.gaussian_blur,
    "spatter": spatter,
    "saturate": digital.saturate,
}
CORRUPTIONS = tuple(_FUNCTIONS)
"""Names of the corruptions: the 15 that make up the benchmark, then the 4 that were held back for tuning."""
SEVERITIES = (1, 2, 3, 4, 5)
SMALLEST = 16
"""The shortest side of an image that can be corrupted, in pixels."""
_ACCEPTED = "a float tensor (n, c, h, w) with values in [0, 1], n and c of at least 1"


def corrupt(
    images: ImagesLike, name: str, severity: int = 3, seed: int = 0, first: int = 0
) -> Float[Tensor, "n c h w"]:
    """Corrupt images as in ImageNet-C, with the published parameters.

    Lengths in pixels (radii of blurs, sizes of flakes and drops, displacements) are published for sides of
    224 and are multiplied by the shorter side over 224, so that a severity looks alike at every size. Noise
    is of single values and JPEG of blocks of 8 pixels at every size. The ice of "frost" is generated; the
    publication adds photographs of frozen windows. Only "jpeg_compression" rounds to 8 bits.

    Args:
        images: (n, c, h, w) in [0, 1], any number of channels, sides of at least 16; or what else is accepted
            as images of a model, all of one size.
        name: One of ``CORRUPTIONS``.
        severity: 1, the least, to 5.
        seed: Of the random numbers, at least 0. All severities of an image share them.
        first: The number of the first image, at least 0. An image gets its random numbers by the seed, the
            name and its number, so batches of a longer series give what the series as one batch gives.

    Returns:
        (n, c, h, w), float32 in [0, 1], on the device of the images.

    Raises:
        ValueError: Naming the argument that does not fit; for an unknown name, with all names.
        TypeError: For images or an argument of another type.

    References:
        Hendrycks and Dietterich (2019), "Benchmarking Neural Network Robustness to Common Corruptions and
        Perturbations", section 3.

    Examples:
        >>> images = torch.rand(2, 3, 32, 32)
        >>> corrupt(images, "fog", severity=5).shape
        torch.Size([2, 3, 32, 32])
        >>> corrupt(images, "mist")
        Traceback (most recent call last):
        ValueError: name: found 'mist'; accepted are gaussian_noise, shot_noise, ...
    """
    function = _FUNCTIONS[ensure_corruption(name)]
    level = ensure_severity(severity)
    batch = _ensure_batch(images)
    start, root = (_ensure_count(each, word) for each, word in ((first, "first"), (seed, "seed")))
    draws = Draws.of(name, root, start, len(batch), batch.device)
    with torch.inference_mode(mode=False), torch.no_grad():
        return function(batch, level, draws).clamp(0.0, 1.0)


def ensure_corruption(name: Any, argument: str = "name") -> str:
    """The name of a corruption; ValueError with all names where it is not one."""
    if isinstance(name, str) and name in _FUNCTIONS:
        return name
    near = get_close_matches(str(name), CORRUPTIONS, n=1, cutoff=0.7)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise ValueError(f"{argument}: found {name!r}; {hint}accepted are {', '.join(CORRUPTIONS)}")


def ensure_severity(severity: Any, argument: str = "severity") -> int:
    """A severity from 1 to 5; ValueError where it is not one."""
    if isinstance(severity, bool) or not isinstance(severity, Integral) or int(severity) not in SEVERITIES:
        raise ValueError(f"{argument}: found {severity!r}; accepted are the integers 1 to 5")
    return int(severity)


def ensure_several(values: Any, argument: str, ensure: Callable[[Any, str], Value]) -> tuple[Value, ...]:
    """A sequence of at least one, each as ``ensure`` accepts it; errors name ``argument`` and the place."""
    if isinstance(values, str) or not hasattr(values, "__len__"):
        raise TypeError(f"{argument}: found {values!r}; accepted is a sequence, such as a list")
    if not len(values):
        raise ValueError(f"{argument}: found none; accepted is at least one")
    return tuple(ensure(each, f"{argument}[{place}]") for place, each in enumerate(values))


def _ensure_count(number: Any, argument: str) -> int:
    if isinstance(number, bool) or not isinstance(number, Integral) or int(number) < 0:
        raise ValueError(f"{argument}: found {number!r}; accepted is an integer of at least 0")
    return int(number)


def _ensure_batch(images: Any) -> Float[Tensor, "n c h w"]:
    """Images as float32 where they are; ValueError or TypeError naming ``images``."""
    is_floats = isinstance(images, np.ndarray) and images.dtype.kind == "f"
    batch = torch.from_numpy(np.ascontiguousarray(images)) if is_floats else images
    if not isinstance(batch, Tensor) or not batch.is_floating_point():
        batch = ensure_images(images)
    if batch.ndim != 4 or 0 in batch.shape:
        hint = " (one image: add a batch axis, e.g. image[None])" if batch.ndim == 3 else ""
        raise ValueError(f"images: found shape {tuple(batch.shape)}{hint}; accepted is {_ACCEPTED}")
    if min(batch.shape[2:]) < SMALLEST:
        raise ValueError(
            f"images: found {batch.shape[2]}x{batch.shape[3]} pixels; accepted are sides of at least "
            f"{SMALLEST}"
        )
    return clamped(batch.detach().float(), "images", _ACCEPTED)
