"""How alike maps are: structural similarity, with every setting stated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

Maps = Float[np.ndarray, "_ _ _"] | Float[Tensor, "_ _ _"]  # maps, height, width
ROUNDING = 1e-12  # span over largest value below which a map is constant: what its arithmetic leaves


@final
@dataclass(frozen=True)
class Ssim:
    """Structural similarity of maps, with the settings the publication leaves open.

    Every map is scaled to [0, 1] by its own least and largest value, a constant one to 0; the data range is
    therefore 1. Windows are Gaussian with standard deviation ``sigma`` pixels, cut off at 3.5 of them (11
    pixels wide for 1.5), covariances those of the population, borders left out. Raises ValueError for a sigma
    or constants that are not above 0. Source: Wang et al. (2004), "Image Quality Assessment: From Error
    Visibility to Structural Similarity"; computed by torchmetrics in double precision.

    >>> Ssim().width
    11
    """

    sigma: float = 1.5
    k1: float = 0.01
    k2: float = 0.03

    def __post_init__(self) -> None:
        for name in ("sigma", "k1", "k2"):
            value = getattr(self, name)
            if not 0.0 < value < float("inf"):
                raise ValueError(f"{name}: found {value!r}; accepted is a number above 0")

    @property
    def width(self) -> int:
        """Side of the window in pixels; maps must be at least as large."""
        return 2 * int(3.5 * self.sigma + 0.5) + 1

    def __call__(self, first: Maps, second: Maps) -> Float[np.ndarray, " n"]:
        """The similarity of each pair of maps, -1 to 1; ValueError naming the argument that does not fit."""
        # Imported where it is used: it takes a second, and importing this package must not wait for it.
        from torchmetrics.functional.image import structural_similarity_index_measure  # noqa: PLC0415

        one, other = _scaled(first, "first"), _scaled(second, "second")
        if one.shape != other.shape:
            raise ValueError(
                f"second: found {tuple(other.shape)}; accepted is first's shape {tuple(one.shape)}"
            )
        if min(one.shape[1:]) < self.width:
            raise ValueError(
                f"first: found maps of {one.shape[1]}x{one.shape[2]} pixels; with sigma={self.sigma} "
                f"accepted are sides of at least {self.width}"
            )
        _, full = structural_similarity_index_measure(
            one[:, None],
            other[:, None],
            sigma=self.sigma,
            reduction="none",
            data_range=1.0,
            k1=self.k1,
            k2=self.k2,
            return_full_image=True,
        )
        # Windows that reach over the border are left out, as Wang et al. do: libraries continue maps there,
        # each in its own way, and then differ by as much as 0.1.
        edge = self.width // 2
        similarity = torch.as_tensor(full)[:, 0, edge:-edge, edge:-edge].mean((1, 2))
        same = (one == other).all(2).all(1)  # exactly, whatever rounding inside
        return np.asarray(torch.where(same, 1.0, similarity).numpy())


SSIM = Ssim()


def constant(maps: Float[Tensor, "n h w"]) -> Bool[Tensor, " n"]:
    """Which maps have one value everywhere, up to rounding in double precision.

    >>> constant(torch.ones(1, 2, 2))
    tensor([True])
    """
    flat = maps.flatten(1)
    return flat.amax(1) - flat.amin(1) <= ROUNDING * flat.abs().amax(1)


def _scaled(maps: Maps, argument: str) -> Float[Tensor, "n h w"]:
    """Maps in double precision, each scaled to [0, 1]; constant ones to 0."""
    values = torch.as_tensor(maps).detach().cpu().double()
    if values.ndim != 3 or values.numel() == 0 or not bool(torch.isfinite(values).all()):
        raise ValueError(
            f"{argument}: found maps of shape {tuple(values.shape)}, or values that are not finite; "
            "accepted are finite maps (n, h, w)"
        )
    least = values.amin((1, 2), keepdim=True)
    span = values.amax((1, 2), keepdim=True) - least
    return torch.where(constant(values)[:, None, None], 0.0, (values - least) / span)
