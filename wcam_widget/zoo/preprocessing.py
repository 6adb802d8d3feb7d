"""Preprocessing read from its source: what a transform does to colours, and the rest of it as `Framing`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

_SIDE = 317  # no network's own size, so that a size in the answer is the transform's
_PLAIN = {"black": (0, 0, 0), "red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
_CHECKED = (51, 102, 204)
_TWO = ((70, 110, 90), (150, 160, 190))


@final
@dataclass(frozen=True, eq=False)
class ColourMap:
    """An affine map of colours, applied to every pixel: normalisation, scaling, a swap of channels.

    matrix: (output channels, 3). offset: (output channels,).

    >>> half = ColourMap(torch.eye(3) * 0.5, torch.zeros(3))
    >>> half(torch.ones(1, 3, 2, 2)).unique()
    tensor([0.5000])
    """

    matrix: Float[Tensor, "o 3"]
    offset: Float[Tensor, " o"]

    def __call__(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n o h w"]:
        """Map images (n, 3, h, w) in [0, 1] to the network's input."""
        matrix, offset = self.matrix.to(images.device), self.offset.to(images.device)
        if self._is_diagonal:
            return images * matrix.diagonal()[:, None, None] + offset[:, None, None]
        return torch.einsum("oc,nchw->nohw", matrix, images) + offset[:, None, None]

    def inverse(self, values: Float[Tensor, "o h w"]) -> Float[Tensor, "3 h w"]:
        """The image that is mapped to `values`; of those that are, as for one grey channel, the smallest."""
        apart = values - self.offset[:, None, None]
        if self._is_diagonal and bool(self.matrix.diagonal().all()):
            return apart / self.matrix.diagonal()[:, None, None]
        return torch.einsum("co,ohw->chw", torch.linalg.pinv(self.matrix), apart)

    @property
    def _is_diagonal(self) -> bool:
        return self.matrix.shape[0] == 3 and torch.equal(self.matrix, torch.diag(self.matrix.diagonal()))


@final
@dataclass(frozen=True, eq=False)
class Framing:
    """What a transform does to a photograph but for its colours: resizing, its interpolation, cropping.

    It runs the transform itself and takes its map of colours back.

    >>> half = ColourMap(torch.eye(3) * 0.5, torch.zeros(3))
    >>> Framing(lambda photo: torch.full((3, 2, 2), 0.25), half)(Image.new("RGB", (9, 9))).unique()
    tensor([0.5000])
    """

    transform: Callable[[Image.Image], Any]
    colours: ColourMap

    def __call__(self, photo: Image.Image) -> Float[Tensor, "3 h w"]:
        """The image (3, h, w) that `colours` maps to what the transform makes of the photograph."""
        return self.colours.inverse(torch.as_tensor(self.transform(photo)).float())


def read_transform(
    transform: Callable[[Image.Image], Any], source: str
) -> tuple[ColourMap, tuple[int, int] | None]:
    """Read what a transform does to colours, and to which height and width it resizes.

    `transform` takes an RGB image of PIL to a tensor (C, H, W). Resizing and cropping leave a plain image
    plain, so four plain images tell the map of colours; a fifth, and one of two colours, check it. The size
    is None where it depends on that of the image. Raises ValueError, naming `source`, for one that is no
    such map.

    >>> def transform(image):
    ...     pixels = torch.tensor(bytearray(image.resize((224, 224)).tobytes()))
    ...     return pixels.reshape(224, 224, 3).permute(2, 0, 1) / 255 - 0.5
    >>> colours, size = read_transform(transform, "timm:resnet18")
    >>> colours(torch.ones(1, 3, 1, 1)).flatten(), size
    (tensor([0.5000, 0.5000, 0.5000]), (224, 224))
    """
    shown = {name: _plain(transform, colour, source) for name, colour in _PLAIN.items()}
    offset = shown["black"]
    columns = [shown[name] - offset for name in ("red", "green", "blue")]
    colours = ColourMap(torch.stack(columns, dim=1), offset)
    halves = _shown(transform, _two_colours(), source)
    height, width = halves.shape[1:]
    parts = {_CHECKED: _plain(transform, _CHECKED, source)}
    parts |= dict(
        zip(_TWO, (halves[:, height // 2, width // 4], halves[:, height // 2, -width // 4]), strict=True)
    )
    for colour, part in parts.items():
        expected = colours(torch.tensor(colour).reshape(1, 3, 1, 1) / 255.0).flatten()
        if not torch.allclose(part, expected, atol=1e-3, rtol=1e-3):
            raise _unreadable(source)
    square = _shown(transform, Image.new("RGB", (_SIDE, _SIDE)), source).shape[1:]
    return colours, (height, width) if square == (height, width) else None


def _two_colours() -> Image.Image:
    """An image that is wider than high, one colour on the left and one on the right."""
    image = Image.new("RGB", (_SIDE, _SIDE * 4 // 5), _TWO[0])
    image.paste(_TWO[1], (_SIDE // 2, 0, *image.size))
    return image


def _plain(transform: Callable[[Image.Image], Any], colour: tuple[int, int, int], source: str) -> Tensor:
    answer = _shown(transform, Image.new("RGB", (_SIDE, _SIDE), colour), source)
    if float((answer - answer[:, :1, :1]).abs().max()) > 1e-4:
        raise _unreadable(source)
    return answer[:, 0, 0]


def _shown(transform: Callable[[Image.Image], Any], image: Image.Image, source: str) -> Tensor:
    answer = torch.as_tensor(transform(image)).float()
    if answer.ndim != 3:
        raise _unreadable(source)
    return answer


def _unreadable(source: str) -> ValueError:
    return ValueError(
        f"name: the preprocessing of {source!r} does more than resize, crop and map colours; "
        "load the model yourself and give BlackBox its own preprocess"
    )
