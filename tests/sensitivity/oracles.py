"""Functions of uniform weights whose indices are known in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from wcam_widget.sensitivity import Analytic, GroupEstimate


@dataclass(frozen=True, eq=False)
class Oracle:
    name: str
    function: Callable[[Tensor], Tensor]
    groups: np.ndarray
    total: np.ndarray
    first: np.ndarray
    variance: float

    def ask(self) -> Analytic:
        return Analytic(self.function, self.groups)


def linear() -> Oracle:
    slopes = np.array([1.0, -2.0, 3.0, 0.0])
    share = slopes**2 / (slopes**2).sum()
    return Oracle(
        "linear",
        lambda w: w @ torch.tensor(slopes, dtype=w.dtype),
        np.array([0, 0, 1, 2]),
        share,
        share,
        float((slopes**2).sum() / 12),
    )


def sobol_g() -> Oracle:
    a = np.array([0.0, 1.0, 4.5, 9.0, 99.0, 99.0])
    partial = 1 / 3 / (1 + a) ** 2
    variance = np.prod(1 + partial) - 1
    total = np.array([partial[i] * np.prod(np.delete(1 + partial, i)) for i in range(len(a))]) / variance
    shape = torch.tensor(a, dtype=torch.float32)
    return Oracle(
        "sobol_g",
        lambda w: ((4 * w - 2).abs().add(shape) / (1 + shape)).prod(1),
        np.array([0, 0, 1, 1, 2, 2]),
        total,
        partial / variance,
        float(variance),
    )


def ishigami() -> Oracle:
    a, b, pi = 7.0, 0.1, math.pi
    v1, v2 = (1 + b * pi**4 / 5) ** 2 / 2, a**2 / 8
    v13 = b**2 * pi**8 * (1 / 18 - 1 / 50)
    variance = v1 + v2 + v13

    def function(w: Tensor) -> Tensor:
        x = (2 * w - 1) * pi
        return x[:, 0].sin() + a * x[:, 1].sin() ** 2 + b * x[:, 2] ** 4 * x[:, 0].sin()

    total = np.array([v1 + v13, v2, v13]) / variance
    return Oracle("ishigami", function, np.arange(3), total, np.array([v1, v2, 0.0]) / variance, variance)


def product() -> Oracle:
    # f = w1 w2 w3: E[w] = 1/2, E[w^2] = 1/3.
    variance = (1 / 3) ** 3 - (1 / 2) ** 6
    total = np.full(3, (1 / 12) * (1 / 3) ** 2 / variance)
    first = np.full(3, (1 / 12) * (1 / 4) ** 2 / variance)
    return Oracle("product", lambda w: w.prod(1), np.array([0, 0, 1]), total, first, variance)


ORACLES = [linear(), sobol_g(), ishigami(), product()]


def grouped_totals(oracle: Oracle) -> np.ndarray | None:
    """Totals of groups where they follow from the weights' own: additive between groups, or one each."""
    if oracle.name == "linear":
        return np.bincount(oracle.groups, oracle.total)
    if oracle.name == "ishigami":
        return oracle.total
    return None


def assert_groups(groups: GroupEstimate, oracle: Oracle) -> None:
    """Effects of groups add up to the variance, lie inside their limits, and are those that are known."""
    assert groups.shapley.sum() == pytest.approx(1.0)
    assert (groups.low <= groups.total).all()
    assert (groups.total <= groups.high).all()
    expected = grouped_totals(oracle)
    if expected is not None:
        np.testing.assert_allclose(groups.total, expected, atol=0.12)
