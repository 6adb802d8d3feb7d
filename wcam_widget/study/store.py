"""Rows on disk: Parquet files that appear complete or not at all, beside a note of what made them."""

from __future__ import annotations

import errno
import json
import secrets
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from wcam_widget.files import atomic_write
from wcam_widget.study.row import DONE, Row

try:
    import pyarrow as pa
    from pyarrow import parquet
except ModuleNotFoundError as error:  # an extra
    raise ImportError('a study needs pyarrow; install it with: pip install "wcam_widget[study]"') from error

FORMAT = 1
MANIFEST = "_study.json"  # readers of Parquet folders skip names that begin so
_MOST_ROWS, _MOST_BYTES, _SECONDS = 512, 32 << 20, 1.0
_TIER = 32  # files of one tier that become one of the next
_MERGED_BYTES = 64 << 20
_REPLACES = b"replaces"
_KEYS = ["name", "key", "status"]
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class StudyWarning(UserWarning):
    """What a reader of a study has to know of it."""


@final
@dataclass(frozen=True, order=True)
class Part:
    """One Parquet file, by the order in which its rows were written; a higher tier was merged from lower."""

    sequence: int
    tier: int
    path: Path

    @classmethod
    def parse(cls, path: Path) -> Part:
        """The part in a file named ``rows-TIER-SEQUENCE-TOKEN.parquet``."""
        _, tier, sequence, _ = path.stem.split("-")
        return cls(int(sequence), int(tier), path)

    @classmethod
    def new(cls, folder: Path, tier: int, sequence: int) -> Part:
        """A part with a file name that no other process takes."""
        return cls.parse(folder / f"rows-{tier}-{sequence:08d}-{secrets.token_hex(4)}.parquet")


@final
class Store:
    """The rows of a study in a folder.

    Rows are gathered for a second at most. However the process ends, every file is complete, and each row
    is in one of them; a rerun adds those that are missing. Many small files become a large one, which
    names those it replaces, so that it counts from the moment it is there.

    Args:
        folder: Made where it is missing; accepted are an empty one and that of a store.
        manifest: What makes the rows, by name; nested.

    Raises:
        ValueError: Naming ``out``, where another study made the store, and saying which of these differ.
    """

    def __init__(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        self.folder = folder
        _ensure_same(folder, {"format": FORMAT, **manifest})
        self._parts = sorted(_parts(folder))
        self._sequence = max((part.sequence for part in self._parts), default=0)
        self._waiting: list[Row] = []
        self._bytes, self._written = 0, time.monotonic()

    def known(self) -> dict[str, str]:
        """The keys of the rows that are done, by the name of their image."""
        keys: dict[str, str] = {}
        for table in _tables(self._parts, _KEYS):
            rows = zip(*(table[column].to_pylist() for column in _KEYS), strict=True)
            keys |= {name: key if status == DONE else "" for name, key, status in rows}
        return keys

    def add(self, row: Row) -> None:
        """Take a row, and write those that wait where it is time to."""
        self._waiting.append(row)
        self._bytes += sum(value.nbytes for value in row.values() if isinstance(value, np.ndarray))
        late = time.monotonic() - self._written > _SECONDS
        if late or len(self._waiting) >= _MOST_ROWS or self._bytes >= _MOST_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write the rows that wait.

        Raises:
            OSError: Where the disk is full or cannot be written to; what was written before stays readable.
        """
        rows, self._waiting, self._bytes = self._waiting, [], 0
        if rows:
            try:
                self._write(table_of(rows), 0)
                self._merge(0)
            except OSError as error:
                raise self._blame(error, len(rows)) from error
        self._written = time.monotonic()

    def _blame(self, error: OSError, rows: int) -> OSError:
        why = "the disk is full" if error.errno in _FULL else str(error)
        message = (
            f"out: {rows} rows could not be written to {str(self.folder)!r}: {why}; those before are kept, "
            "and the same study goes on from there when it is run again"
        )
        return OSError(error.errno, message)

    def _write(self, table: pa.Table, tier: int, replaces: Sequence[Part] = ()) -> None:
        sequence = max((part.sequence for part in replaces), default=0)
        if not replaces:
            self._sequence = sequence = self._sequence + 1
        part = Part.new(self.folder, tier, sequence)
        names = json.dumps([old.path.name for old in replaces]).encode()
        with atomic_write(part.path) as path:
            parquet.write_table(table.replace_schema_metadata({_REPLACES: names}), path, compression="zstd")
        self._parts = sorted([*(old for old in self._parts if old not in replaces), part])
        for old in replaces:
            old.path.unlink(missing_ok=True)

    def _merge(self, tier: int) -> None:
        """Make one file of the next tier of those of one, where they are many and small."""
        small = [part for part in self._parts if part.tier == tier]
        if len(small) < _TIER or sum(part.path.stat().st_size for part in small) > _MERGED_BYTES:
            return
        self._write(_joined(_tables(small)), tier + 1, small)
        self._merge(tier + 1)

    def read(self, *, maps: bool = False) -> pd.DataFrame:
        """One row for each image, the latest, in the order of their names.

        Args:
            maps: Whether maps are read, too.
        """
        return read_rows(self._parts, maps=maps)


def read_table(folder: str | Path, *, maps: bool = False) -> pd.DataFrame:
    """The rows of a store, without a model.

    Args:
        folder: Of a store.
        maps: Whether maps are read, too, each as an array of its shape.

    Returns:
        One row for each image, in the order of their names.

    Raises:
        ValueError: Naming ``folder``, where it holds no store.
    """
    path = Path(folder)
    if not (path / MANIFEST).is_file():
        raise ValueError(f"folder: {str(folder)!r} holds no study; accepted is the folder that one wrote to")
    return read_rows(sorted(_parts(path)), maps=maps)


def read_rows(parts: Sequence[Part], *, maps: bool) -> pd.DataFrame:
    """The latest row of each image in some parts."""
    table = _joined(_tables(parts, without_lists=not maps))
    frame = table.to_pandas().drop_duplicates("name", keep="last").sort_values("name").reset_index(drop=True)
    shapes = [column for column in frame if column.endswith(".shape")]
    for column in shapes if maps else ():
        sides = frame[column].dropna().str.split("x").map(lambda text: tuple(map(int, text)))
        of = frame[column.removesuffix(".shape")]
        frame[of.name] = pd.Series({i: of[i].reshape(sides[i]) for i in sides.index}, dtype=object)
    return frame.drop(columns=shapes)


def table_of(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Rows as a table; a column that a row lacks is empty there."""
    rows = list(rows)
    columns = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: _column([row.get(name) for row in rows]) for name in columns})


def _column(values: list[Any]) -> pa.Array:
    if any(isinstance(value, np.ndarray) for value in values):
        return pa.array(values, pa.list_(pa.float32()))
    if any(isinstance(value, float) for value in values):
        return pa.array(values, pa.float64())
    return pa.array(values)


def _tables(
    parts: Iterable[Part], columns: list[str] | None = None, *, without_lists: bool = False
) -> Iterator[pa.Table]:
    for part in parts:
        wanted = columns
        if without_lists:
            schema = parquet.read_schema(part.path)
            wanted = [each.name for each in schema if not pa.types.is_list(each.type)]
        with parquet.ParquetFile(part.path) as file:
            yield file.read(columns=wanted)


def _joined(tables: Iterable[pa.Table]) -> pa.Table:
    every = list(tables) or [table_of([dict.fromkeys(_KEYS, "")]).slice(1)]
    return pa.concat_tables(every, promote_options="permissive")


def _parts(folder: Path) -> list[Part]:
    """The parts that count: files that were merged into another one are taken away."""
    parts, replaced = [], set[str]()
    for path in folder.glob("rows-*.parquet"):
        try:
            metadata = parquet.read_schema(path).metadata or {}
        except (pa.ArrowException, OSError) as error:
            aside = path.rename(path.with_name(f"_damaged-{path.name}"))
            warnings.warn(
                f"{aside.name} is damaged ({str(error).partition('.')[0]}); its images are measured again",
                StudyWarning,
                stacklevel=2,
            )
            continue
        replaced.update(json.loads(metadata.get(_REPLACES, b"[]")))
        parts.append(Part.parse(path))
    for part in parts:
        if part.path.name in replaced:
            part.path.unlink(missing_ok=True)
    return [part for part in parts if part.path.name not in replaced]


def _ensure_same(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write what makes the rows, or compare it with what is there; ValueError where that differs."""
    path = folder / MANIFEST
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        if any(not other.name.startswith(".") for other in folder.iterdir()):
            raise ValueError(
                f"out: {str(folder)!r} holds other files; accepted are a new or empty folder, "
                "and that of the same study"
            )
        with atomic_write(path) as part:
            part.write_text(json.dumps(manifest, indent=2), "utf-8")
        return
    try:
        before = _flat(json.loads(path.read_text("utf-8")))
    except (ValueError, AttributeError) as error:
        raise ValueError(f"out: {str(path)!r} is damaged: {error}; give another folder") from error
    now = _flat(manifest)
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    if names:
        said = "; ".join(
            f"{name}: {before.get(name, 'nothing')} there, {now.get(name, 'nothing')} here" for name in names
        )
        raise ValueError(f"out: another study wrote to {str(folder)!r} ({said}); give another folder")


def _flat(nested: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in nested.items():
        flat |= _flat(value, f"{before}{name} ") if isinstance(value, Mapping) else {f"{before}{name}": value}
    return flat
