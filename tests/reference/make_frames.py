"""Write the frames that Python and TypeScript must agree on, byte for byte.

For each frame: NAME.wcf, the bytes, and NAME.json, its header and arrays as numbers. hostile.json holds bytes
that are not frames (base64), which both readers must refuse. Run from anywhere, after a change of the format:

    python tests/reference/make_frames.py
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wcam_widget.show.frame import encode

FOLDER = Path(__file__).parent / "frames"
Parts = tuple[dict[str, Any], dict[str, NDArray[Any]]]


def plain() -> Parts:
    """Every dtype, lengths that need padding, an empty section, labels that are no markup."""
    return (
        {
            "kind": "note",
            "version": 1,
            "label": '</script><img src=x onerror=alert(1)> & \u2028 Größe 種 \U0001f980 "\\\n\t\x01',
            "numbers": [0, -1, 0.5, 0.0078125, 123456789.125],
            "nothing": None,
            "flags": [True, False],
        },
        {
            "odd": np.arange(5, dtype=np.uint8),
            "floats": np.array([[0.5, -1.5, 3.1415927], [1e-20, 65504.0, -0.0]], np.float32),
            "empty": np.zeros((0, 4), np.float32),
            "whole": np.array([-(2**31), -1, 0, 2**31 - 1], np.int32),
            "last": np.full((3, 1, 1), 255, np.uint8),
        },
    )


def bare() -> Parts:
    """A header alone."""
    return {"kind": "empty"}, {}


def attribution() -> Parts:
    """Seven cells of a one-level Haar run that is under way."""
    bands = 4
    return (
        {
            "kind": "attribution",
            "version": 1,
            "run": "golden",
            "rev": 3,
            "complete": False,
            "method": "Sobol(rows=16, seed=0)",
            "target": {"label": "Logit(disc <b>)", "score": 2.75},
            "evaluations": 144,
            "gradients": 0,
            "planned": 288,
            "seconds": 0.625,
            "unit": "share of the score's variance, total",
            "signed": False,
            "stop": "",
            "variance": None,
            "profile": {
                "statistic": "total",
                "total": [0.5, 0.25, 0.125, 0.0625],
                "low": [0.4375, 0.125, 0.0625, None],
                "high": [0.625, 0.375, 0.25, None],
                "shapley": [None] * bands,
            },
        },
        {
            "values": np.array([0.25, 0.125, 0.0625, 0.03125, 0.5, 0.1, np.nan], np.float32),
            "low": np.array([0.2, 0.1, 0, 0, 0.4, 0.05, np.nan], np.float32),
            "high": np.array([0.3, 0.15, 0.1, 0.05, 0.6, 0.2, np.nan], np.float32),
            "slope": np.array([1, -1, 0.5, -0.5, 2, 0, 0], np.float32),
            "kind": np.array([0, 0, 0, 1, 0, 0, 2], np.uint8),
        },
    )


def layers() -> Parts:
    """Two layers over those pixels: the run's own map, signed, and one that an error ended."""
    fine = {
        "name": "Mine <b>",
        "main": True,
        "error": "",
        "drawn": True,
        "method": "Mine · conv (2x2)",
        "target": {"label": "Logit(disc <b>)", "score": 2.75},
        "unit": "logit",
        "signed": True,
        "complete": True,
        "stop": "done",
    }
    ended = fine | {"name": "Other", "main": False, "error": "ValueError: no layer", "drawn": False}
    ended |= {"method": "", "target": {"label": "", "score": None}, "unit": "", "complete": False, "stop": ""}
    return (
        {
            "kind": "layers",
            "version": 1,
            "run": "golden",
            "image": {"height": 4, "width": 4},
            "layers": [fine, ended | {"signed": False}],
        },
        {"map0": (np.arange(16, dtype=np.float32).reshape(4, 4) - 4) / 8},
    )


def picture() -> Parts:
    """The picture those cells stand in: 4 by 4 pixels, one Haar level, seven cells in four bands."""
    half = 0.7071067811865476
    names = ["A1", "LH1", "HL1", "HH1"]
    corners = [(0, 0), (2, 0), (0, 2), (2, 2)]
    cells = [
        (0, 0, 0, 1, 2),
        (0, 1, 0, 1, 2),
        (1, 2, 0, 2, 2),
        (2, 0, 2, 2, 1),
        (2, 0, 3, 2, 1),
        (3, 2, 2, 1, 2),
    ]
    cells.append((3, 3, 2, 1, 2))
    support = [
        (0, 0, 2, 4),
        (2, 0, 4, 4),
        (0, 0, 4, 4),
        (0, 0, 4, 2),
        (0, 2, 4, 4),
        (0, 0, 2, 4),
        (2, 0, 4, 4),
    ]
    return (
        {
            "kind": "picture",
            "version": 1,
            "run": "golden",
            "image": {"channels": 1, "height": 4, "width": 4},
            "picture": {"height": 4, "width": 4},
            "basis": "wavelet",
            "wavelet": {"name": "haar", "levels": 1, "rec_lo": [half, half], "rec_hi": [half, -half]},
            "bands": [
                {
                    "name": name,
                    "level": 1,
                    "orientation": name[:-1],
                    "top": top,
                    "left": left,
                    "height": 2,
                    "width": 2,
                }
                for name, (top, left) in zip(names, corners, strict=True)
            ],
            "cell_count": len(cells),
        },
        {
            "image": np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * 5,
            "coefficients": (np.arange(16, dtype=np.float32).reshape(1, 4, 4) - 7.5) / 16,
            "baseline": np.full((1, 2, 2), 0.75, np.float32),
            "cells": np.array(cells, np.int32),
            "support": np.array(support, np.float32),
        },
    )


def hostile() -> dict[str, bytes]:
    """Bytes that are not frames, by what is wrong with them."""
    good = encode({"kind": "x"}, {"a": np.arange(4, dtype=np.float32)})
    length = int.from_bytes(good[4:8], "little")

    def with_header(text: bytes, tail: bytes = bytes(64)) -> bytes:
        text = text.ljust(-(-len(text) // 8) * 8)
        return b"WCF1" + len(text).to_bytes(4, "little") + text + tail

    def section(**change: Any) -> bytes:
        entry = {
            "name": "a",
            "dtype": "u8",
            "shape": [8],
            "codec": "raw",
            "offset": 256,
            "nbytes": 8,
            **change,
        }
        return with_header(json.dumps({"sections": [entry]}).encode().ljust(248), bytes(8))

    def long_section(field: str, text: bytes) -> bytes:
        entry = {"name": "a", "dtype": "u8", "shape": [8], "codec": "raw", "offset": 256, "nbytes": 8}
        del entry[field]
        start = json.dumps({"sections": [entry]}).encode().removesuffix(b"}]}")
        return with_header(start + f', "{field}": '.encode() + text + b"}]}")

    return {
        "nothing": b"",
        "seven bytes": good[:7],
        "another magic": b"WCF2" + good[4:],
        "cut in the header": good[:40],
        "cut in the section": good[:-1],
        "header length not padded": good[:4] + (length - 1).to_bytes(4, "little") + good[8:],
        "header longer than allowed": with_header(b'{"sections":[]}'.ljust(65544)),
        "header length of four gigabytes": good[:4] + b"\xf8\xff\xff\xff" + good[8:],
        "header not JSON": with_header(b"{sections}"),
        "header not UTF-8": with_header(b'{"sections":[],"a":"\xff"}'),
        "header with NaN": with_header(b'{"sections":[],"a":NaN}'),
        "header is a list": with_header(b"[]"),
        "header is null": with_header(b"null"),
        "header without sections": with_header(b"{}"),
        "sections not a list": with_header(b'{"sections":{}}'),
        "section not an object": with_header(b'{"sections":[null]}'),
        "section without name": section(name=None),
        "name used twice": with_header(
            b'{"sections":[{"name":"a","dtype":"u8","shape":[8],"codec":"raw","offset":256,"nbytes":8},'
            b'{"name":"a","dtype":"u8","shape":[8],"codec":"raw","offset":256,"nbytes":8}]}'.ljust(248)
        ),
        "unknown dtype": section(dtype="f64"),
        "unknown codec": section(codec="deflate"),
        "shape not a list": section(shape=8),
        "shape negative": section(shape=[-8]),
        "shape a fraction": section(shape=[8.5]),
        "shape a boolean": section(shape=[8, True]),
        "shape too large": section(shape=[2**31, 2**31], nbytes=0),
        "shape empty but too large": section(shape=[0, 2**31, 2], nbytes=0),
        "shape with nine axes": section(shape=[8, 1, 1, 1, 1, 1, 1, 1, 1]),
        "shape and size differ": section(shape=[7]),
        "size negative": section(nbytes=-8),
        "offset misaligned": section(offset=260),
        "offset negative": section(offset=-8),
        "offset inside the header": section(offset=248),
        "offset at the magic": section(offset=0),
        "section past the end": section(offset=264),
        "offset huge": section(offset=2**53),
        **{
            f"{field} of 4300 digits": long_section(field, b"9" * 4300)
            for field in ("offset", "nbytes", "codec")
        },
        "shape of 4300 digits": long_section("shape", b"[" + b"9" * 4300 + b"]"),
        "codec nested deeply": long_section("codec", b"[" * 10000 + b"]" * 10000),
    }


def expected(header: dict[str, Any], sections: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """The same frame as JSON numbers; not-a-number is null, minus zero is 0."""

    def numbers(array: NDArray[Any]) -> list[Any]:
        return [None if np.isnan(value) else value for value in array.ravel().tolist()]

    names = {"float32": "f32", "uint8": "u8", "int32": "i32"}
    arrays = {
        name: {"dtype": names[str(array.dtype)], "shape": list(array.shape), "values": numbers(array)}
        for name, array in sections.items()
    }
    return {"header": header, "sections": arrays}


def main() -> None:
    """Write all files."""
    FOLDER.mkdir(exist_ok=True)
    for parts in (plain, bare, attribution, layers, picture):
        header, sections = parts()
        (FOLDER / f"{parts.__name__}.wcf").write_bytes(encode(header, sections))
        text = json.dumps(expected(header, sections), indent=1, ensure_ascii=True)
        (FOLDER / f"{parts.__name__}.json").write_text(text + "\n")
    bad = {name: base64.b64encode(data).decode() for name, data in hostile().items()}
    (FOLDER / "hostile.json").write_text(json.dumps(bad, indent=1) + "\n")


if __name__ == "__main__":
    main()
