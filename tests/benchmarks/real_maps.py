"""One image's maps and how faithful they are, in a worker of its own; one JSON line for each method.

A line is known by its image, network, method with its settings, measures and version: a run that was stopped
goes on where it was, and lines of other settings are left alone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from tests.benchmarks.folding import folded
from wcam_widget import BlackBox, load_model
from wcam_widget.cli.methods import Name, method_for
from wcam_widget.evaluate import Domain, deletion, insertion, mu_fidelity
from wcam_widget.evaluate.rankings import NULLS
from wcam_widget.explain import AbstractMethod, Attribution
from wcam_widget.sensitivity import Kind

NETWORK = "efficientnet-lite0"
BATCH = 8  # larger ones leave the cache of one core: 32 take half as long again for each image
COLUMNS = (
    ("insertion", "pixels"),
    ("insertion", "wavelet"),
    ("deletion", "pixels"),
    ("deletion", "wavelet"),
    ("mu-fidelity", "wavelet"),
)
MEASURES = {"insertion": insertion, "deletion": deletion, "mu-fidelity": mu_fidelity}

LINEAR = "wcam, Derivative(32)"  # beside the catalogue's names: the map that is there first
DEAR = ("wcam", "ada-sise", "sise", "wcam-published", "scorecam", "cartoonx")  # each a stage of its own
SETTINGS: dict[str, dict[str, Any]] = {
    LINEAR: {"analysis": "derivative", "rows": 32},
    "wcam-published": {"grid": 16},
}
CHEAP = (LINEAR, *(str(name) for name in Name if name not in DEAR))
ROUND = 10  # photographs that have the cheap methods and the default before the next ones do


@dataclass(frozen=True)
class Photograph:
    """A file, and the class that its name begins with."""

    path: Path
    class_id: int


@dataclass(frozen=True)
class Protocol:
    """How finely curves are sampled, and how many subsets mu-fidelity is of."""

    steps: int = 16
    subsets: int = 100


@dataclass(frozen=True)
class Task:
    """The methods of one stage on one photograph; null rankings too, in the first stage."""

    photograph: Photograph
    methods: tuple[str, ...]
    nulls: tuple[str, ...]
    protocol: Protocol


def photographs(folder: Path) -> list[Photograph]:
    """The labelled photographs of a folder, in the order of their classes."""
    return [Photograph(path, int(path.name.split("_")[0])) for path in sorted(folder.glob("[0-9]*_*.jpg"))]


def line_key(photograph: Photograph, method: str, protocol: Protocol) -> dict[str, Any]:
    """What a line is known by."""
    return {
        "image": photograph.path.name,
        "network": NETWORK,
        "method": method,
        "settings": SETTINGS.get(method, {}),
        **asdict(protocol),
        "version": version("wcam_widget"),
    }


def read_lines(path: Path) -> list[dict[str, Any]]:
    """All lines that were written to their end; one that was cut is taken out of the file."""
    written = path.read_bytes() if path.exists() else b""
    complete = written[: written.rfind(b"\n") + 1]
    if len(complete) < len(written):
        path.write_bytes(complete)
    return [json.loads(line) for line in complete.splitlines()]


@lru_cache(maxsize=1)
def network() -> BlackBox:
    """The network as a user has it."""
    return load_model(NETWORK)


@lru_cache(maxsize=1)
def quick_network(check: Path) -> BlackBox:
    """The same scores sooner, checked on a photograph: folded, channels last, in batches that fit a cache.

    Rows without gradients go through ONNX Runtime once their scores were seen to be the same.
    """
    model = network()

    def laid_out(images: torch.Tensor) -> torch.Tensor:
        return model.preprocess(images).contiguous(memory_format=torch.channels_last)

    given = laid_out(pixels(check)[None].float())
    net, _ = folded(model.net, given)
    return BlackBox(net, laid_out, model.class_names, batch_size=BATCH, engine="onnx")


def pixels(path: Path) -> torch.Tensor:
    """A photograph as the network sees it, (3, H, W) in [0, 1]."""
    with Image.open(path) as photo:
        return network().fit(photo)


def made(model: BlackBox, name: str) -> AbstractMethod:
    """A method of the catalogue, with the settings of this benchmark."""
    return method_for(model, "wcam" if name == LINEAR else name, SETTINGS.get(name, {}))


def run(task: Task) -> list[dict[str, Any]]:
    """Explain one photograph by the methods of a task and measure all maps; one line for each method."""
    torch.set_num_threads(1)
    model = quick_network(task.photograph.path)
    image, target = pixels(task.photograph.path)[None], task.photograph.class_id
    bare = bare_seconds(model, image)
    maps, lines = {}, {}
    for name in task.methods:
        started = time.process_time()
        (maps[name],) = made(model, name)(model, image, [target])
        seconds = time.process_time() - started
        lines[name] = {**price(maps[name]), "seconds": seconds, "forwards_worth": seconds / bare}
    lines |= {name: {} for name in task.nulls}
    measured: dict[str, dict[str, float]] = {name: {} for name in lines}
    for column, name, value in scores(model, image, maps, task):
        measured[name]["/".join(column)] = value
    return [
        {**line_key(task.photograph, name, task.protocol), **line, "measured": measured[name]}
        for name, line in lines.items()
    ]


def scores(
    model: BlackBox, image: torch.Tensor, maps: dict[str, Attribution], task: Task
) -> Iterator[tuple[tuple[str, str], str, float]]:
    """Every measure of every map and null ranking: what is removed at random is asked about once for all."""
    (first, one), *others = maps.items()
    options = {
        "insertion": {"steps": task.protocol.steps},
        "deletion": {"steps": task.protocol.steps},
        "mu-fidelity": {"subsets": task.protocol.subsets},
    }
    beside = {name: [each] for name, each in others}
    for measure, space in COLUMNS:
        domain = Domain(space, nulls=task.nulls, seed=task.photograph.class_id, beside=beside)
        result = MEASURES[measure](
            model, image, [one], [task.photograph.class_id], domain, **options[measure]
        )
        yield (measure, space), first, result.mean
        for name, other in result.null.items():
            yield (measure, space), name, other.mean


def bare_seconds(model: BlackBox, image: torch.Tensor) -> float:
    """Seconds of the processor that one of the network's own forward passes takes, in full batches."""
    images = image.expand(2 * BATCH, -1, -1, -1)
    model.logits(images)
    started = time.process_time()
    model.logits(images)
    return (time.process_time() - started) / len(images)


def price(attribution: Attribution) -> dict[str, Any]:
    """Passes of a map, and how many of its cells are resolved, bounded and not resolved."""
    kinds = np.bincount(attribution.kind, minlength=len(Kind))
    return {
        "forwards": attribution.evaluations,
        "backwards": attribution.gradients,
        "cells": {kind.name.lower(): int(kinds[kind]) for kind in Kind},
    }


def pending(photos: list[Photograph], lines: list[dict[str, Any]], protocol: Protocol) -> Iterator[Task]:
    """The tasks whose lines are missing: cheap methods and the default round by round, then the dear ones."""
    done = {(line["image"], line["method"]) for line in lines if matches(line, protocol)}
    rounds = [photos[start : start + ROUND] for start in range(0, len(photos), ROUND)]
    order = [(stage, some) for some in rounds for stage in (CHEAP, DEAR[:1])]
    order += [((name,), photos) for name in DEAR[1:]]
    for stage, some in order:
        for photo in some:
            methods, nulls = (
                tuple(name for name in names if (photo.path.name, name) not in done)
                for names in (stage, NULLS if stage is CHEAP else ())
            )
            if methods:
                yield Task(photo, methods, nulls, protocol)


def matches(line: dict[str, Any], protocol: Protocol) -> bool:
    """Whether a line was made by these settings and this version."""
    wanted = line_key(Photograph(Path(line["image"]), 0), line["method"], protocol)
    return all(line.get(key) == value for key, value in wanted.items())
