"""What the front end needs of a run, as frames: the picture once, the attribution again and again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import interpolate

from wcam_widget.basis import AbstractBasis, ColourBasis, PixelBasis, WaveletBasis
from wcam_widget.basis.bands import approximations
from wcam_widget.evaluate.map_difference import MapDifference
from wcam_widget.explain import Attribution
from wcam_widget.perturb.perturbation import Perturbation
from wcam_widget.show.curve import Line, RetentionCurve
from wcam_widget.show.frame import encode
from wcam_widget.show.heat import usual_cell
from wcam_widget.show.snapshot import Layer

VERSION = 1
LONGEST_NAME = 200  # characters of a class name in a header of limited size
LONGEST_DETAILS = 2000  # characters, of each of many layers; likewise
THUMBNAIL = 64  # pixels of a side
EXACT = 1e-4  # of a step of 8 bits, from what float32 rounds
BAND_FIELDS = ("name", "level", "orientation", "part", "top", "left", "height", "width")


def picture_frame(space: Perturbation, image: Float[Tensor, "c h w"], run: str) -> bytes:
    """The frame from which a front end rebuilds the image of any selection, without asking a model.

    It holds the photograph as it is shown (8 bits, RGB), the coefficients less the baseline's (unless the
    image is these 8 bits exactly: the page transforms it itself), the baseline (of the approximations, summed
    over the colour parts; it is 0 in the details), the cells with their support in image pixels, and the
    filters of the transform. ``run`` ties it to the frames of
    ``attribution_frame``. Raises ValueError for a basis that a page cannot invert.
    """
    basis, cells = space.basis, space.cells
    if not basis.explorable:
        raise ValueError(
            f"{basis!r} cannot be inverted in the page; plot(attribution) shows it, and the explorer takes "
            "wavelets that are not shifted, pixels, and the colour parts of both"
        )
    channels, height, width = image.shape
    transformed = _is_transformed_in_page(basis, image)
    wavelet = _filters(basis, analysis=transformed)
    baseline = sum(space.baseline[(..., *band.slices)] for band in approximations(cells.bands))
    header = {
        "kind": "picture",
        "version": VERSION,
        "run": run,
        "image": {"channels": channels, "height": height, "width": width},
        "picture": dict(zip(("height", "width"), basis.picture_size, strict=True)),
        "basis": "pixel" if wavelet is None else "wavelet",
        "wavelet": wavelet,
        **({"coefficients": "of image"} if transformed else {}),
        "bands": [{name: getattr(band, name) for name in BAND_FIELDS} for band in cells.bands],
        "cell_count": len(cells),
    }
    return encode(
        header,
        {
            "image": photograph(image),
            **({} if transformed else {"coefficients": _floats(space.picture)}),
            "baseline": _floats(torch.as_tensor(baseline)),
            "cells": cells.rectangles.astype(np.int32),
            "support": cells.support.astype(np.float32),
        },
    )


def _filters(basis: AbstractBasis, *, analysis: bool) -> dict[str, object] | None:
    """What the page needs to invert a wavelet transform, and to do it where it must; None for pixels."""
    if isinstance(basis, ColourBasis):
        return _filters(basis.inner, analysis=analysis)
    if not isinstance(basis, WaveletBasis):
        return None
    taps = dict(zip(("rec_lo", "rec_hi"), basis.filters, strict=True))
    if analysis and basis.analysis_filters is not None:
        taps |= zip(("dec_lo", "dec_hi"), basis.analysis_filters, strict=True)
    return {"name": basis.wavelet, "levels": basis.levels, **taps}


def _is_transformed_in_page(basis: AbstractBasis, image: Float[Tensor, "c h w"]) -> bool:
    """Whether a page can work the coefficients out: of an image that is 8 bits exactly, by one pass."""
    simple = isinstance(basis, PixelBasis) or getattr(basis, "analysis_filters", None) is not None
    levels = image * 255
    return simple and bool(((levels - levels.round()).abs() <= EXACT).all())


def attribution_frame(attribution: Attribution, run: str, rev: int, about: str = "") -> bytes:
    """The frame of an attribution, complete or partial; each one replaces the last.

    ``rev`` counts the frames of a run from 1, ``about`` says which target it is of. Numbers that are not
    finite become null in the header and NaN in the sections.
    """
    profile = attribution.profile()
    header = {
        "kind": "attribution",
        "version": VERSION,
        "run": run,
        "rev": rev,
        "about": about,
        "complete": attribution.complete,
        "method": attribution.method,
        "target": {"label": attribution.target, "score": finite(attribution.score)},
        "evaluations": attribution.evaluations,
        "gradients": attribution.gradients,
        "planned": attribution.planned,
        "seconds": finite(attribution.seconds),
        "engine": attribution.engine,
        "unit": attribution.unit,
        "signed": attribution.signed,
        "stop": attribution.stop,
        "variance": finite(attribution.variance),
        "profile": {
            "statistic": profile.statistic,
            "total": [finite(value) for value in profile.total],
            "low": [finite(value) for value in profile.low],
            "high": [finite(value) for value in profile.high],
            "shapley": [finite(value) for value in profile.shapley],
        },
    }
    return encode(
        header,
        {
            "values": attribution.values.astype(np.float32),
            "low": attribution.low.astype(np.float32),
            "high": attribution.high.astype(np.float32),
            "slope": attribution.slope.astype(np.float32),
            "kind": attribution.kind.astype(np.uint8),
        },
    )


def layers_frame(layers: Sequence[Layer], size: tuple[int, int], run: str, about: str = "") -> bytes:
    """The frame of all layers that have a map or an error, complete or partial; each one replaces the last.

    Maps are float32 over the image, of ``size`` in pixels, in the unit that each names; where there is an
    error there is no map.
    """
    shown = [layer for layer in layers if layer.attribution is not None or layer.error]
    height, width = size
    header = {
        "kind": "layers",
        "version": VERSION,
        "run": run,
        "about": about,
        "image": {"height": height, "width": width},
        "layers": [_described(layer) for layer in shown],
    }
    maps = {f"map{number}": layer.heat for number, layer in enumerate(shown) if layer.heat is not None}
    return encode(header, maps)


def _described(layer: Layer) -> dict[str, Any]:
    shown = layer.attribution
    height, width = (1.0, 1.0) if shown is None else usual_cell(shown.cells)
    return {
        "name": layer.name,
        "main": layer.main,
        "error": layer.error,
        "details": layer.details[-LONGEST_DETAILS:],
        "drawn": shown is not None,
        "method": "" if shown is None else shown.method,
        "target": {
            "label": "" if shown is None else shown.target,
            "score": None if shown is None else finite(shown.score),
        },
        "unit": "" if shown is None else shown.unit,
        "cell_height": height,
        "cell_width": width,
        "signed": shown is not None and shown.signed,
        "complete": shown is not None and shown.complete,
        "stop": "" if shown is None else shown.stop,
    }


def retention_frame(curve: RetentionCurve, run: str) -> bytes:
    """The frame of a retention curve, complete or partial; each one replaces the last."""
    header = {
        "kind": "retention",
        "version": VERSION,
        "run": run,
        "passes": curve.passes,
        "complete": curve.complete,
        "subject": curve.subject[:LONGEST_NAME],
        "unit": curve.unit,
        "original": finite(curve.original),
        "classes": [name[:LONGEST_NAME] for name in curve.classes],
        "depth": curve.depth,
        "lines": [_line(name, line) for name, line in curve.lines.items()],
    }
    return encode(header, {"order": curve.order.astype(np.int32)})


def _line(name: str, line: Line) -> dict[str, Any]:
    return {
        "name": name,
        "counts": line.counts.tolist(),
        "shares": line.shares.tolist(),
        "scores": [finite(score) for score in line.scores],
        "classes": line.classes.tolist(),
    }


def difference_frame(maps: MapDifference, runs: tuple[str, str]) -> bytes:
    """The frame of what is known of a difference beyond both maps: paired intervals, and what is certain.

    ``runs`` are those of the map that is taken away, and of the other. Raises ValueError where the maps do
    not correspond.
    """
    difference = maps.difference
    header = {
        "kind": "difference",
        "version": VERSION,
        "first": runs[0],
        "second": runs[1],
        "cells": len(difference.cells.value),
        "bands": len(difference.groups.value),
        "how": f"by {len(maps.one.estimate.left_out)} pairs of runs with the same masks, all tested at once",
    }
    parts = {
        "cells": (difference.cells, maps.cells_changed),
        "bands": (difference.groups, maps.bands_changed),
    }
    sections = {}
    for name, (contrast, changed) in parts.items():
        sections[f"{name}_low"] = contrast.low.astype(np.float32)
        sections[f"{name}_high"] = contrast.high.astype(np.float32)
        sections[f"{name}_certain"] = changed.astype(np.uint8)
    return encode(header, sections)


def thumbnails_frame(images: Sequence[Float[Tensor, "_ _ _"]]) -> bytes:
    """The frame of small squares, cut from the middle of images, 8-bit RGB."""
    squares = []
    for image in images:
        height, width = image.shape[1:]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = image.detach().cpu()[:, top : top + side, left : left + side]
        squares.append(photograph(interpolate(square[None], (THUMBNAIL, THUMBNAIL), mode="area")[0]))
    header = {"kind": "thumbnails", "version": VERSION, "count": len(squares), "side": THUMBNAIL}
    return encode(header, {"images": np.stack(squares)})


def photograph(image: Float[Tensor, "c h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """An image in [0, 1] of 1 or 3 channels as 8-bit RGB, for the screen.

    >>> photograph(torch.tensor([[[0.0, 1.0]]])).tolist()
    [[[0, 0, 0], [255, 255, 255]]]
    """
    shown = image.detach().cpu().expand(3, -1, -1).clamp(0, 1)
    return np.ascontiguousarray((shown * 255).round().to(torch.uint8).permute(1, 2, 0).numpy())


def finite(value: Any) -> float | None:
    """A number as JSON takes it: NaN and infinity are None.

    >>> finite(np.float64(0.5)), finite(float("nan"))
    (0.5, None)
    """
    number = float(value)
    return number if math.isfinite(number) else None


def _floats(values: Tensor) -> Float[np.ndarray, "..."]:
    return values.detach().to("cpu", torch.float32).numpy()
