"""The container in which arrays travel to the front end: a JSON header and typed sections in one buffer.

    bytes 0-3   WCF1
    u32         length n of the header, little endian; 8 + n is a multiple of 8
    n bytes     UTF-8 JSON, padded with spaces
    sections    raw little-endian arrays, each at an offset (from the first byte) that is a multiple of 8

One buffer, because several traits do not arrive together in every host and a header must never meet another
run's arrays. Eight-byte offsets, because typed arrays in a browser cannot look at misaligned memory.
js/src/frame reads and writes the same bytes; tests/reference/frames holds files both must agree on.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"WCF1"
ALIGNMENT = 8
LARGEST_HEADER = 65536  # bytes; must be kept in sync with js/src/frame
LARGEST_SECTION = 2**31  # elements
LARGEST_SIZE = 2**53  # bytes; what JavaScript counts exactly
MOST_AXES = 8
LONGEST_SHOWN = 80  # characters
DTYPES: dict[str, np.dtype[Any]] = {"f32": np.dtype("<f4"), "u8": np.dtype("u1"), "i32": np.dtype("<i4")}


class FrameError(ValueError):
    """Bytes that are not a frame, or contents that no frame can hold."""


@dataclass(frozen=True, eq=False)
class Frame:
    """What a frame holds: its header without the table of sections, and the sections as read-only arrays.

    >>> Frame({"kind": "note"}, {}).header["kind"]
    'note'
    """

    header: dict[str, Any]
    sections: dict[str, NDArray[Any]]


def encode(header: Mapping[str, Any], sections: Mapping[str, NDArray[Any]]) -> bytes:
    """Write a header and arrays of float32, uint8 or int32 as one frame.

    Equal contents give equal bytes: keys and sections keep the order they are given in.
    Raises FrameError when the header holds NaN, infinity or something JSON has no word for, when it is
    longer than 65536 bytes, and when an array has another dtype.

    >>> data = encode({"kind": "note"}, {"values": np.zeros(3, np.float32)})
    >>> data[:4], len(data) % 4
    (b'WCF1', 0)
    """
    if "sections" in header:
        raise FrameError("header: 'sections' is written by encode and cannot be given")
    names = {name: _dtype_name(name, array) for name, array in sections.items()}
    # Offsets stand in the header and depend on its length, so they are counted from the end of the header
    # first and it is written again until its length holds still (its digits grow, never shrink).
    length = 0
    while True:
        offset, table = ALIGNMENT + length, []
        for name, array in sections.items():
            offset = _aligned(offset)
            table.append(_entry(name, names[name], array, offset))
            offset += array.nbytes
        text = _padded(_json({**header, "sections": table}))
        if len(text) <= length:
            break
        length = len(text)
    text = text.ljust(length)
    frame = bytearray(MAGIC + len(text).to_bytes(4, "little") + text)
    for entry, (name, array) in zip(table, sections.items(), strict=True):
        frame.extend(bytes(entry["offset"] - len(frame)))
        frame.extend(np.ascontiguousarray(array, DTYPES[names[name]]).tobytes())
    return bytes(frame)


def decode(data: bytes | bytearray | memoryview) -> Frame:
    """Read a frame, trusting none of it.

    Every offset, size and shape is checked before an array is made; the arrays are read-only views of a
    private copy. Raises FrameError, and nothing else, for any bytes that are not a complete frame.

    >>> decode(encode({"run": "a"}, {"kind": np.array([1, 2], np.uint8)})).sections["kind"].tolist()
    [1, 2]
    >>> decode(b"WCF1")
    Traceback (most recent call last):
    wcam_widget.show.frame.FrameError: a frame has at least 8 bytes, found 4
    """
    data = bytes(data)
    header, start = _read_header(data)
    table = header.pop("sections", None)
    if not isinstance(table, list):
        raise FrameError(f"header.sections must be a list, found {type(table).__name__}")
    sections: dict[str, NDArray[Any]] = {}
    for number, entry in enumerate(table):
        name, array = _read_section(data, start, entry, f"section {number}")
        if name in sections:
            raise FrameError(f"section {number}: the name {name!r} is used twice")
        sections[name] = array
    return Frame(header, sections)


def _dtype_name(name: str, array: NDArray[Any]) -> str:
    for dtype_name, dtype in DTYPES.items():
        if array.dtype.newbyteorder("<") == dtype:
            return dtype_name
    raise FrameError(f"section {name!r}: dtype must be float32, uint8 or int32, found {array.dtype}")


def _aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT


def _entry(name: str, dtype: str, array: NDArray[Any], offset: int) -> dict[str, Any]:
    return {
        "name": name,
        "dtype": dtype,
        "shape": list(array.shape),
        "codec": "raw",
        "offset": offset,
        "nbytes": array.nbytes,
    }


def _json(header: Mapping[str, Any]) -> bytes:
    try:
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise FrameError(f"header: {error}") from error
    # A lone surrogate (a label read with errors="surrogateescape") has no UTF-8; as \udcXX it is valid JSON.
    return text.encode("utf-8", "backslashreplace")


def _padded(text: bytes) -> bytes:
    text = text.ljust(_aligned(len(text)))
    if len(text) > LARGEST_HEADER:
        raise FrameError(f"header: at most {LARGEST_HEADER} bytes, found {len(text)}")
    return text


def _read_header(data: bytes) -> tuple[dict[str, Any], int]:
    if len(data) < ALIGNMENT:
        raise FrameError(f"a frame has at least {ALIGNMENT} bytes, found {len(data)}")
    if data[:4] != MAGIC:
        raise FrameError(f"a frame starts with {MAGIC!r}, found {data[:4]!r}")
    length = int.from_bytes(data[4:8], "little")
    end = ALIGNMENT + length
    if length > LARGEST_HEADER or end % ALIGNMENT:
        raise FrameError(f"header length must be a multiple of 8 up to {LARGEST_HEADER}, found {length}")
    if end > len(data):
        raise FrameError(f"the header ends at byte {end}, the frame at byte {len(data)}")
    try:
        header = json.loads(data[ALIGNMENT:end].decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"the header is not JSON: {error}") from error
    if not isinstance(header, dict):
        raise FrameError(f"the header must be a JSON object, found {type(header).__name__}")
    return header, end


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _read_section(data: bytes, start: int, entry: Any, where: str) -> tuple[str, NDArray[Any]]:
    if not isinstance(entry, dict):
        raise FrameError(f"{where} must be an object, found {type(entry).__name__}")
    name, dtype_name, codec = entry.get("name"), entry.get("dtype"), entry.get("codec")
    if not isinstance(name, str):
        raise FrameError(f"{where}: name must be text, found {_shown(name)}")
    if not isinstance(dtype_name, str) or dtype_name not in DTYPES:
        raise FrameError(f"{where}: dtype must be one of {', '.join(DTYPES)}, found {_shown(dtype_name)}")
    if codec != "raw":
        raise FrameError(f"{where}: codec must be 'raw', found {_shown(codec)}")
    shape, dtype = _read_shape(entry.get("shape"), where), DTYPES[dtype_name]
    offset, nbytes = _read_size(entry, "offset", where), _read_size(entry, "nbytes", where)
    if nbytes != math.prod(shape) * dtype.itemsize:
        raise FrameError(f"{where}: {dtype_name} of shape {shape} does not fill {nbytes} bytes")
    if offset % ALIGNMENT or offset < start:
        raise FrameError(f"{where}: offset must be a multiple of 8 from {start} on, found {offset}")
    if offset + nbytes > len(data):
        raise FrameError(f"{where}: it ends at byte {offset + nbytes}, the frame at byte {len(data)}")
    count = math.prod(shape)
    return name, np.frombuffer(data, dtype, count, offset if count else 0).reshape(shape)


def _shown(value: Any) -> str:
    """What stands there, for an error: never long, and never an error itself."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # thousands of digits, or of brackets
        return f"{type(value).__name__} too long to be shown"
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"


def _is_size(value: Any, largest: int) -> bool:
    return type(value) is int and 0 <= value <= largest  # bool is an int, and no size


def _read_size(entry: dict[str, Any], key: str, where: str) -> int:
    value: Any = entry.get(key)
    if not _is_size(value, LARGEST_SIZE):
        raise FrameError(f"{where}: {key} must be a whole number from 0 to 2^53, found {_shown(value)}")
    return int(value)


def _read_shape(shape: Any, where: str) -> tuple[int, ...]:
    axes: list[Any] = shape if isinstance(shape, list) else [None]
    if len(axes) > MOST_AXES or not all(_is_size(n, LARGEST_SIZE) for n in axes):
        raise FrameError(
            f"{where}: shape must be up to {MOST_AXES} whole numbers from 0 to 2^53, found {_shown(shape)}"
        )
    if math.prod(max(n, 1) for n in axes) > LARGEST_SECTION:
        raise FrameError(f"{where}: at most {LARGEST_SECTION} elements, found shape {shape}")
    return tuple(axes)
