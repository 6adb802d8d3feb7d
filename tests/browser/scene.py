"""A widget state made with NumPy and PyWavelets alone, and what the widget must make of it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pywt
import skimage.data
import skimage.transform
from numpy.typing import NDArray

from wcam_widget.show.frame import encode

LEVELS, GRID = 3, 8
TAPS = float(np.sqrt(0.5))
RUNNING = {
    "state": "running",
    "done": 64,
    "total": 256,
    "seconds": 3.0,
    "seconds_left": 9.0,
    "message": "",
    "run": "run-1",
    "rev": 1,
}


@dataclass(frozen=True)
class Band:
    """A rectangle of the packed picture."""

    name: str
    level: int
    orientation: str
    top: int
    left: int
    side: int


def bands_of(side: int) -> list[Band]:
    """The Mallat layout of a square image: approximation top left, LH below it, HL beside it."""
    coarse = side >> LEVELS
    bands = [Band(f"A{LEVELS}", LEVELS, "A", 0, 0, coarse)]
    for level in range(LEVELS, 0, -1):
        n = side >> level
        bands += [
            Band(f"LH{level}", level, "LH", n, 0, n),
            Band(f"HL{level}", level, "HL", 0, n, n),
            Band(f"HH{level}", level, "HH", n, n, n),
        ]
    return bands


def cells_of(bands: list[Band]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """GRID x GRID cells in every band (rectangles of almost one size), and the image pixels they speak of."""
    cells, support = [], []
    for index, band in enumerate(bands):
        cuts = np.round(np.linspace(0, band.side, GRID + 1)).astype(int)
        for top, bottom in pairwise(cuts):
            for left, right in pairwise(cuts):
                cells.append((index, band.top + top, band.left + left, bottom - top, right - left))
                support.append(np.array([top, left, bottom, right]) * 2**band.level)
    return np.array(cells, np.int32), np.array(support, np.float32)


def pack(channel: NDArray[np.float64], bands: list[Band]) -> NDArray[np.float64]:
    """The Haar picture of one channel."""
    picture = np.zeros_like(channel)
    coefficients = pywt.wavedec2(channel, "haar", level=LEVELS)
    parts = [coefficients[0], *(part for level in coefficients[1:] for part in level)]
    for band, part in zip(bands, parts, strict=True):
        picture[band.top : band.top + band.side, band.left : band.left + band.side] = part
    return picture


def unpack(picture: NDArray[np.float64], bands: list[Band]) -> NDArray[np.float64]:
    """The channel of a Haar picture."""
    parts = [picture[b.top : b.top + b.side, b.left : b.left + b.side] for b in bands]
    levels = [tuple(parts[at : at + 3]) for at in range(1, len(parts), 3)]
    return np.asarray(pywt.waverec2([parts[0], *levels], "haar"))


@dataclass(frozen=True, eq=False)
class Scene:
    """An image with its picture, and a map of importance over its cells."""

    image: NDArray[np.uint8]  # (side, side, 3)
    bands: list[Band]
    cells: NDArray[np.int32]
    support: NDArray[np.float32]
    coefficients: NDArray[np.float32]
    baseline: NDArray[np.float32]
    values: NDArray[np.float32]
    kind: NDArray[np.uint8]

    def cells_in(self, name: str) -> list[int]:
        """The cells of a band."""
        index = [band.name for band in self.bands].index(name)
        return [int(cell) for cell in np.flatnonzero(self.cells[:, 0] == index)]

    def rebuilt(self, kept: list[int]) -> NDArray[np.uint8]:
        """The image of the kept cells over the baseline, (side, side, 3)."""
        mask = np.zeros(self.image.shape[:2])
        for cell in kept:
            _, top, left, height, width = self.cells[cell]
            mask[top : top + height, left : left + width] = 1
        picture = self.coefficients.astype(np.float64) * mask
        side = self.baseline.shape[1]
        picture[:, :side, :side] += self.baseline
        channels = np.stack([unpack(channel, self.bands) for channel in picture], axis=-1)
        return np.asarray(np.clip(np.rint(channels * 255), 0, 255).astype(np.uint8))

    def profile(self) -> dict[str, Any]:
        """One bar per band: sums of cell values stand in for totals."""
        total = np.array([self.values[self.cells[:, 0] == b].sum() for b in range(len(self.bands))], float)
        return {
            "statistic": "total index of the band",
            "total": total.tolist(),
            "low": (0.8 * total).tolist(),
            "high": (1.15 * total).tolist(),
            "shapley": (total / total.sum()).tolist(),
        }


def make_scene(side: int = 64, seed: int = 0) -> Scene:
    """A photograph of the given side with a map that looks at the middle of it, more at coarse scales."""
    photograph = skimage.transform.resize(
        skimage.data.astronaut()[:400, 56:456], (side, side), anti_aliasing=True
    )
    image = np.rint(photograph * 255).astype(np.uint8)
    bands = bands_of(side)
    cells, support = cells_of(bands)
    channels = np.moveaxis(image / 255.0, -1, 0)
    coarse = side >> LEVELS
    mean = channels.mean(axis=(1, 2), keepdims=True) * 2**LEVELS
    baseline = np.broadcast_to(mean, (3, coarse, coarse)).astype(np.float32)
    coefficients = np.stack([pack(channel, bands) for channel in channels])
    coefficients[:, :coarse, :coarse] -= baseline
    values = importance(cells, support, coefficients, side, seed)
    kind = np.where(values < np.quantile(values, 0.1), 2, 0).astype(np.uint8)
    kind[values.argsort()[100:160]] = 1
    return Scene(image, bands, cells, support, coefficients.astype(np.float32), baseline, values, kind)


def make_pixel_scene(scene: Scene) -> Scene:
    """The same photograph in the pixel basis, GRID x GRID cells, each as important as its own brightness."""
    side = scene.image.shape[0]
    bands = [Band("pixels", 0, "A", 0, 0, side)]
    cells, support = cells_of(bands)
    channels = np.moveaxis(scene.image / 255.0, -1, 0)
    values = np.array([channels[:, t : t + h, left : left + w].sum() for _, t, left, h, w in cells])
    return Scene(
        scene.image,
        bands,
        cells,
        support,
        channels.astype(np.float32),
        np.zeros_like(channels, np.float32),
        (values / values.sum()).astype(np.float32),
        np.zeros(len(cells), np.uint8),
    )


def importance(
    cells: NDArray[np.int32],
    support: NDArray[np.float32],
    coefficients: NDArray[np.float64],
    side: int,
    seed: int,
) -> NDArray[np.float32]:
    """Energy of a cell, weighted towards the middle of the image, with some noise; sums to 1."""
    energy = [
        np.square(coefficients[:, top : top + h, left : left + w]).sum() for _, top, left, h, w in cells
    ]
    middle = (support[:, :2] + support[:, 2:]) / 2 / side
    near = np.exp(-np.square((middle - np.array([0.38, 0.45])) / 0.22).sum(axis=1))
    values = np.array(energy) ** 0.6 * near * np.random.default_rng(seed).uniform(0.5, 1.5, len(cells))
    return np.asarray((values / values.sum()).astype(np.float32))


def picture_bytes(scene: Scene, run: str = "run-1") -> bytes:
    """The ``_picture`` trait."""
    side = scene.image.shape[0]
    haar = {"name": "haar", "levels": LEVELS, "rec_lo": [TAPS, TAPS], "rec_hi": [TAPS, -TAPS]}
    header = {
        "kind": "picture",
        "version": 1,
        "run": run,
        "image": {"channels": 3, "height": side, "width": side},
        "picture": {"height": side, "width": side},
        "basis": "wavelet" if len(scene.bands) > 1 else "pixel",
        "wavelet": haar if len(scene.bands) > 1 else None,
        "bands": [
            {
                "name": b.name,
                "level": b.level,
                "orientation": b.orientation,
                "top": b.top,
                "left": b.left,
                "height": b.side,
                "width": b.side,
            }
            for b in scene.bands
        ],
        "cell_count": len(scene.cells),
    }
    sections = {
        "image": scene.image,
        "coefficients": scene.coefficients,
        "baseline": scene.baseline,
        "cells": scene.cells,
        "support": scene.support,
    }
    return encode(header, sections)


def frame_bytes(scene: Scene, label: str = "astronaut", rev: int = 1, **changes: Any) -> bytes:
    """The ``_frame`` trait; ``changes`` replace entries of its header."""
    header = {
        "kind": "attribution",
        "version": 1,
        "run": "run-1",
        "rev": rev,
        "complete": True,
        "method": f"Wcam · Derivative · haar, {LEVELS} levels, {len(scene.cells)} cells",
        "target": {"label": label, "score": 7.31},
        "evaluations": 256,
        "gradients": 0,
        "planned": 256,
        "seconds": 12.0,
        "unit": "share of the score's variance, total",
        "signed": False,
        "stop": "complete",
        "variance": 1.5,
        "profile": scene.profile(),
        **changes,
    }
    sections = {
        "values": scene.values,
        "low": 0.7 * scene.values,
        "high": 1.3 * scene.values,
        "slope": np.zeros_like(scene.values),
        "kind": scene.kind,
    }
    return encode(header, sections)


def score(key: str, label: str = "astronaut", reconstruction: float = 6.9) -> dict[str, Any]:
    """An answer of the model."""
    return {
        "key": key,
        "target": {"label": label, "original": 7.31, "reconstruction": reconstruction},
        "classes": [
            {"label": label, "original": 0.912, "reconstruction": 0.84},
            {"label": "space suit", "original": 0.051, "reconstruction": 0.112},
            {"label": "flag", "original": 0.012, "reconstruction": 0.012},
        ],
        "seconds": 0.21,
    }


def state_of(scene: Scene, label: str = "astronaut", **changes: Any) -> dict[str, Any]:
    """All traits, Bytes as base64; ``changes`` replace traits."""
    return {
        "_target": {"about": ""},
        "_picture": base64.b64encode(picture_bytes(scene)).decode(),
        "_frame": base64.b64encode(frame_bytes(scene, label)).decode(),
        "_layers": "",
        "_status": {
            "state": "done",
            "done": 256,
            "total": 256,
            "seconds": 12.0,
            "seconds_left": None,
            "message": "",
            "run": "run-1",
            "rev": 1,
        },
        "_scores": score("all", label, 7.31),
        "_known": {},
        "_retention": "",
        "_sides": {},
        "_thumbnails": "",
        "_difference": "",
        "shown": [0],
        "selection": [],
        "mode": "keep",
        "level": [],
        "layer": "",
        "theme": "light",
        "colormap": "cividis",
        "opacity": 0.6,
        "scale": "auto",
        "_proto": 1,
        **changes,
    }
