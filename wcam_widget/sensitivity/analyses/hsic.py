"""Dependence between each weight and the score at a fixed number of evaluations.

The Hilbert-Schmidt independence criterion of x and y is tr(K H L H) / n^2, with the kernel matrices K and L
of n rows and H = I - 1/n (Gretton et al. 2005, "Measuring statistical dependence with Hilbert-Schmidt
norms"). For a mask m in {0, 1} and the kernel that is 1 where two values are equal, H K H = 2 (H m)(H m)^T:
HSIC is a quadratic form, 2 (H m)^T L (H m) / n^2, and no (d, n, n) array is ever made. It is then the squared
distance between the distributions of the score with the weight kept and with it removed (maximum mean
discrepancy), an eighth of it for balanced masks. L is a Gaussian of scores, one number each, so that it has a
low rank: with L = F F^T, exact to rounding, the form is |F^T H m|^2, which adds up over rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy import stats
from typing_extensions import override

from wcam_widget.sensitivity.analysis import (
    ALL_ROWS,
    CONSTANT_SCORE,
    REPLICATES,
    AbstractAnalysis,
    ensure_rows,
)
from wcam_widget.sensitivity.estimate import Estimate, GroupEstimate, kinds
from wcam_widget.sensitivity.function import WeightFunction
from wcam_widget.sensitivity.statistics.gaussian_kernel import features
from wcam_widget.sensitivity.statistics.jackknife import Replicated
from wcam_widget.sensitivity.statistics.pair_sums import over
from wcam_widget.sensitivity.statistics.score_log import vanishing

FEWEST = 16  # rows: one for each replicate
BLOCK = 50  # rows of a step
CHUNK = 1 << 22  # numbers of the masks unpacked at one time


@dataclass(eq=False)
class HsicState:
    """The masks, a bit each, and scores of the blocks done."""

    stream: int
    groups: Int[np.ndarray, " d"]
    masks: list[np.ndarray] = field(default_factory=list)
    scores: list[Float[np.ndarray, " n"]] = field(default_factory=list)
    evaluations: int = 0


@dataclass(frozen=True)
class Hsic(AbstractAnalysis[HsicState]):
    """Normalised HSIC of every weight with the score, from ``rows`` evaluations whatever their number.

    Weights are 0 or 1 with equal chance and independent, unlike the uniform ones of ``Sobol``: variance,
    slope and importance are those of removing complete cells. Columns are drawn independently: rounded
    Sobol' points, with more columns than rows, repeat columns, and a cell then gets the importance of
    another.

    A value is HSIC over the root of that of the score and of the weight with themselves: 0 for independence,
    near 1 where the weight alone decides the score. It sees what a weight does on its own, and of an
    interaction only what remains on average. The mean it would have for an independent weight is taken off,
    and what falls below 0 is 0. Groups: the share of their members' values in all; Shapley effects are not
    defined. Slope: mean score with the weight kept less that with it removed. The kernel of scores is
    Gaussian, its width the median distance between two of them.

    Args:
        rows: Random masks, at least 16, in blocks of 50; a run with more rows goes on where one with fewer
            ended.
        seed: At least 0; runs with one seed repeat.

    Raises:
        ValueError: ``rows`` is too few.

    References:
        Novello, Fel and Vigouroux (2022), "Making sense of dependence: efficient black-box explanations using
        dependence measure"; normalised as by Da Veiga (2015), "Global sensitivity analysis with dependence
        measures".

    Examples:
        >>> from wcam_widget.sensitivity import Analytic
        >>> f = Analytic(lambda w: w @ torch.tensor([1.0, 2.0, 0.0]), np.array([0, 1, 1]))
        >>> *_, estimate = Hsic(rows=500).run(f)
        >>> estimate.evaluations, np.argsort(-estimate.value).tolist()
        (500, [1, 0, 2])
    """

    rows: int = 500
    seed: int = 0

    unit = "dependence of the score on the cell (normalised HSIC, 0 to 1)"
    statistic = "share of the summed HSIC of all cells"

    def __post_init__(self) -> None:
        ensure_rows(self.rows, FEWEST)

    @override
    def planned(self, weights: int, groups: int) -> int:
        del weights, groups
        return self.rows

    @override
    def init(self, f: WeightFunction, stream: int = 0) -> HsicState:
        return HsicState(stream, f.groups)

    @override
    def finished(self, state: HsicState) -> bool:
        return state.evaluations >= self.rows

    @override
    def step(self, f: WeightFunction, state: HsicState) -> None:
        # Blocks are drawn completely, so that a run that ended inside one goes on with the rest of it.
        number, done = divmod(state.evaluations, BLOCK)
        block = np.random.default_rng([self.seed, state.stream, number])
        kept = block.random((BLOCK, len(state.groups)), np.float32)[done:] < 0.5
        kept = kept[: self.rows - state.evaluations]
        scores = f(torch.from_numpy(kept.astype(np.float32))).double().cpu().numpy()
        state.masks.append(np.packbits(kept, axis=1))
        state.scores.append(scores)
        state.evaluations += len(scores)

    @override
    def estimate(self, state: HsicState) -> Estimate:
        scores, weights = np.concatenate(state.scores), len(state.groups)
        variance = float(scores.var(ddof=1))
        if vanishing(variance, float(scores[0])):
            return Estimate.of_constant(weights, int(state.groups.max()) + 1, state.evaluations)
        forms = dependence(state)
        indices = forms.indices
        value = np.maximum(indices.value, 0.0)
        # Replicates tell too little of the error where it is smallest, which is under independence.
        error = np.maximum(indices.error, np.sqrt(2.0) / len(scores))
        reach = np.maximum(indices.symmetric_interval()[1] - indices.value, 2 * error)
        low, high = indices.value - reach, indices.value + reach
        return Estimate(
            value=value,
            low=np.clip(low, 0.0, value),
            high=np.clip(high, value, 1.0),
            kind=kinds(low, high),
            error=error,
            first=np.full(weights, np.nan),
            slope=forms.slope,
            left_out=np.maximum(indices.left_out, 0.0),
            groups=shares(indices, state.groups),
            variance=variance,
            evaluations=state.evaluations,
        )

    @override
    def continues(self, earlier: object) -> bool:
        # Runs that differ in ``rows`` only go on from each other.
        return isinstance(earlier, Hsic) and self == replace(earlier, rows=self.rows)

    @override
    def deeper(self, state: HsicState) -> Hsic | None:
        return None if self.estimate(state).constant else replace(self, rows=2 * self.rows)

    @override
    def replayed(self, f: WeightFunction, state: HsicState, stream: int, evaluations: int) -> HsicState:
        # Another score of the same masks.
        return super(Hsic, replace(self, rows=evaluations)).replayed(f, state, stream, evaluations)

    def p_values(self, state: HsicState) -> Float[np.ndarray, " d"]:
        """The chance that a weight without effect would have at least its HSIC: small where it matters.

        Under independence HSIC is a weighted sum of chi-squares; its first three moments are matched.

        Args:
            state: A state after at least one step.

        Returns:
            (d,) in [0, 1]; all 1 for a constant score.

        References:
            Buckley and Eagleson (1988), "An approximation to the distribution of quadratic forms in normal
            random variables".
        """
        scores = np.concatenate(state.scores)
        if vanishing(float(scores.var(ddof=1)), float(scores[0])):
            return np.ones(len(state.groups))
        forms = dependence(state)
        spectrum = np.linalg.eigvalsh(forms.kernels[0]) / (len(scores) - 1)
        first, second, third = (float((spectrum**power).sum()) for power in (1, 2, 3))
        freedom = second**3 / third**2
        return np.asarray(stats.chi2.sf((forms.quotients[0] - first) * second / third + freedom, freedom))

    @override
    def reason(self, state: HsicState) -> str:
        return CONSTANT_SCORE if self.estimate(state).constant else ALL_ROWS


@dataclass(frozen=True, eq=False)
class Dependence:
    """Quadratic forms of the masks in the centred kernel matrix of the scores, HLH.

    The first entry is from all rows, the others leave out one replicate each. ``quotients`` are
    (H m)^T L (H m) / |H m|^2; ``kernels`` are F^T H F, with the spectrum of HLH; ``sizes`` count rows.
    """

    quotients: Float[np.ndarray, "r1 d"]
    kernels: Float[np.ndarray, "r1 q q"]
    sizes: Float[np.ndarray, " r1"]
    slope: Float[np.ndarray, " d"]

    @property
    def indices(self) -> Replicated:
        """Normalised HSIC less its mean under independence, which for a random mask is tr(HLH) / (n - 1)."""
        independent = np.trace(self.kernels, axis1=1, axis2=2) / (self.sizes - 1)
        norms = np.linalg.norm(self.kernels, axis=(1, 2))
        value, *left_out = (self.quotients - independent[:, None]) / norms[:, None]
        return Replicated(value, np.array(left_out))


def dependence(state: HsicState) -> Dependence:
    """The forms of every weight, a chunk of weights at a time."""
    scores, bits = np.concatenate(state.scores), np.concatenate(state.masks)
    count, weights = len(scores), len(state.groups)
    parts = np.arange(REPLICATES)[:, None] == np.arange(count) * REPLICATES // count
    sides = features(scores)
    # Two columns more: sums of ones count the rows kept, sums of scores give the slopes.
    columns = np.concatenate([sides, np.ones((count, 1)), (scores - scores.mean())[:, None]], axis=1)
    sizes, sums = _with_left_out(parts.sum(1, dtype=float)), _with_left_out(parts @ sides)
    squares = _with_left_out(np.stack([sides[part].T @ sides[part] for part in parts]))
    kernels = squares - sums[:, :, None] * sums[:, None] / sizes[:, None, None]
    quotients, slope = np.zeros((REPLICATES + 1, weights)), np.zeros(weights)
    width = max(1, CHUNK // count // 8)
    for byte in range(0, bits.shape[1], width):
        kept = np.unpackbits(bits[:, byte : byte + width], axis=1).astype(float)
        kept = kept[:, : weights - 8 * byte]
        place = slice(8 * byte, 8 * byte + kept.shape[1])
        added = _with_left_out(np.stack([columns[part].T @ kept[part] for part in parts]))
        forms, ones = added[:, :-2], added[:, -2]
        forms = forms - sums[:, :, None] * (ones / sizes[:, None])[:, None]
        quotients[:, place] = over((forms**2).sum(1), ones - ones**2 / sizes[:, None])
        # The scores add to 0: what is not kept has the opposite sum.
        slope[place] = over(added[0, -1], ones[0]) + over(added[0, -1], count - ones[0])
    return Dependence(quotients, kernels, sizes, slope)


def shares(indices: Replicated, groups: Int[np.ndarray, " d"]) -> GroupEstimate:
    """Summed values of each group's members over those of all weights; nothing for groups below 0.

    Sums are those of values before they are cut off at 0, so that many weights without effect add to 0.
    """
    count = int(groups.max()) + 1

    def share(values: Float[np.ndarray, " d"]) -> Float[np.ndarray, " g"]:
        sums = np.maximum(np.bincount(groups, values, count), 0.0)
        return np.asarray(over(sums, sums.sum()))

    together = Replicated(share(indices.value), np.stack([share(values) for values in indices.left_out]))
    low, high = together.symmetric_interval()
    return replace(
        GroupEstimate.unknown(count),
        total=together.value,
        low=np.clip(low, 0.0, together.value),
        high=np.clip(high, together.value, 1.0),
        left_out=together.left_out,
    )


def _with_left_out(parts: Float[np.ndarray, "r ..."]) -> Float[np.ndarray, "r1 ..."]:
    """The sum over the first axis, then that without each entry."""
    total = parts.sum(0, keepdims=True)
    return np.concatenate([total, total - parts])
