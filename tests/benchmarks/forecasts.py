"""Forecasts of flips from the records of bench_forecast.py, each calibrated and judged in the same way.

Every second photograph calibrates, the others judge. A forecast is a list of features; features that need
other photographs (the spectrum a corruption changes, the rate at which it flips) are learned from the
calibrating half.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

from wcam_widget.evaluate.forecast import UNIFORM, Forecast, Skill, correlation

Record = Mapping[str, Any]
LEAST = 1e-9  # before logarithms

FORECASTS: Mapping[str, tuple[str, ...]] = {
    "expected change": ("expected",),
    "expected change, margin": ("expected", "margin"),
    "the same by other photographs' spectrum": ("expected_elsewhere", "margin"),
    "control: energy of bands": ("bands",),
    "control: energy of bands, margin": ("bands", "margin"),
    "control: margin": ("margin",),
    "control: confidence": ("confidence",),
    "control: linear step": ("step",),
    "control: rate of the corruption": ("rate",),
    "control: rate, margin": ("rate", "margin"),
    "rate, margin, expected change": ("rate", "margin", "expected"),
}
PAIRS = (
    ("expected change, margin", "control: energy of bands, margin"),
    ("expected change, margin", "control: linear step"),
    ("expected change, margin", "control: margin"),
    ("rate, margin, expected change", "control: rate, margin"),
)
RESAMPLES = 2000


def read(lines: Path) -> list[dict[str, Any]]:
    """The records of a file; a line that was cut short by a kill is left out."""
    if not lines.exists():
        return []
    records = []
    for line in lines.read_text("utf-8").splitlines():
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return records


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What was known and what happened; n photographs, v corrupted versions of each."""

    flipped: np.ndarray  # (n, v)
    margin_after: np.ndarray  # (n, v)
    features: Mapping[str, np.ndarray]  # (n, v, k) each

    @classmethod
    def of(cls, records: Sequence[Record], calibrating: np.ndarray) -> Outcomes:
        def column(name: str) -> np.ndarray:
            return np.array([record[name] for record in records], float)

        flipped = np.array([np.array(each["class"]) != each["clean"] for each in records])
        change, energy, total = column("band_change"), column("band_energy"), column("band_total")
        margin, variance = column("margin")[:, None], column("variance")[:, None]
        elsewhere = _spectra(change, energy, calibrating)
        moved = (elsewhere / np.maximum(energy, LEAST)[:, None] * total[:, None]).sum(2)
        rate = (flipped[calibrating].sum(0) + 0.5) / (calibrating.sum() + 1.0)
        every = np.ones_like(flipped, float)
        features = {
            "expected": np.log(column("expected") + LEAST),
            "expected_elsewhere": np.log(np.sqrt(UNIFORM * variance * moved) + LEAST),
            "bands": np.log(change + LEAST),
            "margin": np.log(margin + LEAST) * every,
            "confidence": special.logit(np.clip(column("confidence"), 1e-6, 1 - 1e-6))[:, None] * every,
            "step": margin + column("step"),
            "rate": special.logit(rate) * every,
        }
        shaped = {name: each.reshape(*flipped.shape, -1) for name, each in features.items()}
        return cls(flipped, column("margin_after"), shaped)

    def rows(self, names: Sequence[str], chosen: np.ndarray) -> np.ndarray:
        """Features of the chosen photographs, a row for each version."""
        parts = [self.features[name][chosen] for name in names]
        joined = np.concatenate(parts, 2)
        return joined.reshape(-1, joined.shape[2])


def _spectra(change: np.ndarray, energy: np.ndarray, calibrating: np.ndarray) -> np.ndarray:
    """Change of each band (n, v, g), from the energy of the band alone.

    A line through the logarithms over the calibrating photographs, for each version and band: noise has the
    slope 0, a loss of contrast the slope 1.
    """
    x, y = np.log(energy + LEAST), np.log(change + LEAST)
    x_mean, y_mean = x[calibrating].mean(0), y[calibrating].mean(0)
    away = x[calibrating] - x_mean
    slope = np.einsum("ng,nvg->vg", away, y[calibrating] - y_mean) / np.maximum((away**2).sum(0), LEAST)
    return np.exp(y_mean + slope * (x[:, None] - x_mean))


def within(chance: np.ndarray, margin_after: np.ndarray) -> float:
    """Mean over photographs of the rank correlation of chance and loss, over the versions of one."""
    each = np.array([correlation(*pair) for pair in zip(chance, -margin_after, strict=True)])
    known = np.isfinite(each)
    return float(each[known].mean()) if known.any() else float("nan")


def report(records: Sequence[Record]) -> None:
    """Print the tables."""
    calibrating = np.arange(len(records)) % 2 == 0
    outcomes = Outcomes.of(records, calibrating)
    flipped = outcomes.flipped[~calibrating]
    numbers = np.repeat(np.arange(len(flipped)), flipped.shape[1])
    print(
        f"{len(records)} photographs, {calibrating.sum()} calibrate and {len(flipped)} judge; "
        f"{outcomes.flipped.mean():.1%} of {outcomes.flipped.size} versions flip\n"
    )
    print("| forecast | Spearman (95 %) | AUC | Brier | calibration error | within a photograph |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    errors = {}
    for name, features in FORECASTS.items():
        forecast = Forecast.fit(outcomes.rows(features, calibrating), outcomes.flipped[calibrating].ravel())
        chance = forecast(outcomes.rows(features, ~calibrating))
        skill = Skill.of(chance, flipped.ravel(), numbers)
        grid = chance.reshape(flipped.shape)
        errors[name] = ((grid - flipped) ** 2).mean(1)
        inside = within(grid, outcomes.margin_after[~calibrating])
        print(
            f"| {name} | {skill.spearman:.3f} ({skill.low:.3f} to {skill.high:.3f}) | {skill.auc:.3f} "
            f"| {skill.brier:.4f} | {skill.calibration_error:.3f} | {inside:.3f} |"
        )
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(flipped), (RESAMPLES, len(flipped)))
    print("\n| Brier score of | less that of | difference (95 %); below 0: the first is better |")
    print("| --- | --- | ---: |")
    for one, other in PAIRS:
        difference = errors[one] - errors[other]
        low, high = np.quantile(difference[drawn].mean(1), [0.025, 0.975])
        print(f"| {one} | {other} | {difference.mean():+.4f} ({low:+.4f} to {high:+.4f}) |")
