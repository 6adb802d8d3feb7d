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
    """The image that stands for "nothing there".

    Args:
        baseline: "mean", the image's mean colour, "black", "blurred", a copy without detail, or an image.
        image: The image (C, H, W) in [0, 1] that it stands in for.

    Returns:
        An image (C, H, W).

    Raises:
        ValueError: For an unknown name or an image of another shape.

    Examples:
        >>> baseline_image("mean", torch.tensor([[[0.0, 1.0]]]))
        tensor([[[0.5000, 0.5000]]])
    """
    if isinstance(baseline, Tensor):
        pixels = ensure_image(baseline, "baseline")
        if pixels.shape != image.shape:
            raise ValueError(
                f"baseline has shape {tuple(pixels.shape)}; the image it stands for has {tuple(image.shape)}"
            )
        return pixels
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
