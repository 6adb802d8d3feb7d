"""What a perturbation may be: how large, in which norm, and in which wavelet bands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from wcam_widget.basis import WaveletBasis

NORMS = ("linf", "l2")
ROUNDS = 12  # alternations between the bands and the bounds; tiles that still leave the bounds are shrunk
SLACK = 1e-6  # what rounding may exceed a bound by before it is cut off, in image values


@final
@dataclass(frozen=True)
class Threat:
    """The threat model of an attack: its norm, its aim, and the wavelet bands it may touch.

    Haar because its tiles do not overlap: the bounds of single pixels can be kept tile by tile without
    leaving the bands.

    Args:
        norm: "linf", the largest change of any pixel value, or "l2", the root of the summed squares over all
            channels and pixels.
        targeted: Reach the given classes instead of leaving them.
        bands: Names as in ``WaveletBasis((H, W), "haar", levels)``, such as ("LH2", "HL2"): all other Haar
            coefficients of the perturbation are 0, up to rounding. None for the image without restriction.
        levels: Scales of that transform, at least 1, used with bands only.

    Raises:
        ValueError: For an unknown norm, an empty or unknown band and levels below 1.

    Examples:
        >>> Threat("l2", bands=("HH1",)).tile
        2
    """

    norm: str = "linf"
    targeted: bool = False
    bands: Sequence[str] | None = None
    levels: int = 3

    def __post_init__(self) -> None:
        if self.norm not in NORMS:
            raise ValueError(f"norm: found {self.norm!r}; accepted are {', '.join(NORMS)}")
        if int(self.levels) != self.levels or self.levels < 1:
            raise ValueError(f"levels: found {self.levels!r}; accepted is an integer of at least 1")
        if self.bands is None:
            return
        named = (self.bands,) if isinstance(self.bands, str) else tuple(self.bands)
        known = _band_levels(self.levels)
        for name in named:
            if name not in known:
                raise ValueError(
                    f"bands: found {name!r}; with levels={self.levels} accepted are {', '.join(known)}"
                )
        if not named:
            raise ValueError("bands: found none; name at least one, or give None to change every band")
        object.__setattr__(self, "bands", named)

    @property
    def tile(self) -> int:
        """Side, in pixels, of the squares in which the perturbation can be scaled without leaving its bands.

        This is the tile of the coarsest band; 1 where every band may change.
        """
        if self.bands is None:
            return 1
        known = _band_levels(self.levels)
        return int(2 ** max(known[name] for name in self.bands))

    def ensure_epsilon(self, epsilon: Any, images: Float[Tensor, "n c h w"]) -> float:
        """Epsilon as a number, or ValueError: in the [0, 1] scale no pixel can change by more than 1."""
        most = 1.0 if self.norm == "linf" else math.sqrt(images[0].numel())
        number = isinstance(epsilon, Real) and not isinstance(epsilon, bool)
        if not number or not 0.0 <= epsilon <= most:
            hint = "; divide by 255" if number and self.norm == "linf" and 1.0 < epsilon <= 255.0 else ""
            raise ValueError(
                f"epsilon: found {epsilon!r}{hint}; accepted for {self.norm} is a number from "
                f"0 to {most:.4g}, in the [0, 1] scale of the images"
            )
        return float(epsilon)

    def around(self, images: Float[Tensor, "n c h w"], epsilon: Any) -> Ball:
        """The perturbations of images that the threat allows.

        Args:
            images: (n, C, H, W) in [0, 1].
            epsilon: The largest change, in the norm of the threat.

        Returns:
            Those that are at most ``epsilon`` and keep to the bands and to [0, 1].

        Raises:
            ValueError: For an epsilon outside its range, and for sides the tiles of ``levels`` do not fill.
        """
        height, width = images.shape[-2:]
        step = 2**self.levels
        if self.bands is not None and (height % step or width % step):
            raise ValueError(
                f"levels={self.levels} with bands needs sides that {step} divides; "
                f"found images of {height}x{width}"
            )
        return Ball(images, self.ensure_epsilon(epsilon, images), self)


@final
@dataclass(frozen=True, eq=False)
class Ball:
    """Perturbations around images: within epsilon, within [0, 1], in the bands; a convex set that holds 0.

    >>> ball = Threat("linf").around(torch.full((1, 1, 2, 2), 0.95), 0.1)
    >>> ball.fit(torch.ones(1, 1, 2, 2)).max()
    tensor(0.0500)
    """

    images: Float[Tensor, "n c h w"]
    epsilon: float
    threat: Threat

    @cached_property
    def _bounds(self) -> tuple[Tensor, Tensor]:
        """The least and the largest change of every pixel value."""
        low, high = -self.images, 1.0 - self.images
        if self.threat.norm == "linf":
            most = np.float32(self.epsilon)
            if float(most) > self.epsilon:
                most = np.nextafter(most, np.float32(0.0))
            return low.clamp(min=-float(most)), high.clamp(max=float(most))
        return low, high

    @cached_property
    def _basis(self) -> WaveletBasis:
        height, width = self.images.shape[-2:]
        return WaveletBasis((height, width), "haar", self.threat.levels)

    @cached_property
    def _kept(self) -> Float[Tensor, "hp wp"]:
        """1 on the coefficients of the chosen bands, else 0."""
        kept = torch.zeros(self._basis.picture_size, device=self.images.device)
        for band in self._basis.bands:
            if band.name in (self.threat.bands or ()):
                kept[band.slices] = 1.0
        return kept

    def project(self, change: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """The part of ``change`` that lies in the chosen bands; Haar is orthonormal, so it is the nearest."""
        if self.threat.bands is None:
            return change
        return self._basis.unpack(self._basis.pack(change) * self._kept)

    def steepest(self, slope: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """The change of norm 1 that raises a score with this gradient most; 0 where the gradient is 0.

        With bands in linf it is the sign of the projected gradient, projected again and stretched in every
        tile to its bound: the best there is for one band, an ascent direction for several.
        """
        largest = slope.abs().amax((1, 2, 3), keepdim=True)
        # To 1 first: the square of a small gradient is 0 in single precision.
        along = self.project(torch.where(largest > 0, slope / largest, 0.0))
        if self.threat.norm == "l2":
            length = along.flatten(1).norm(dim=1)[:, None, None, None]
            return torch.where(length > 0, along / length, 0.0)
        signs = along.sign()
        if self.threat.bands is None:
            return signs
        signs = self.project(signs)
        bound = self._over_tiles(signs.abs())
        return torch.where(bound > SLACK, signs / bound, 0.0)

    def random(self, generator: torch.Generator) -> Float[Tensor, "n c h w"]:
        """A random perturbation of this set: uniform values in linf, a random direction in l2."""
        if self.threat.norm == "linf":
            drawn = torch.rand(self.images.shape, generator=generator) * 2 - 1
            return self.fit(drawn.to(self.images.device) * self.epsilon)
        drawn = torch.randn(self.images.shape, generator=generator).to(self.images.device)
        return self.fit(self.steepest(drawn) * self.epsilon)

    def fit(self, change: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """A perturbation of this set near ``change``.

        Without bands one cut is enough. With bands, alternating projections (von Neumann 1949; Boyle
        and Dykstra 1986 on convex sets) bring it near, and tiles that still leave the bounds are shrunk.
        """
        if self.threat.bands is None:
            return self._within_norm(change).clamp(*self._bounds)
        change = self.project(change)
        for _ in range(ROUNDS):
            inside = self._within_norm(change).clamp(*self._bounds)
            if float((inside - change).abs().max()) <= self._slack:
                break
            change = self.project(inside)
        return self._within_norm(self._shrunk(change))

    def settled(self, change: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """The perturbed images, in [0, 1]; their distance as float64 tells it is never above epsilon."""
        images = (self.images + change.clamp(*self._bounds)).clamp(0.0, 1.0)
        if self.threat.norm == "linf":
            # Rounding the sum may overshoot by half a unit in the last place: take that one back.
            over = (images.double() - self.images.double()).abs() > self.epsilon
            return torch.where(over, torch.nextafter(images, self.images), images)
        for _ in range(8):
            length = (images.double() - self.images.double()).flatten(1).norm(dim=1)[:, None, None, None]
            if not bool((length > self.epsilon).any()):
                return images
            share = torch.where(length > self.epsilon, self.epsilon / length * (1 - 1e-6), 1.0)
            change = change * share.to(change)
            images = torch.where(length > self.epsilon, (self.images + change).clamp(0.0, 1.0), images)
        # An epsilon below the rounding of the images themselves allows none.
        length = (images.double() - self.images.double()).flatten(1).norm(dim=1)[:, None, None, None]
        return torch.where(length > self.epsilon, self.images, images)

    @property
    def _slack(self) -> float:
        return min(SLACK, 1e-4 * self.epsilon)

    def _within_norm(self, change: Tensor) -> Tensor:
        """In l2, ``change`` scaled to at most epsilon; linf is part of the bounds of the pixels."""
        if self.threat.norm == "linf":
            return change
        length = torch.linalg.vector_norm(change, dim=(1, 2, 3), keepdim=True)
        share: Tensor = (self.epsilon / length.clamp(min=1e-30)).clamp(max=1.0)
        return change * share

    def _shrunk(self, change: Tensor) -> Tensor:
        """Every tile scaled by the largest factor up to 1 with which all its pixels keep their bounds."""
        low, high = self._bounds
        room = torch.where(change > 0, high, -low) + self._slack
        excess = (change.abs() / room.clamp(min=1e-30)).clamp(min=1.0)
        return change / self._over_tiles(excess)

    def _over_tiles(self, values: Tensor) -> Tensor:
        """The largest value of each tile and channel, at each of its pixels."""
        tile = self.threat.tile
        largest = functional.max_pool2d(values, tile)
        return largest.repeat_interleave(tile, dim=-2).repeat_interleave(tile, dim=-1)


def _band_levels(levels: int) -> dict[str, int]:
    """The names of the bands and their levels, coarse to fine.

    >>> _band_levels(1)
    {'A1': 1, 'LH1': 1, 'HL1': 1, 'HH1': 1}
    """
    details = {f"{name}{level}": level for level in range(levels, 0, -1) for name in ("LH", "HL", "HH")}
    return {f"A{levels}": levels, **details}
