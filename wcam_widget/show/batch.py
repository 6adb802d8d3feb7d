"""Image files explained one after another into a report: what the command line does."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from wcam_widget.demo import VARIANTS, load_demo
from wcam_widget.explain import AbstractMethod, Attribution
from wcam_widget.files import atomic_write
from wcam_widget.model import BlackBox
from wcam_widget.show.explorer import Explorer, explore
from wcam_widget.show.export import write_report
from wcam_widget.show.layers import numbered

Watch = Callable[[str, Mapping[str, Any]], None]
"""Called with an image's name and an explorer's status whenever there is news."""


@dataclass(frozen=True, eq=False)
class Job:
    """An image, the name it is reported under, and what is asked about it."""

    name: str
    image: Float[Tensor, "c h w"]
    model: BlackBox
    target: str | int | None = None


@dataclass(frozen=True, eq=False)
class Explained:
    """One image's attribution and the page state of its explorer."""

    name: str
    attribution: Attribution
    state: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Batch:
    """What was explained, and what ended the work early: None when all of it was done."""

    explained: tuple[Explained, ...]
    ended_by: BaseException | None


def target_of(text: str | None, class_names: Sequence[str] | None) -> str | int | None:
    """A class as typed: a name if the model has it, else a number if it is one.

    >>> target_of("3", ("cat", "dog")), target_of("7", ("7", "8")), target_of("dog", ("cat", "dog"))
    (3, '7', 'dog')
    """
    if text is None or text in (class_names or ()):
        return text
    return int(text) if text.isascii() and text.isdecimal() else text


def demo_jobs(count: int) -> list[Job]:
    """The first `count` bundled images, each once for either bundled network.

    >>> [job.name for job in demo_jobs(1)]
    ['01-brick-disc.png, standard network', '01-brick-disc.png, robust network']
    """
    demos = {variant: load_demo(variant) for variant in VARIANTS}
    return [
        Job(f"{name}, {variant} network", demo.images[number], demo.model)
        for number, name in enumerate(demo_names()[:count])
        for variant, demo in demos.items()
    ]


def demo_names() -> list[str]:
    """File names of the bundled images, in their order."""
    _, _, labels, class_names = load_demo()
    return [f"{number:02d}-{class_names[label]}.png" for number, label in enumerate(labels, start=1)]


def write_demo_images(folder: Path) -> list[Path]:
    """Write the bundled images as PNG files, each whole or not at all; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, image in zip(demo_names(), load_demo().images, strict=True):
        pixels = (image.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
        with atomic_write(folder / name) as part:
            Image.fromarray(pixels).save(part, format="PNG")
        written.append(folder / name)
    return written


def explain_all(
    jobs: Iterable[Job], method: AbstractMethod, watch: Watch, layers: Sequence[AbstractMethod] = ()
) -> Batch:
    """Explain images one after another; an interrupt or an error ends the work and loses nothing finished.

    ``layers`` are methods whose maps can be put over each image too. The image under way at an interrupt is
    kept as far as its map had come.
    """
    explained: list[Explained] = []
    for job in jobs:
        try:
            with explore(job.model, job.image, job.target, method, layers=layers) as explorer:
                explorer.observe(lambda change, name=job.name: watch(name, change["new"]), "_status")
                try:
                    explorer.wait()
                except (KeyboardInterrupt, Exception) as error:  # noqa: BLE001  handed on in the batch
                    found = explorer.attribution
                    # Where a layer failed the map itself is whole; what the model broke off is none.
                    if isinstance(error, KeyboardInterrupt) or (found is not None and found.complete):
                        explained += _so_far(job.name, explorer)
                    return Batch(tuple(explained), error)
                explained += _so_far(job.name, explorer)
        except (KeyboardInterrupt, Exception) as error:  # noqa: BLE001  handed on in the batch
            return Batch(tuple(explained), error)
    return Batch(tuple(explained), None)


def _so_far(name: str, explorer: Explorer) -> list[Explained]:
    attribution = explorer.attribution
    if attribution is None:
        return []
    state = {**explorer.page_state(), "title": f"{name}: {attribution.target}"}
    return [Explained(name, attribution, state)]


def ensure_folders(page: Path, folder: Path | None) -> None:
    """Raise ValueError where `page` could not be written, before hours of work; make `folder`."""
    if not page.parent.is_dir():
        raise ValueError(f"--out: the folder {page.parent} does not exist")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)


def write_batch(batch: Batch, page: Path, folder: Path | None) -> list[Path]:
    """Write the report, and into `folder` one `.npz` per image; the paths, the report's first.

    Each file is written whole or not at all. Images of one name get numbers. Nothing explained, nothing
    written.
    """
    if not batch.explained:
        return []
    written = [write_report(page, [one.state for one in batch.explained])]
    if folder is not None:
        names = numbered([Path(one.name).stem for one in batch.explained])
        pairs = zip(names, batch.explained, strict=True)
        written += [one.attribution.save(folder / f"{name}.npz") for name, one in pairs]
    return written


def summary(one: Explained) -> dict[str, Any]:
    """An attribution in plain JSON values, without its cells; numbers that JSON lacks become None.

    ``summary`` is the answer in a sentence. ``shares`` tells whether values are shares of the score's
    variance. ``peak`` is the pixel of the highest value over the image, row and column; None where all are
    equal.
    """
    found, profile = one.attribution, one.attribution.profile()
    heat = found.spatial()
    row, column = divmod(int(heat.argmax()), heat.shape[1])
    columns = zip(profile.total, profile.low, profile.high, profile.shapley, strict=True)
    return {
        "image": one.name,
        "summary": one.state["_status"]["answer"],
        "target": found.target,
        "score": _finite(found.score),
        "method": found.method,
        "complete": found.complete,
        "stop": found.stop,
        "evaluations": found.evaluations,
        "gradients": found.gradients,
        "seconds": round(found.seconds, 3),
        "cells": len(found.values),
        "peak": {"row": row, "column": column} if heat.max() > heat.min() else None,
        "unit": found.unit,
        "shares": math.isfinite(found.variance),
        "statistic": profile.statistic,
        "profile": [
            {"band": name, "level": level, "orientation": orientation}
            | dict(zip(("total", "low", "high", "shapley"), map(_finite, numbers), strict=True))
            for name, level, orientation, numbers in zip(
                profile.names, profile.levels, profile.orientations, columns, strict=True
            )
        ],
    }


def _finite(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None
