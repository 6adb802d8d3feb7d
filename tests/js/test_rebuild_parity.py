"""The front end's inverse transform against PyWavelets and our own torch basis, through real frames."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pywt
import torch
from numpy.typing import NDArray

from wcam_widget.basis import AbstractBasis, Cells, ColourBasis, PixelBasis, WaveletBasis
from wcam_widget.basis.bands import approximations
from wcam_widget.basis.filters import CORRECTIONS
from wcam_widget.perturb.perturbation import Perturbation
from wcam_widget.show.frame import decode, encode
from wcam_widget.show.frames import picture_frame

JS = Path(__file__).parents[2] / "js"
ROWS = 4  # masks per case
TOLERANCE = 1e-5  # of the image's range, at least 1: half an rbio3.1 picture reaches far beyond [0, 1]

WAVELETS = ["haar", "db4", "sym4", "bior4.4", "bior2.2", "coif1", "rbio3.1", "dmey"]
SIZES = [(32, 32), (37, 53), (64, 33)]
CASES = [
    (wavelet, size, levels, channels)
    for wavelet in WAVELETS
    for size, levels, channels in [(SIZES[0], 3, 3), (SIZES[1], 2, 1), (SIZES[2], 4, 3), ((5, 4), 1, 1)]
]


@dataclass(frozen=True, eq=False)
class Case:
    """A picture frame, masks of its cells, and the images they must give."""

    frame: bytes
    masks: NDArray[np.uint8]
    images: NDArray[np.float64]


def header(size: tuple[int, int], channels: int, wavelet: str | None, levels: int) -> dict[str, Any]:
    """What every picture header says of image and filters; bands and sizes come on top."""
    bank = None if wavelet is None else pywt.Wavelet(wavelet)
    filters = bank and {
        "name": bank.name,
        "levels": levels,
        "rec_lo": list(bank.rec_lo),
        "rec_hi": list(bank.rec_hi),
    }
    return {
        "kind": "picture",
        "version": 1,
        "run": "parity",
        "image": {"channels": channels, "height": size[0], "width": size[1]},
        "basis": "pixel" if wavelet is None else "wavelet",
        "wavelet": filters,
    }


def band(name: str, level: int, top: int, left: int, shape: tuple[int, ...]) -> dict[str, Any]:
    """One entry of the band table."""
    height, width = shape[-2:]
    orientation = name.rstrip("0123456789")
    return {
        "name": name,
        "level": level,
        "orientation": orientation,
        "top": top,
        "left": left,
        "height": height,
        "width": width,
    }


def pywt_case(wavelet: str, size: tuple[int, int], levels: int, channels: int) -> Case:
    """Bands stacked one below another, which no basis of ours does: the reader must go by the table alone.

    Cells are the halves of each band; the reference is PyWavelets' own waverec2 of masked coefficients.
    """
    generator = np.random.default_rng(len(wavelet) * 1000 + size[0] * 10 + levels)
    image = generator.random((channels, *size))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # PyWavelets dislikes levels beyond its own limit
        coarse, *details = pywt.wavedec2(image, wavelet, mode="symmetric", level=levels)
    named = [(f"A{levels}", levels, coarse)]
    for level, triple in zip(range(levels, 0, -1), details, strict=True):
        named += [
            (f"{kind}{level}", level, part) for kind, part in zip(("LH", "HL", "HH"), triple, strict=True)
        ]
    heights = [part.shape[-2] for _, _, part in named]
    tops = np.concatenate([[0], np.cumsum(heights)])
    picture = np.zeros((channels, int(tops[-1]), max(part.shape[-1] for *_, part in named) + 2), np.float32)
    cells: list[tuple[int, ...]] = []
    for number, (_, _, part) in enumerate(named):
        top, (height, width) = int(tops[number]), part.shape[-2:]
        picture[:, top : top + height, 1 : 1 + width] = part
        half = max(1, width // 2)
        cells += [(number, top, 1, height, half), (number, top, 1 + half, height, width - half)]
    baseline = generator.random((channels, *coarse.shape[-2:])).astype(np.float32)
    masks = generator.integers(0, 2, (ROWS, len(cells)), np.uint8)
    masks[0], masks[1] = 1, 0
    table = [
        band(name, level, int(top), 1, part.shape)
        for (name, level, part), top in zip(named, tops[:-1], strict=True)
    ]
    images = [
        _pywt_image(picture, table, cells, mask, baseline, wavelet)[..., : size[0], : size[1]]
        for mask in masks
    ]
    return Case(
        _frame(
            header(size, channels, wavelet, levels) | {"bands": table},
            picture,
            baseline,
            np.array(cells, np.int32),
        ),
        masks,
        np.array(images),
    )


def _pywt_image(
    picture: NDArray[np.float32],
    table: list[dict[str, Any]],
    cells: list[tuple[int, ...]],
    mask: NDArray[np.uint8],
    baseline: NDArray[np.float32],
    wavelet: str,
) -> NDArray[np.float64]:
    kept = np.zeros(picture.shape, np.float64)
    for keep, (_, top, left, height, width) in zip(mask, cells, strict=True):
        part = (slice(None), slice(top, top + height), slice(left, left + width))
        kept[part] = picture[part] * float(keep)
    bands = [
        kept[:, each["top"] : each["top"] + each["height"], each["left"] : each["left"] + each["width"]]
        for each in table
    ]
    triples = [tuple(bands[at : at + 3]) for at in range(1, len(bands), 3)]
    image: NDArray[np.float64] = pywt.waverec2([bands[0] + baseline, *triples], wavelet, mode="symmetric")
    return image


def basis_case(basis: AbstractBasis, channels: int, cells: Cells) -> Case:
    """What Python's own basis packs, paints and unpacks."""
    generator = torch.Generator().manual_seed(channels + len(cells))
    picture = basis.pack(torch.rand(channels, *basis.size, generator=generator))
    base = torch.zeros_like(picture)
    coarse = approximations(basis.bands)
    for each in coarse:
        base[(..., *each.slices)] = torch.rand(channels, each.height, each.width, generator=generator)
    masks = torch.randint(0, 2, (ROWS, len(cells)), generator=generator)
    images = basis.unpack(base + picture * cells.paint(masks.float()))
    inner = basis.inner if isinstance(basis, ColourBasis) else basis
    wavelet, levels = (inner.wavelet, inner.levels) if isinstance(inner, WaveletBasis) else (None, 0)
    table = [
        band(each.name, each.level, each.top, each.left, (each.height, each.width))
        | {"orientation": each.orientation, "part": each.part}
        for each in basis.bands
    ]
    baseline = torch.stack([base[(..., *each.slices)] for each in coarse]).sum(0)
    about = header(basis.size, channels, wavelet, levels) | {"bands": table}
    frame = _frame(about, picture.numpy(), baseline.numpy(), cells.rectangles.astype(np.int32))
    return Case(frame, masks.numpy().astype(np.uint8), images.double().numpy())


def image_case(basis: AbstractBasis, channels: int, cells: Cells) -> Case:
    """An image of 8 bits, which travels as it is: the page has to transform it before it can invert."""
    generator = torch.Generator().manual_seed(channels + len(cells))
    image = torch.randint(0, 256, (channels, *basis.size), generator=generator) / 255
    perturbation = Perturbation.from_image(image, basis, cells)
    masks = torch.randint(0, 2, (ROWS, len(cells)), generator=generator)
    images = perturbation.images(masks.float())
    frame = picture_frame(perturbation, image, "parity")
    assert "coefficients" not in decode(frame).sections
    return Case(frame, masks.numpy().astype(np.uint8), images.double().numpy())


def _frame(
    about: dict[str, Any],
    picture: NDArray[np.float32],
    baseline: NDArray[np.float32],
    cells: NDArray[np.int32],
) -> bytes:
    height, width = about["image"]["height"], about["image"]["width"]
    about |= {"picture": {"height": picture.shape[1], "width": picture.shape[2]}, "cell_count": len(cells)}
    return encode(
        about,
        {
            "image": np.zeros((height, width, 3), np.uint8),
            "coefficients": picture,
            "baseline": np.ascontiguousarray(baseline),
            "cells": cells,
            "support": np.tile(np.array([0, 0, height, width], np.float32), (len(cells), 1)),
        },
    )


def _basis_cases() -> dict[str, Case]:
    found = {}
    for wavelet, size, levels, channels in CASES:
        if min(size) < 2**levels:
            continue
        basis = WaveletBasis(size, wavelet, levels)
        name = f"basis {wavelet} {size[0]}x{size[1]} levels {levels} channels {channels}"
        found[name] = basis_case(basis, channels, Cells.dyadic(basis, side=3))
        if wavelet not in CORRECTIONS:
            found[f"image of {name}"] = image_case(basis, channels, Cells.dyadic(basis, side=3))
    pixels = PixelBasis((9, 14))
    found["image of pixels"] = image_case(pixels, 3, Cells.regular(pixels, grid=4))
    found["basis pixels"] = basis_case(pixels, 3, Cells.regular(pixels, grid=4))
    for parts in ("channels", "luma"):
        for inner in (WaveletBasis((32, 32), "haar", 3), WaveletBasis((37, 53), "db4", 2), pixels):
            coloured = ColourBasis(inner, parts)
            found[f"{parts} of {inner}"] = basis_case(coloured, 3, Cells.dyadic(coloured, side=3))
    return found


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    """Every case by name."""
    stacked = {
        f"pywt {wavelet} {size[0]}x{size[1]} levels {levels} channels {channels}": pywt_case(
            wavelet, size, levels, channels
        )
        for wavelet, size, levels, channels in CASES
    }
    return stacked | _basis_cases()


@pytest.fixture(scope="module")
def rebuilt(
    cases: dict[str, Case], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, NDArray[np.float32]]:
    """What the front end makes of them, in one run of node."""
    node = shutil.which("node")
    assert node is not None, "node is not installed: the front end cannot be tested without it"
    folder = tmp_path_factory.mktemp("parity")
    for number, case in enumerate(cases.values()):
        (folder / f"{number}.wcf").write_bytes(case.frame)
        (folder / f"{number}.masks").write_bytes(case.masks.tobytes())
    done = subprocess.run(
        [node, str(JS / "tests" / "parity" / "rebuild.mjs"), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {
        name: np.fromfile(folder / f"{number}.images", np.float32).reshape(case.images.shape)
        for number, (name, case) in enumerate(cases.items())
    }


def _error(found: NDArray[np.float32], wanted: NDArray[np.float64]) -> float:
    return float(np.abs(found - wanted).max() / max(1.0, np.abs(wanted).max()))


def test_every_case_is_rebuilt_as_pywavelets_and_torch_do(
    cases: dict[str, Case], rebuilt: dict[str, NDArray[np.float32]]
) -> None:
    errors = {name: _error(rebuilt[name], case.images) for name, case in cases.items()}
    assert len(errors) > 2 * len(WAVELETS) * 3
    assert {name: error for name, error in errors.items() if not error < TOLERANCE} == {}


def test_masks_matter(cases: dict[str, Case]) -> None:
    """A comparison of images that do not depend on the mask would prove nothing."""
    for name, case in cases.items():
        assert float(np.ptp(case.images, axis=0).max()) > 0.1, name
