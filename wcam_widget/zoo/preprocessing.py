"""Preprocessing read from its source: what a transform does to colours, found by showing it plain colours."""

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

    @property
    def _is_diagonal(self) -> bool:
        return self.matrix.shape[0] == 3 and torch.equal(self.matrix, torch.diag(self.matrix.diagonal()))


def read_transform(
    transform: Callable[[Image.Image], Any], source: str
) -> tuple[ColourMap, tuple[int, int] | None]:
    """Read what a transform does to colours, and to which height and width it resizes.

    `transform` takes an RGB image of PIL to a tensor (C, H, W). Resizing and cropping leave a plain image
    plain, so four plain images tell the map of colours and a fifth checks it. The size is None where the
    transform keeps that of the image. Raises ValueError, naming `source`, for one that is no such map.

    >>> def transform(image):
    ...     return torch.tensor(image.getpixel((0, 0))).reshape(3, 1, 1).expand(3, 224, 224) / 255 - 0.5
    >>> colours, size = read_transform(transform, "timm:resnet18")
    >>> colours(torch.ones(1, 3, 1, 1)).flatten(), size
    (tensor([0.5000, 0.5000, 0.5000]), (224, 224))
    """
    shown = {name: _shown(transform, colour, source) for name, colour in _PLAIN.items()}
    offset = shown["black"][:, 0, 0]
    columns = [shown[name][:, 0, 0] - offset for name in ("red", "green", "blue")]
    colours = ColourMap(torch.stack(columns, dim=1), offset)
    expected = colours(torch.tensor(_CHECKED).reshape(1, 3, 1, 1) / 255.0).flatten()
    if not torch.allclose(_shown(transform, _CHECKED, source)[:, 0, 0], expected, atol=1e-3, rtol=1e-3):
        raise _unreadable(source)
    height, width = shown["black"].shape[1:]
    return colours, None if (height, width) == (_SIDE, _SIDE) else (height, width)


def _shown(transform: Callable[[Image.Image], Any], colour: tuple[int, int, int], source: str) -> Tensor:
    answer = torch.as_tensor(transform(Image.new("RGB", (_SIDE, _SIDE), colour))).float()
    if answer.ndim != 3 or float((answer - answer[:, :1, :1]).abs().max()) > 1e-4:
        raise _unreadable(source)
    return answer


def _unreadable(source: str) -> ValueError:
    return ValueError(
        f"name: the preprocessing of {source!r} does more than resize, crop and map colours; "
        "load the model yourself and give BlackBox its own preprocess"
    )
