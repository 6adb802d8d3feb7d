"""Image files explained one after another into a report: what the command line does."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from wcam_widget.demo import VARIANTS, load_demo
from wcam_widget.explain import AbstractMethod, Attribution
from wcam_widget.files import atomic_write
from wcam_widget.model import BlackBox, ensure_image
from wcam_widget.show.explorer.explorer import Explorer, explore
from wcam_widget.show.explorer.layers import numbered
from wcam_widget.show.pages.page import write_report
from wcam_widget.text import printable

Watch = Callable[[str, Mapping[str, Any]], None]
"""Called with an image's name and an explorer's status whenever there is news."""


@dataclass(frozen=True, eq=False)
class Job:
    """An image, or the path of one, the name it is reported under, and what is asked about it."""

    name: str
    image: Any
    model: BlackBox
    target: str | int | None = None


@dataclass(frozen=True, eq=False)
class Explained:
    """One image's attribution, the page state of its explorer, and what a reader has to know of the image."""

    name: str
    attribution: Attribution
    state: Mapping[str, Any]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Failure:
    """An image that was not explained, or not wholly, and why."""

    name: str
    error: Exception

    @property
    def reason(self) -> str:
        """What went wrong, in words."""
        return str(self.error).strip() or type(self.error).__name__


@dataclass(frozen=True, eq=False)
class Batch:
    """What was explained, what was not, and the interrupt that ended the work early, if one did."""

    explained: tuple[Explained, ...]
    failed: tuple[Failure, ...]
    interrupt: KeyboardInterrupt | None = None


def jobs_of(paths: Iterable[Path], model: BlackBox, target: str | int | None) -> list[Job]:
    """One job for each image file, to be read when its turn comes.

    >>> from torch import nn
    >>> [job.name for job in jobs_of([Path("photos/cat.png")], BlackBox(nn.Identity()), None)]
    ['cat.png']
    """
    return [Job(printable(path.name), path, model, target) for path in paths]


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
    """Explain images one after another; an error ends one of them, an interrupt the work.

    ``layers`` are methods whose maps can be put over each image too. The image under way at an interrupt is
    kept as far as its map had come.
    """
    explained: list[Explained] = []
    failed: list[Failure] = []
    try:
        for job in jobs:
            try:
                _explain(job, method, watch, layers, explained)
            except Exception as error:  # noqa: BLE001  handed on in the batch
                failed.append(Failure(job.name, error))
    except KeyboardInterrupt as interrupt:
        return Batch(tuple(explained), tuple(failed), interrupt)
    return Batch(tuple(explained), tuple(failed))


def _explain(
    job: Job,
    method: AbstractMethod,
    watch: Watch,
    layers: Sequence[AbstractMethod],
    explained: list[Explained],
) -> None:
    """Explain one image into ``explained``, before the error or interrupt that ended it is raised."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        image = ensure_image(job.image, job.name, job.model.fit)
    notes = tuple(printable(str(each.message)) for each in caught)
    with explore(job.model, image, job.target, method, layers=layers) as explorer:
        explorer.observe(lambda change: watch(job.name, change["new"]), "_status")
        keep_partial = False
        try:
            explorer.wait()
        except KeyboardInterrupt:
            keep_partial = True
            raise
        finally:
            explained += _so_far(job.name, explorer, notes, partial=keep_partial)


def _so_far(name: str, explorer: Explorer, notes: tuple[str, ...], *, partial: bool) -> list[Explained]:
    """What an explorer has to show: a whole map, also where a layer failed, and a partial one if wanted."""
    found = explorer.attribution
    if found is None or not (found.complete or partial):
        return []
    state = {**explorer.page_state(), "title": f"{name}: {found.target}", "notes": notes}
    return [Explained(name, found, state, notes)]


def ensure_folders(page: Path, folder: Path | None) -> None:
    """Raise ValueError where `page` could not be written, before hours of work; make `folder`."""
    if not page.parent.is_dir():
        raise ValueError(f"--out: the folder {page.parent} does not exist")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)


def write_page(batch: Batch, page: Path) -> list[Path]:
    """Write the report, whole or not at all, where anything was explained; its path."""
    return [write_report(page, [one.state for one in batch.explained])] if batch.explained else []


def write_maps(batch: Batch, folder: Path) -> list[Path]:
    """Write one ``.npz`` per image into ``folder``, each whole or not at all; equal names get numbers."""
    names = numbered([Path(one.name).stem for one in batch.explained])
    pairs = zip(names, batch.explained, strict=True)
    return [one.attribution.save(folder / f"{name}.npz") for name, one in pairs]


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
        "notes": list(one.notes),
        "target": printable(found.target),
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
