"""Attributions as files: one ``.npz`` of arrays and a JSON text, read without trust."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wcam_widget.basis import Cells, basis_from
from wcam_widget.files import atomic_write
from wcam_widget.sensitivity import Estimate, GroupEstimate

VERSION = 1
PER_CELL = ("value", "low", "high", "kind", "error", "first", "slope")
PER_BAND = ("total", "low", "high", "shapley", "closed")
WORDS = ("method", "target", "stop", "unit", "statistic")
ENGINE = "engine"  # older files do not say
SMALL = 32 << 20  # bytes that any file may unpack to
MOST_COMPRESSED = 100  # times its size for a large one; empty maps come to half of that
LARGEST_ITEM = 4 << 20  # bytes of one number, or of the text about the rest
NUMBERS = ("score", "planned", "seconds", "complete")


def write(path: Path, fields: Mapping[str, Any]) -> Path:
    """Write the fields of an attribution, completely or not at all; returns the path, ending in ``.npz``."""
    target = path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
    estimate: Estimate = fields["estimate"]
    groups = estimate.groups
    described = {name: fields[name] for name in (*WORDS, *NUMBERS, ENGINE)}
    described |= {name: getattr(estimate, name) for name in ("variance", "evaluations", "gradients")}
    described |= {"version": VERSION, "basis": fields["basis"].settings()}
    arrays = {name: getattr(estimate, name) for name in PER_CELL}
    arrays |= {f"band_{name}": getattr(groups, name) for name in PER_BAND}
    arrays |= {"left_out": estimate.left_out, "band_left_out": groups.left_out}
    if groups.superset is not None:
        arrays["band_superset"] = groups.superset
    arrays |= {"cells": fields["cells"].rectangles, "about": np.array(json.dumps(described))}
    with atomic_write(target) as part, part.open("wb") as file:
        np.savez_compressed(file, **arrays)
    return target


def read(path: Path) -> dict[str, Any]:
    """The fields of the attribution in a file; ValueError naming the file where it cannot be one.

    Sizes are checked as the file declares them, before anything of that size is made.
    """
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as stored:
                about = json.loads(str(_array(stored, "about", (), "U")))
                newer = int(about["version"]) > VERSION
                if not newer:
                    _ensure_loadable(stored, path.stat().st_size)
                    return _fields(about, stored)
        except Exception as error:  # a damaged archive makes numpy and zipfile raise almost anything
            raise ValueError(f"path={str(path)!r} is not a complete attribution file: {error}") from error
    raise ValueError(f"path={str(path)!r} was written by a newer version; please upgrade wcam-widget")


def _ensure_loadable(stored: zipfile.ZipFile, packed: int) -> None:
    """Refuse a small file that unpacks to far more than an attribution of its size could."""
    declared = sum(member.file_size for member in stored.infolist())
    if declared > max(SMALL, packed * MOST_COMPRESSED):
        raise ValueError(f"{packed} bytes would unpack to {declared}")


def _fields(about: dict[str, Any], stored: zipfile.ZipFile) -> dict[str, Any]:
    basis = basis_from(about["basis"])
    rectangles = _array(stored, "cells", (None, 5), "i").astype(np.int64)
    cells = Cells(basis.bands, rectangles, basis.picture_size, basis.size)
    per_cell = {
        name: _array(stored, name, (len(cells),), "i" if name == "kind" else "f") for name in PER_CELL
    }
    count = len(basis.bands)
    groups = {name: _array(stored, f"band_{name}", (count,), "f") for name in PER_BAND}
    joint = "band_superset.npy" in stored.namelist()
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
    words = {name: str(about[name]) for name in WORDS} | {ENGINE: str(about.get(ENGINE, ""))}
    numbers = {
        "score": float(about["score"]),
        "planned": int(about["planned"]),
        "seconds": float(about["seconds"]),
    }
    complete = bool(about["complete"])
    return {"estimate": estimate, "cells": cells, "basis": basis, "complete": complete, **words, **numbers}


def _array(stored: zipfile.ZipFile, name: str, shape: tuple[int | None, ...], kind: str) -> np.ndarray:
    """One array, made only where its header fits the shape that is due and the bytes that are there."""
    member = stored.getinfo(f"{name}.npy")
    with stored.open(member) as file:
        stated, dtype = _header(file)
        fits = len(stated) == len(shape) and all(
            due is None or due == side for due, side in zip(shape, stated, strict=True)
        )
        if not fits or dtype.kind != kind:
            raise ValueError(f"{name} has shape {stated} and type {dtype}")
        if math.prod(stated) * dtype.itemsize > member.file_size or dtype.itemsize > LARGEST_ITEM:
            raise ValueError(f"{name} of shape {stated} and type {dtype} is not there")
    with stored.open(member) as file:
        return np.asarray(np.lib.format.read_array(file, allow_pickle=False))


def _header(file: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of an array, which come before its numbers."""
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError(f"an array is written in version {version}")
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    return shape, dtype
