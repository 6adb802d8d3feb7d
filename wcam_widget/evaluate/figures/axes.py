"""Parts that figures share: an image with words above it, and axes without a frame."""

from __future__ import annotations

import textwrap

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from torch import Tensor

WIDTH = 34  # characters of a line of the title
LOST, GAINED = "#0b5394", "#c65d00"  # blue and orange, which all eyes tell apart
SIGNED = LinearSegmentedColormap.from_list("signed", [LOST, "#ffffff", GAINED])


def draw_picture(axes: Axes, image: Float[Tensor, "c h w"], title: str) -> None:
    """Draw an image (C, H, W), clamped to [0, 1], without ticks."""
    pixels = image.clamp(0.0, 1.0).numpy()
    axes.imshow(np.broadcast_to(pixels, (3, *pixels.shape[1:])).transpose(1, 2, 0))
    axes.set_title("\n".join(textwrap.wrap(title, WIDTH)), fontsize="small", parse_math=False)
    axes.set(xticks=[], yticks=[])


def without_frame(axes: Axes) -> None:
    """Leave the lines below and on the left alone."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
