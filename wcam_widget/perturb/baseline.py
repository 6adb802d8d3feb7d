"""What an approximation is replaced by where its weight is 0."""

from __future__ import annotations

import torch
from jaxtyping import Float
from scipy import ndimage
from torch import Tensor

from wcam_widget.model.images import ensure_image

Baseline = str | Tensor
NAMES = ("mean", "black", "blurred")
BLUR = 16  # a blurred baseline keeps what is larger than about a sixteenth of the shorter side


def baseline_image(baseline: Baseline, image: Float[Tensor, "c h w"]) -> Float[Tensor, "c h w"]:
    """The image that stands for "nothing there": mean colour, black, a blurred copy, or one of your own.

    Raises ValueError for an unknown name or an image of another shape.

    >>> baseline_image("mean", torch.tensor([[[0.0, 1.0]]]))
    tensor([[[0.5000, 0.5000]]])
    """
    if isinstance(baseline, Tensor):
        given = ensure_image(baseline, "baseline")
        if given.shape != image.shape:
            raise ValueError(
                f"baseline has shape {tuple(given.shape)}; the image it stands for has {tuple(image.shape)}"
            )
        return given
    if baseline == "mean":
        return image.mean((1, 2), keepdim=True).expand_as(image)
    if baseline == "black":
        return torch.zeros_like(image)
    if baseline == "blurred":
        width = min(image.shape[1:]) / BLUR
        return torch.from_numpy(ndimage.gaussian_filter(image.cpu().numpy(), (0, width, width)))
    raise ValueError(
        f"baseline={baseline!r} is unknown; {', '.join(NAMES)} or an image (C, H, W) are accepted"
    )
