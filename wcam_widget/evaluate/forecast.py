"""Will a corruption flip this image? A forecast from the clean explanation, and how good forecasts are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import special
from scipy.stats import rankdata
from torch import Tensor

from wcam_widget.explain import Attribution
from wcam_widget.explain.cell_sums import summed
from wcam_widget.model import ImageLike, ImagesLike, ensure_image, ensure_images
from wcam_widget.perturb.perturbation import Perturbation

EMPTY = 1e-4  # of the mean energy of a coefficient: what a cell has at least
UNIFORM = 12.0  # 1 / variance of a weight
RIDGE = 1e-3  # of the calibration, for outcomes that a feature separates
STEPS = 50
BINS = 10


def relative_changes(
    attribution: Attribution, image: ImageLike, corrupted: ImagesLike
) -> Float[np.ndarray, "n d"]:
    """Energy of what a corruption changes in each cell, over the energy the cell has in the clean image.

    Args:
        attribution: Of the clean image, on cells of a basis.
        image: The clean image (C, H, W) in [0, 1].
        corrupted: The corrupted ones (n, C, H, W), of the same size.

    Returns:
        (n, d), at least 0; 1 where a cell is lost.

    Raises:
        ValueError: Naming ``image`` or ``corrupted`` where the sizes differ.
    """
    pixels = ensure_image(image)
    batch = ensure_images(corrupted, "corrupted")
    for name, size in (("image", pixels.shape[-2:]), ("corrupted", batch.shape[-2:])):
        if tuple(size) != tuple(attribution.basis.size):
            raise ValueError(f"{name}: found {tuple(size)}; the attribution is of {attribution.basis.size}")
    basis, cells = attribution.basis, attribution.cells
    picture = Perturbation.from_image(pixels, basis, cells).picture
    clean = _energy(picture, attribution)
    sizes = np.bincount(cells.index.numpy().ravel(), minlength=len(cells) + 1)[: len(cells)]
    least = EMPTY * clean.sum() / max(sizes.sum(), 1) * sizes
    packed = basis.pack(pixels)
    changes = [_energy(basis.pack(one) - packed, attribution) for one in batch]
    return np.asarray(np.stack(changes) / np.maximum(clean, np.maximum(least, np.finfo(float).tiny)))


def _energy(picture: Float[Tensor, "c hp wp"], attribution: Attribution) -> Float[np.ndarray, " d"]:
    return summed(picture.double().square(), attribution.cells)


def expected_change(
    attribution: Attribution, image: ImageLike, corrupted: ImagesLike
) -> Float[np.ndarray, " n"]:
    """How far corruptions are expected to move the score, from the clean explanation alone.

    A weight that is uniform on [0, 1] has the variance 1/12 and moves the score by the variance V T of its
    cell. A change of the cell of r times its energy, in a direction that is no more or less important than
    the cell's own, is taken to move it by 12 V T r; cells are taken to be independent. The network is not
    run. It knows nothing of cells that are empty in the clean image.

    Args:
        attribution: Of the clean image: total indices, shares of the variance of the score.
        image: The clean image (C, H, W) in [0, 1].
        corrupted: The corrupted ones (n, C, H, W): of this image, or this image with other images' change.

    Returns:
        (n,) root mean squared changes, in the unit of the explained score.

    Raises:
        ValueError: Naming the argument that does not fit, or an attribution whose values are no shares.

    Examples:
        >>> import torch
        >>> from wcam_widget import Derivative, Wcam, corrupt
        >>> net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, 2))
        >>> images = torch.rand(1, 3, 32, 32)
        >>> (attribution,) = Wcam(Derivative(rows=4))(net, images)
        >>> versions = torch.cat([corrupt(images, "contrast", severity) for severity in (1, 5)])
        >>> small, large = expected_change(attribution, images[0], versions)
        >>> bool(0 < small < large)
        True
    """
    if np.isnan(attribution.variance):
        raise ValueError(
            f"attribution: found values in {attribution.unit!r}; accepted are shares of variance"
        )
    totals = np.nan_to_num(attribution.values).clip(min=0.0)
    moved = relative_changes(attribution, image, corrupted) @ totals
    return np.asarray(np.sqrt(UNIFORM * attribution.variance * moved))


@final
@dataclass(frozen=True, eq=False)
class Forecast:
    """The chance that an image flips, by logistic regression on features that were seen with outcomes.

    Args:
        mean: Of each feature over what it was fitted to, (k,).
        spread: Its standard deviation there, (k,).
        weights: Of the standardised features, (k,), then the constant.

    Examples:
        >>> seen = np.array([[0.0], [1.0], [2.0], [3.0]])
        >>> forecast = Forecast.fit(seen, np.array([False, False, True, True]))
        >>> forecast(np.array([[0.0], [3.0]])).round() + 0.0
        array([0., 1.])
    """

    mean: Float[np.ndarray, " k"]
    spread: Float[np.ndarray, " k"]
    weights: Float[np.ndarray, " k1"]

    @classmethod
    def fit(cls, features: Float[np.ndarray, "n k"], flipped: Bool[np.ndarray, " n"]) -> Forecast:
        """Maximum likelihood with a slight ridge, by Newton's method.

        Args:
            features: Of images whose outcome is known, (n, k), finite.
            flipped: Their outcomes, (n,).

        Raises:
            ValueError: Naming ``features`` where they are not finite or too few.
        """
        if len(features) < 2 or not np.isfinite(features).all():
            raise ValueError("features: accepted are at least two rows of finite numbers")
        mean, spread = features.mean(0), features.std(0)
        spread = np.where(spread > 0, spread, 1.0)
        made = cls(mean, spread, np.zeros(features.shape[1] + 1))
        rows, weights = made._rows(features), made.weights
        penalty = RIDGE * len(rows) * np.diag([1.0] * features.shape[1] + [1e-6])
        for _ in range(STEPS):
            chance = special.expit(rows @ weights)
            slope = rows.T @ (flipped - chance) - penalty @ weights
            curvature = (rows * (chance * (1 - chance))[:, None]).T @ rows + penalty
            step = np.linalg.solve(curvature, slope)
            weights = weights + step / max(1.0, np.abs(step).max() / 2)
            if np.abs(step).max() < 1e-9:
                break
        return cls(mean, spread, weights)

    def __call__(self, features: Float[np.ndarray, "n k"]) -> Float[np.ndarray, " n"]:
        """Chances (n,) in [0, 1]."""
        return np.asarray(special.expit(self._rows(features) @ self.weights))

    def _rows(self, features: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k1"]:
        return np.column_stack([(features - self.mean) / self.spread, np.ones(len(features))])


@final
@dataclass(frozen=True, eq=False)
class Skill:
    """How good chances are against what then happened.

    Attributes:
        spearman: Rank correlation of the chance and the outcome.
        low: Lower end of its 95 % interval, by resampling images.
        high: Upper end.
        auc: The chance that a flipped one of two is given the higher chance.
        brier: Mean squared error of the chances; 0 is perfect.
        calibration_error: Mean distance of chance and frequency over ten equally filled bins.
    """

    spearman: float
    low: float
    high: float
    auc: float
    brier: float
    calibration_error: float

    @classmethod
    def of(
        cls,
        chance: Float[np.ndarray, " n"],
        flipped: Bool[np.ndarray, " n"],
        images: Int[np.ndarray, " n"],
        resamples: int = 1000,
        seed: int = 0,
    ) -> Skill:
        """Judge chances of held-out outcomes.

        Args:
            chance: In [0, 1], (n,).
            flipped: Whether it happened, (n,).
            images: The number of the image of each: one image's outcomes depend on each other.
            resamples: Of the images.
            seed: Of those.

        References:
            Brier (1950), "Verification of forecasts expressed in terms of probability"; Naeini et al. (2015),
            "Obtaining well calibrated probabilities using Bayesian binning", for the calibration error.
        """
        rng = np.random.default_rng(seed)
        members = [np.flatnonzero(images == one) for one in np.unique(images)]
        drawn = [
            np.concatenate([members[one] for one in rng.integers(0, len(members), len(members))])
            for _ in range(resamples)
        ]
        low, high = np.nanquantile(
            [correlation(chance[rows], flipped[rows]) for rows in drawn], [0.025, 0.975]
        )
        bins = np.array_split(np.argsort(chance, kind="stable"), min(BINS, len(chance)))
        gaps = [abs(chance[rows].mean() - flipped[rows].mean()) * len(rows) for rows in bins]
        return cls(
            spearman=correlation(chance, flipped),
            low=float(low),
            high=float(high),
            auc=_auc(chance, flipped),
            brier=float(((chance - flipped) ** 2).mean()),
            calibration_error=float(sum(gaps) / len(chance)),
        )


def correlation(one: Float[np.ndarray, " n"], other: np.ndarray) -> float:
    """Spearman's rank correlation, ties at their mean rank; NaN where one of the two is constant."""
    ranks = [rankdata(each) - (len(one) + 1) / 2 for each in (one, other)]
    norm = np.sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum())
    return float((ranks[0] * ranks[1]).sum() / norm) if norm > 0 else float("nan")


def _auc(chance: Float[np.ndarray, " n"], flipped: Bool[np.ndarray, " n"]) -> float:
    """Mann and Whitney (1947): from the ranks of the flipped ones."""
    ones, zeros = int(flipped.sum()), int((~flipped).sum())
    if not ones or not zeros:
        return float("nan")
    return float((rankdata(chance)[flipped].sum() - ones * (ones + 1) / 2) / (ones * zeros))
