"""What corruptions do to accuracy and to the scales that a real network rests on, over photographs.

Every photograph is answered, the first ones are explained, too. A run that is stopped goes on where it was:
one JSON line for each photograph. Run with ``--images FOLDER``, as ``bench_real.py``.
"""

from __future__ import annotations

import argparse
import json
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.benchmarks.bench_sufficiency import chosen
from tests.benchmarks.real_maps import NETWORK, Photograph, pixels, quick_network, read_lines
from wcam_widget import BlackBox, Derivative, Wcam, failures, profile_changes
from wcam_widget.evaluate import Failures, ProfileChanges, Profiles

ROWS = 8
CORRUPTIONS, SEVERITIES = ("gaussian_noise", "defocus_blur", "fog"), (5,)
ANSWERS = ("labels", "clean", "answers", "confidence")
EFFECTS = ("shapley", "total", "shapley_noise", "total_noise")
OUT = Path(__file__).parents[2] / "build" / "bench_changes.jsonl"


def key_of(photo: Photograph) -> dict[str, Any]:
    """What a line is known by."""
    what = {"corruptions": list(CORRUPTIONS), "severities": list(SEVERITIES), "rows": ROWS}
    return {"image": photo.path.name, "network": NETWORK, **what, "version": version("wcam_widget")}


def measured(model: BlackBox, photo: Photograph, seed: int) -> Failures:
    """The answers to one photograph and its corrupted versions."""
    image = pixels(photo.path)[None]
    return failures(model, image, [photo.class_id], CORRUPTIONS, SEVERITIES, seed)


def explained(model: BlackBox, photo: Photograph, seed: int, result: Failures) -> Profiles:
    """The profiles of one photograph and its corrupted versions, by masks of its own."""
    method = Wcam(Derivative(ROWS, seed=seed))
    return profile_changes(model, pixels(photo.path)[None], result, method).profiles


def line_of(model: BlackBox, photo: Photograph, seed: int, *, explain: bool) -> dict[str, Any]:
    """One photograph: its answers and, where it is explained, its profiles."""
    started, result = time.process_time(), measured(model, photo, seed)
    line = {**key_of(photo), **{name: getattr(result, name).tolist() for name in ANSWERS}}
    if explain:
        profiles = explained(model, photo, seed, result)
        words = {name: getattr(profiles, name) for name in ("models", "names", "levels", "orientations")}
        line |= words | {name: getattr(profiles, name).tolist() for name in EFFECTS}
    return {**line, "explained": explain, "seconds": time.process_time() - started}


def changes_of(lines: list[dict[str, Any]]) -> ProfileChanges:
    """The lines of all photographs as one result."""
    answers = {name: np.concatenate([line[name] for line in lines]) for name in ANSWERS}
    result = Failures(CORRUPTIONS, SEVERITIES, **answers, labelled=True, seed=0)
    deep = [line for line in lines if line["explained"]]
    words = {name: tuple(deep[0][name]) for name in ("models", "names", "levels", "orientations")}
    effects = {name: np.concatenate([line[name] for line in deep], 1) for name in EFFECTS}
    return ProfileChanges(result, Profiles(**words, **effects, method=f"Wcam(Derivative({ROWS}))"))


def print_tables(changes: ProfileChanges) -> None:
    """Accuracy and what moved, then the change of every level and of every filter, in per cent."""
    images, few = len(changes.failures.clean), changes.profiles.shapley.shape[1]
    print(f"{images} photographs, {few} explained, {changes.failures.clean_accuracy:.3f} right when clean\n")
    print("| corruption | accuracy | moved, by chance | p |\n| --- | --- | --- | ---: |")
    for _, row in changes.moved().iterrows():
        accuracy = f"{row['accuracy']:.2f} ({row['accuracy.low']:.2f} to {row['accuracy.high']:.2f})"
        moved = f"{100 * row['moved']:.1f}, {100 * row['by_chance']:.1f}"
        print(f"| {row['corruption']} {row['severity']} | {accuracy} | {moved} | {row['p']:.4f} |")
    for by in ("level", "orientation"):
        names = changes.profiles.groups(by)
        print(f"\n| corruption | {' | '.join(names)} |\n| --- |{' --- |' * len(names)}")
        table = changes.table(by)
        for (name, severity), rows in table.groupby(["corruption", "severity"], sort=False):
            cells = [
                f"{100 * row['change']:+.1f} ({100 * row['low']:+.1f} to {100 * row['high']:+.1f})"
                f" p = {row['p']:.3f}"
                for _, row in rows.iterrows()
            ]
            print(f"| {name} {severity} | {' | '.join(cells)} |")
        clean = table.drop_duplicates("name")
        print("| clean, % | " + " | ".join(f"{100 * value:.1f}" for value in clean["clean"]) + " |")
    print(f"\n{changes.summary()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--explain", type=int, default=12)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    photos = chosen(options.images, options.count)
    wanted = [{**key_of(photo), "explained": n < options.explain} for n, photo in enumerate(photos)]
    done = [{key: line[key] for key in wanted[0]} for line in read_lines(options.out)]
    model = quick_network(photos[0].path)
    with options.out.open("a") as file:
        for seed, (photo, key) in enumerate(zip(photos, wanted, strict=True)):
            if key not in done:
                line = line_of(model, photo, seed, explain=key["explained"])
                file.write(json.dumps(line) + "\n")
                file.flush()
    lines = [line for line in read_lines(options.out) if {key: line[key] for key in wanted[0]} in wanted]
    print(f"{sum(line['seconds'] for line in lines) / 60:.1f} minutes of a core")
    print_tables(changes_of(lines))


if __name__ == "__main__":
    main()
