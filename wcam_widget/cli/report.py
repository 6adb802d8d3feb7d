"""Image files explained one after another into a report: what the command line does."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from wcam_widget.cli.photographs import Job
from wcam_widget.explain import AbstractMethod, Attribution
from wcam_widget.explain.loop import Failure, each
from wcam_widget.model import ensure_image
from wcam_widget.show.explorer.explore import explore
from wcam_widget.show.explorer.explorer import Explorer
from wcam_widget.show.explorer.layers import numbered
from wcam_widget.show.frames import photograph
from wcam_widget.show.pages.exporter import write_report
from wcam_widget.show.pages.still import small
from wcam_widget.text import printable

THUMBNAIL = 160  # pixels of the longer side

Watch = Callable[[str, Mapping[str, Any]], None]
"""Called with an image's name and an explorer's status whenever there is news."""


@dataclass(frozen=True, eq=False)
class Result:
    """One image's attribution, the page state of its explorer, what a reader has to know, and a small PNG."""

    name: str
    attribution: Attribution
    state: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    thumbnail: bytes = b""


@dataclass(frozen=True, eq=False)
class Batch:
    """What was explained, what was not and why, and the interrupt that ended the work early, if one did."""

    results: tuple[Result, ...]
    failures: tuple[tuple[str, Failure], ...]
    interrupt: KeyboardInterrupt | None = None


def explain_all(
    jobs: Sequence[Job], method: AbstractMethod, watch: Watch, layers: Sequence[AbstractMethod] = ()
) -> Batch:
    """Explain images one after another; an error ends one of them, an interrupt the work.

    ``layers`` are methods whose maps can be put over each image too. The image under way at an interrupt is
    kept as far as its map had come.
    """
    results: list[Result] = []
    failures: list[tuple[str, Failure]] = []
    interrupt = None
    try:
        for place, one in each(lambda _, job: _explained(job, method, watch, layers), jobs):
            if isinstance(one, Failure):
                failures.append((jobs[place].name, one))
            else:
                results.append(one)
    except KeyboardInterrupt as error:
        interrupt = error
    return Batch(tuple(results), tuple(failures), interrupt)


def _explained(
    job: Job, method: AbstractMethod, watch: Watch, layers: Sequence[AbstractMethod]
) -> Iterator[Result]:
    """Explain one image; what there is of it comes before the error or interrupt that ended it is raised."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        image = ensure_image(job.image, job.name, job.model.fit)
    notes = tuple(printable(str(warned.message)) for warned in caught)
    ended: BaseException | None = None
    with explore(job.model, image, job.target, method, layers=layers) as explorer:
        explorer.observe(lambda change: watch(job.name, change["new"]), "_status")
        try:
            explorer.wait()
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  raised after what there is
            ended = error
        made = _so_far(job.name, explorer, notes, partial=isinstance(ended, KeyboardInterrupt))
        thumbnail = small(Image.fromarray(photograph(image)), THUMBNAIL) if made else b""
        yield from (replace(one, thumbnail=thumbnail) for one in made)
        if ended is not None:
            raise ended


def _so_far(name: str, explorer: Explorer, notes: tuple[str, ...], *, partial: bool) -> list[Result]:
    """What an explorer has to show: a complete map, also if a layer failed, and a partial one if wanted."""
    attribution = explorer.attribution
    if attribution is None or not (attribution.complete or partial):
        return []
    state = {**explorer.page_state(), "title": f"{name}: {attribution.target}", "notes": notes}
    return [Result(name, attribution, state, notes)]


def ensure_folders(page: Path, folder: Path | None, *, make: bool = False) -> None:
    """Raise where `page` could not be written, before hours of work; make `folder`, and the page's too."""
    if make:
        page.parent.mkdir(parents=True, exist_ok=True)
    if page.is_dir():
        raise ValueError(f"--out: {page} is a folder; accepted is a file, unless images are folders")
    if not page.parent.is_dir():
        raise ValueError(f"--out: the folder {page.parent} does not exist")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)


def write_page(batch: Batch, page: Path) -> list[Path]:
    """Write the report, completely or not at all, where anything was explained; its path."""
    return [write_report(page, [one.state for one in batch.results])] if batch.results else []


def write_maps(batch: Batch, folder: Path) -> list[Path]:
    """Write one ``.npz`` per image into ``folder``, completely or not at all; equal names are numbered."""
    names = numbered([Path(one.name).stem for one in batch.results])
    pairs = zip(names, batch.results, strict=True)
    return [one.attribution.save(folder / f"{name}.npz") for name, one in pairs]


def summary(one: Result) -> dict[str, Any]:
    """An attribution in plain JSON values, without its cells; numbers that JSON lacks become None.

    ``summary`` is the answer in a sentence. ``shares`` tells whether values are shares of the score's
    variance. ``peak`` is the pixel of the highest value over the image, row and column; None where all are
    equal.
    """
    attribution, profile = one.attribution, one.attribution.profile()
    heat = attribution.spatial()
    row, column = divmod(int(heat.argmax()), heat.shape[1])
    columns = zip(profile.total, profile.low, profile.high, profile.shapley, strict=True)
    return {
        "image": one.name,
        "summary": one.state["_status"]["answer"],
        "notes": list(one.notes),
        "target": printable(attribution.target),
        "score": _finite(attribution.score),
        "method": attribution.method,
        "complete": attribution.complete,
        "stop": attribution.stop,
        "evaluations": attribution.evaluations,
        "gradients": attribution.gradients,
        "seconds": round(attribution.seconds, 3),
        "engine": attribution.engine,
        "cells": len(attribution.values),
        "peak": {"row": row, "column": column} if heat.max() > heat.min() else None,
        "unit": attribution.unit,
        "shares": math.isfinite(attribution.variance),
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
