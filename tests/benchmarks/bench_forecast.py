"""Which corruption will break which image? Forecast from the clean explanation, and what then happened.

Photographs of a folder (class ids begin their names), 15 corruptions at 3 severities, EfficientNet-Lite0. One
JSON line for each photograph: a run that was stopped goes on where it was. Half of the photographs calibrate
every forecast, the other half judges it.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from tests.benchmarks import forecasts
from tests.benchmarks.real_maps import NETWORK, Photograph, photographs
from wcam_widget import CORRUPTIONS, BlackBox, Derivative, Margin, Wcam, corrupt, load_model
from wcam_widget.evaluate.forecast import expected_change
from wcam_widget.explain import Attribution
from wcam_widget.explain.cell_sums import per_band, summed
from wcam_widget.perturb.perturbation import Perturbation

SEVERITIES = (1, 3, 5)
STANDARD = CORRUPTIONS[:15]
ROWS = 16


def corrupted(image: Tensor, number: int) -> Iterator[tuple[str, int, Tensor]]:
    """Every corrupted version of one image (3, h, w)."""
    for name in STANDARD:
        for severity in SEVERITIES:
            yield name, severity, corrupt(image[None], name, severity, first=number)[0]


def band_energy(picture: Tensor, attribution: Attribution) -> list[float]:
    """Squared coefficients, summed over each band."""
    return per_band(attribution.cells, summed(picture.double().square(), attribution.cells)).tolist()


def record(model: BlackBox, photograph: Photograph, number: int) -> dict[str, Any]:
    """All that forecasts need of one photograph, and what happened to it."""
    start = time.perf_counter()
    with Image.open(photograph.path) as opened:
        image = model.fit(opened)
    logits = model.logits(image[None])
    top = int(logits.argmax())
    margin = Margin(top)
    (attribution,) = Wcam(Derivative(rows=ROWS))(model, image[None], [margin])
    _, slopes = model.gradients(image[None], lambda batch: batch, margin)
    names, severities, versions = zip(*corrupted(image, number), strict=True)
    batch = torch.stack(versions)
    after = model.logits(batch)
    basis = attribution.basis
    packed = basis.pack(image)
    clean = Perturbation.from_image(image, basis, attribution.cells).picture
    return {
        "photograph": photograph.path.name,
        "label": photograph.class_id,
        "clean": top,
        "margin": float(margin(logits)[0]),
        "confidence": float(model.probabilities(logits)[0, top]),
        "variance": attribution.variance,
        "band_total": attribution.profile().total.tolist(),
        "band_energy": band_energy(clean, attribution),
        "corruption": names,
        "severity": severities,
        "class": after.argmax(1).tolist(),
        "margin_after": margin(after).tolist(),
        "step": ((batch - image) * slopes[0].cpu()).sum((1, 2, 3)).tolist(),
        "expected": expected_change(attribution, image, batch).tolist(),
        "band_change": [band_energy(basis.pack(one) - packed, attribution) for one in batch],
        "seconds": time.perf_counter() - start,
    }


def run(folder: Path, count: int, lines: Path) -> None:
    """Add the photographs that are missing."""
    chosen = photographs(folder)
    # In an order by chance, so that any first part of it is a fair sample of classes.
    order = np.random.default_rng(0).permutation(len(chosen))[:count]
    done = {each["photograph"] for each in forecasts.read(lines)}
    model = load_model(NETWORK)
    for place, number in enumerate(order.tolist()):
        photograph = chosen[number]
        if photograph.path.name in done:
            continue
        row = record(model, photograph, number)
        with lines.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        flips = np.mean(np.array(row["class"]) != row["clean"])
        print(f"{place + 1}/{len(order)} {photograph.path.stem}: {flips:.0%} flip, {row['seconds']:.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="folder of labelled photographs")
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--lines", type=Path, default=Path("forecast.jsonl"), help="results, one a line")
    given = parser.parse_args()
    torch.set_num_threads(1)
    run(given.images, given.count, given.lines)
    forecasts.report(forecasts.read(given.lines))


if __name__ == "__main__":
    main()
