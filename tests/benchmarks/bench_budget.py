"""What each analysis is worth at the same price: errors against a converged truth, on both demo models.

The price is in forward-equivalents: a forward counts as one, a forward with its backward pass as three. The
error is the root mean square of (value - truth) / truth over the truth's top cells, the rank agreement is
Spearman's over all cells. HSIC measures something else, so that only its ranking is compared.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from wcam_widget import Attribution, Derivative, Hsic, Refined, Screened, Sobol, Wcam, load_demo
from wcam_widget.sensitivity import AbstractAnalysis

BUDGETS = (100, 500, 2000, 6288)
TOP = 30
FINE = 0.003  # a tolerance that spends the budget: small cells count in relative errors as large ones do
CELLS, BANDS = 640, 10


@dataclass(frozen=True)
class Found:
    model: str
    method: str
    cost: int
    error: float
    rank: float
    shared: float


def sobol(budget: int) -> Sobol | None:
    rows = budget // Sobol(2).planned(CELLS, BANDS) * 2
    return Sobol(rows) if rows else None


def derivative(budget: int) -> Derivative:
    rows = max(rows for rows in range(2, budget) if Derivative(rows).planned(CELLS, BANDS) <= budget)
    return Derivative(rows)


def screened(budget: int) -> Screened:
    gradient_rows = {100: 4, 500: 32}.get(budget, 64)
    return Screened(budget, tolerance=FINE, gradient_rows=gradient_rows, budget=budget, top=TOP)


def refined(budget: int) -> Refined:
    return Refined(rows=4 if budget < 200 else 16, budget=budget)


METHODS = {
    "Sobol": sobol,
    "Derivative": derivative,
    "Screened": screened,
    "Refined": refined,
    "Hsic": Hsic,
}


SEEDS = 3
TENTH = Sobol(32).planned(CELLS, BANDS) // 10
CLAIMS = (Sobol(32), Derivative(16), Derivative(23), screened(TENTH))


def run(analysis: AbstractAnalysis, demo, number: int) -> Attribution:
    (attribution,) = Wcam(analysis)(demo.model, demo.images[number : number + 1])
    return attribution


def judged(model: str, method: str, found: Attribution, truth: Attribution) -> Found:
    top = np.argsort(-truth.values)[:TOP]
    error = np.sqrt(np.mean((found.values[top] / truth.values[top] - 1) ** 2))
    shared = len(set(top) & set(np.argsort(-found.values)[:TOP]))
    return Found(
        model,
        method,
        found.done,
        np.nan if method.startswith("Hsic") else float(error),
        float(spearmanr(found.values, truth.values)[0]),
        shared,
    )


def mean_over_seeds(model: str, demo, number: int, analysis: AbstractAnalysis, truth: Attribution) -> Found:
    """One analysis, judged by its mean over seeds."""
    found = [
        judged(model, "one seed", run(replace(analysis, seed=seed), demo, number), truth)
        for seed in range(SEEDS)
    ]
    numbers = (float(np.mean([getattr(one, name) for one in found])) for name in ("error", "rank", "shared"))
    return Found(model, f"{type(analysis).__name__}({analysis.rows})", found[0].cost, *numbers)


def truth_of(variant: str, demo, number: int, rows: int, folder: Path | None) -> Attribution:
    path = None if folder is None else folder / f"{variant}-{number}-{rows}.npz"
    if path is not None and path.exists():
        return Attribution.load(path)
    truth = run(Sobol(rows, seed=1), demo, number)
    if path is not None:
        truth.save(path)
    return truth


def draw(results: list[Found], path: Path) -> None:
    """Rank agreement and error over the price, a panel for each model."""
    figure = Figure(figsize=(9, 6), layout="constrained")
    models = list(dict.fromkeys(one.model for one in results))
    axes = figure.subplots(2, len(models), sharex=True, sharey="row", squeeze=False)
    colours = dict(zip(METHODS, ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#666666"), strict=True))
    for column, model in enumerate(models):
        for row, (field, words) in enumerate(
            (("rank", "rank agreement (Spearman)"), ("error", f"relative error, top {TOP} cells"))
        ):
            axis = axes[row, column]
            for (method, colour), marker in zip(colours.items(), "osD^v", strict=True):
                points = sorted(
                    (one.cost, getattr(one, field))
                    for one in results
                    if one.model == model and one.method == method and np.isfinite(getattr(one, field))
                )
                if points:
                    axis.plot(*zip(*points, strict=True), marker=marker, color=colour, label=method)
            axis.set_xscale("log")
            axis.set_ylabel(words if column == 0 else "")
            if row == 1:
                axis.set_ylim(0, 2)
                axis.set_xlabel("forward-equivalents")
            else:
                axis.set_title(f"{model} network")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(METHODS), frameon=False)
    figure.savefig(path, dpi=110)


def table(results: list[Found]) -> None:
    print("| model | analysis | forward-equivalents | rank agreement | top 30 shared | relative error |")
    print("|---|---|---|---|---|---|")
    for one in results:
        error = "" if np.isnan(one.error) else f"{one.error:.2f}"
        print(f"| {one.model} | {one.method} | {one.cost:,} | {one.rank:.3f} | {one.shared:.3g} | {error} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=256, help="rows of the truth")
    parser.add_argument("--image", type=int, default=6, help="number of the demo image")
    parser.add_argument("--truth", type=Path, help="folder that keeps the truths between runs")
    parser.add_argument("--claims", action="store_true", help="only the means over seeds")
    parser.add_argument("--figure", type=Path, help="where to write the figure")
    chosen = parser.parse_args()
    results: list[Found] = []
    claims: list[Found] = []
    for variant in ("standard", "robust"):
        demo = load_demo(variant)
        truth = truth_of(variant, demo, chosen.image, chosen.rows, chosen.truth)
        for name, configured in METHODS.items():
            for budget in () if chosen.claims else BUDGETS:
                analysis = configured(budget)
                if analysis is not None:
                    found = run(analysis, demo, chosen.image)
                    results.append(judged(variant, name, found, truth))
        claims += [mean_over_seeds(variant, demo, chosen.image, analysis, truth) for analysis in CLAIMS]
    if results:
        table(results)
    print(f"\nMeans over {SEEDS} seeds:\n")
    table(claims)
    if chosen.figure is not None:
        draw(results, chosen.figure)


if __name__ == "__main__":
    main()
