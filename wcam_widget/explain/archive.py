"""Attributions as files: one ``.npz`` of arrays and a JSON text, read without trust."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wcam_widget.basis import Cells, basis_from
from wcam_widget.sensitivity import Estimate, GroupEstimate

if TYPE_CHECKING:
    from wcam_widget.explain.attribution import Attribution

VERSION = 1
PER_CELL = ("value", "low", "high", "kind", "error", "first", "slope")
PER_BAND = ("total", "low", "high", "shapley", "closed")
WORDS = ("method", "target", "stop", "unit", "statistic")
NUMBERS = ("score", "planned", "seconds", "complete")


def write(path: Path, attribution: Attribution) -> Path:
    """Write an attribution whole or not at all; returns the path, ending in ``.npz``."""
    target = path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
    estimate, groups = attribution.estimate, attribution.estimate.groups
    described = {name: getattr(attribution, name) for name in (*WORDS, *NUMBERS)}
    described |= {name: getattr(estimate, name) for name in ("variance", "evaluations", "gradients")}
    described |= {"version": VERSION, "basis": attribution.basis.settings()}
    arrays = {name: getattr(estimate, name) for name in PER_CELL}
    arrays |= {f"band_{name}": getattr(groups, name) for name in PER_BAND}
    arrays |= {"left_out": estimate.left_out, "band_left_out": groups.left_out}
    if groups.superset is not None:
        arrays["band_superset"] = groups.superset
    arrays |= {"cells": attribution.cells.rectangles, "about": np.array(json.dumps(described))}
    with whole(target) as part, part.open("wb") as file:
        np.savez_compressed(file, **arrays)
    return target


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A path beside ``path`` to write to: it becomes ``path`` at the end, or vanishes if writing fails."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def read(path: Path) -> dict[str, Any]:
    """The fields of the attribution in a file; ValueError naming the file where it cannot be one."""
    with path.open("rb") as file:
        try:
            with np.load(file, allow_pickle=False) as stored:
                about = json.loads(str(stored["about"]))
                newer = int(about["version"]) > VERSION
                if not newer:
                    return _fields(about, stored)
        except Exception as error:  # a damaged archive makes numpy and zipfile raise almost anything
            raise ValueError(f"path={str(path)!r} is not a whole attribution file: {error}") from error
    raise ValueError(f"path={str(path)!r} was written by a newer version; please upgrade wcam-widget")


def _fields(about: dict[str, Any], stored: Any) -> dict[str, Any]:
    basis = basis_from(about["basis"])
    cells = Cells(basis.bands, _array(stored, "cells", (None, 5), "i"), basis.picture_size, basis.size)
    per_cell = {
        name: _array(stored, name, (len(cells),), "i" if name == "kind" else "f") for name in PER_CELL
    }
    count = len(basis.bands)
    groups = {name: _array(stored, f"band_{name}", (count,), "f") for name in PER_BAND}
    joint = "band_superset" in stored
    estimate = Estimate(
        **per_cell,
        left_out=_array(stored, "left_out", (None, len(cells)), "f"),
        groups=GroupEstimate(
            **groups,
            left_out=_array(stored, "band_left_out", (None, count), "f"),
            superset=_array(stored, "band_superset", (count, count), "f") if joint else None,
        ),
        variance=float(about["variance"]),
        evaluations=int(about["evaluations"]),
        gradients=int(about["gradients"]),
    )
    words = {name: str(about[name]) for name in WORDS}
    numbers = {
        "score": float(about["score"]),
        "planned": int(about["planned"]),
        "seconds": float(about["seconds"]),
    }
    complete = bool(about["complete"])
    return {"estimate": estimate, "cells": cells, "basis": basis, "complete": complete, **words, **numbers}


def _array(stored: Any, name: str, shape: tuple[int | None, ...], kind: str) -> np.ndarray:
    array = stored[name]
    fits = array.ndim == len(shape) and all(
        w is None or w == f for w, f in zip(shape, array.shape, strict=True)
    )
    if not fits or array.dtype.kind != kind:
        raise ValueError(f"{name} has shape {array.shape} and type {array.dtype}")
    return np.asarray(array)
