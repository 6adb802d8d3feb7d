"""Photographs: files and images of PIL, of any mode and depth, as upright RGB over an opaque background.

A file is taken as the loaders of torchvision, timm and Transformers take it: embedded colour profiles are not
applied, and of several frames the first is read. Unlike theirs, images deeper than 8 bits keep their values,
colour under transparency never reaches a network, and the orientation of EXIF is followed.
"""

from __future__ import annotations

import os
import stat
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from jaxtyping import Float, UInt16
from PIL import Image, ImageColor, ImageOps
from torch import Tensor
from typing_extensions import TypeIs

from wcam_widget.model.clamping import clamped
from wcam_widget.text import printable

if TYPE_CHECKING:
    PhotoLike: TypeAlias = str | os.PathLike[str] | Image.Image
    ColourLike: TypeAlias = str | Sequence[int]
else:
    # Checks at run time are our own: their errors name the argument as the caller wrote it.
    PhotoLike = ColourLike = Any

_ACCEPTED = "8 and 16 bits per value, and floats in [0, 1]"
# PIL keeps the upper halves of 16-bit colours; bytes read in the other order give the lower ones.
_OTHER_ORDER = {"16B": "16L", "16L": "16B", "16N": "16B" if sys.byteorder == "little" else "16L"}
_16_BIT_FORMATS = ("PNG", "PPM", "JPEG2000")  # whose mode I means 16 bits
_RUN_PROGRAMS = {"EPS"}  # PIL reads it by starting Ghostscript
_ONE_PICTURE = {"MPO"}  # what follows are previews and maps of depth


class PhotographWarning(UserWarning):
    """What a reader of an explanation has to know of the photograph."""


def read_photograph(
    source: PhotoLike, background: ColourLike = "white", argument: str = "image"
) -> Image.Image:
    """Read a photograph as an upright RGB image of PIL, 8 bits deep.

    Args:
        source: Path of an image file, or an image of PIL of any mode; it is not changed.
        background: What transparent parts are laid over: a colour's name, "#rrggbb" or three numbers 0-255.
        argument: What messages call an image that has no path.

    Returns:
        An image of mode RGB. 16-bit and float images are scaled by their full range and rounded.

    Raises:
        ValueError: For what is no image, is truncated, holds no pixels, 32-bit integers, or floats outside
            [0, 1]; it names the file or ``argument``.
        OSError: For a file that cannot be opened.
        TypeError: For another kind of source.

    Warns:
        PhotographWarning: Where something transparent was laid over the background, and where frames after
            the first were left out.

    >>> read_photograph(Image.new("L", (2, 1), 7)).getpixel((0, 0))
    (7, 7, 7)
    """
    pixels = _developed(source, background, argument)
    if isinstance(pixels, Image.Image):
        return pixels
    return Image.fromarray((pixels * 255.0).round().astype(np.uint8))


def photograph_pixels(
    source: PhotoLike, background: ColourLike = "white", argument: str = "image"
) -> Float[Tensor, "3 h w"]:
    """Read a photograph as float32 in [0, 1], (3, H, W), as deep as it is stored.

    Args, errors and warnings are those of ``read_photograph``.

    >>> photograph_pixels(Image.new("I;16", (4, 2), 13107))[0, 0]
    tensor([0.2000, 0.2000, 0.2000, 0.2000])
    """
    pixels = _developed(source, background, argument)
    if isinstance(pixels, Image.Image):
        pixels = np.asarray(pixels, np.float32) / np.float32(255.0)
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))


def is_photograph(source: Any) -> TypeIs[str | os.PathLike[str] | Image.Image]:
    """Whether ``source`` is a path or an image of PIL, which the functions here read.

    >>> is_photograph("cat.png"), is_photograph(torch.zeros(3, 2, 2))
    (True, False)
    """
    return isinstance(source, str | os.PathLike | Image.Image)


def _developed(source: Any, background: Any, argument: str) -> Image.Image | Float[np.ndarray, "h w 3"]:
    """RGB without transparency: an image of PIL where 8 bits hold it, else floats in [0, 1]."""
    colour = _ensure_colour(background)
    lower = None
    if isinstance(source, Image.Image):
        name, stored, kind = argument, source, source.format
        with _reading(name):
            upright = _upright(stored, name)
    elif isinstance(source, str | os.PathLike):
        path = Path(os.fsdecode(source))
        name = printable(str(path))
        upright, lower, kind = _opened(path, name)
    else:
        raise TypeError(
            f"{argument}: found {type(source).__qualname__}; accepted are a path and an image of PIL"
        )
    if 0 in upright.size:
        raise ValueError(f"{name}: found {upright.width}x{upright.height}, which holds no pixels")
    deep = _joined(upright, lower) if lower is not None else _deep(upright, kind, name)
    return _laid_over(_eight_bits(upright, name) if deep is None else deep, colour, name)


def _ensure_colour(background: Any) -> tuple[int, int, int]:
    try:
        channels = ImageColor.getrgb(background) if isinstance(background, str) else tuple(background)
    except (ValueError, TypeError):
        channels = ()
    if len(channels) != 3 or not all(isinstance(c, int) and 0 <= c <= 255 for c in channels):
        raise ValueError(
            f"background: found {background!r}; accepted are a colour's name, '#rrggbb' and three numbers "
            "from 0 to 255"
        )
    return channels


@contextmanager
def _reading(name: str) -> Iterator[None]:
    """Turn all that a decoder raises over bytes it cannot read into one error that names the photograph."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:  # of the file system
            raise
        reason = printable(str(error)) or type(error).__name__
        raise ValueError(f"{name}: not an image that can be read: {reason}") from error


def _opened(path: Path, name: str) -> tuple[Image.Image, Image.Image | None, str | None]:
    """A file's image, upright, the lower halves of its pixels where it is RGB of 16 bits, and its format."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{name}: there is no such file; accepted is an image file") from error
    if not stat.S_ISREG(mode):
        raise ValueError(f"{name}: not a file; accepted is an image file")
    Image.init()
    formats = sorted(set(Image.ID) - _RUN_PROGRAMS)
    with _reading(name):
        with Image.open(path, formats=formats) as file:
            swapped = _swapped(file)
            frames = 1 if file.format in _ONE_PICTURE else getattr(file, "n_frames", 1)
            upright, kind = _upright(file, name), file.format
        lower = None
        if swapped:
            with Image.open(path, formats=formats) as file:
                file.tile = swapped
                lower = _upright(file, name)
    if frames > 1:
        _warn(f"{name}: holds {frames} frames; the first is read")
    return upright, lower, kind


def _swapped(file: Any) -> list[Any]:
    """The file's parts as PIL reads them, in the other order of bytes; empty where that gains nothing."""
    swapped = []
    for part in file.tile:
        first, *rest = (part.args,) if isinstance(part.args, str) else part.args or ("",)
        mode, _, order = str(first).partition(";")
        if mode != file.mode or mode not in ("RGB", "RGBA") or order not in _OTHER_ORDER:
            return []
        other = f"{mode};{_OTHER_ORDER[order]}"
        swapped.append(part._replace(args=other if isinstance(part.args, str) else (other, *rest)))
    return swapped


def _upright(image: Image.Image, name: str) -> Image.Image:
    """A loaded copy, turned as its EXIF data say."""
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001  damaged EXIF data raise almost anything; the pixels were read
        _warn(f"{name}: its EXIF data cannot be read; it is taken as it is stored")
        return image.copy()


def _deep(image: Image.Image, kind: str | None, name: str) -> Float[np.ndarray, "h w c"] | None:
    """The pixels of grey images that 8 bits do not hold, in [0, 1]; None for all others."""
    if image.mode.startswith("I;16") or (image.mode == "I" and kind in _16_BIT_FORMATS):
        return _scaled(np.repeat(np.asarray(image)[..., None], 3, axis=2).astype(np.uint16), image)
    if image.mode == "I":
        raise ValueError(
            f"{name}: found 32-bit integers, whose full range no photograph fills; accepted are {_ACCEPTED}"
        )
    if image.mode != "F":
        return None
    grey = clamped(torch.from_numpy(np.array(image, np.float32)), name, _ACCEPTED).numpy()
    return np.repeat(grey[..., None], 3, axis=2)


def _joined(upper: Image.Image, lower: Image.Image) -> Float[np.ndarray, "h w c"]:
    """Colours of 16 bits from the upper and the lower halves."""
    joined = (np.asarray(upper).astype(np.uint16) << 8) | np.asarray(lower)
    return _scaled(joined, upper)


def _scaled(stored: UInt16[np.ndarray, "h w c"], image: Image.Image) -> Float[np.ndarray, "h w d"]:
    """Values of 16 bits in [0, 1], with the transparency of the one value that a PNG may name."""
    scaled = stored.astype(np.float32) / np.float32(65535.0)
    key = image.info.get("transparency")
    if key is None or stored.shape[2] == 4:
        return scaled
    opaque = (stored != np.array(key, np.uint16)).any(axis=2, keepdims=True)
    return np.concatenate((scaled, opaque.astype(np.float32)), axis=2)


def _eight_bits(image: Image.Image, name: str) -> Image.Image:
    """As RGB, or as RGBA where something may be transparent."""
    with _reading(name):
        if image.mode == "La":  # the only mode that has no way to RGBA
            image = image.convert("LA")
        return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _laid_over(
    shown: Image.Image | Float[np.ndarray, "h w c"], colour: tuple[int, int, int], name: str
) -> Image.Image | Float[np.ndarray, "h w 3"]:
    """Without transparency; said where there was any."""
    if isinstance(shown, Image.Image):
        if shown.mode == "RGB":
            return shown
        clear = shown.getchannel("A").getextrema()[0] < 255  # type: ignore[operator]
        below = Image.new("RGBA", shown.size, (*colour, 255))
        over: Image.Image | np.ndarray = Image.alpha_composite(below, shown).convert("RGB")
    else:
        if shown.shape[2] == 3:
            return shown
        colours, alpha = shown[..., :3], shown[..., 3:]
        clear = bool((alpha < 1.0).any())
        over = colours * alpha + np.array(colour, np.float32) / np.float32(255.0) * (1.0 - alpha)
    if clear:
        _warn(f"{name}: has transparent parts; they are laid over {'#' + bytes(colour).hex()}")
    return over


def _warn(message: str) -> None:
    warnings.warn(message, PhotographWarning, stacklevel=2)
