"""The methods by the names of the command line, and which of its options each of them takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from wcam_widget.explain import AbstractMethod, Cameras, CartoonX, GradCam, Sise, WaveletGradient, Wcam
from wcam_widget.explain.gradient.modes import Integrated, Product, Saliency, Smooth
from wcam_widget.model import BlackBox
from wcam_widget.sensitivity import AbstractAnalysis, Derivative, Hsic, Refined, Screened, Sobol


class Name(StrEnum):
    """The methods."""

    WCAM = "wcam"
    WCAM_PUBLISHED = "wcam-published"
    WAVELET_INTEGRATED = "wavelet-integrated"
    WAVELET_SMOOTH = "wavelet-smooth"
    WAVELET_PRODUCT = "wavelet-product"
    WAVELET_SALIENCY = "wavelet-saliency"
    WAM_PUBLISHED = "wam-published"
    CARTOONX = "cartoonx"
    GRADCAM = "gradcam"
    GRADCAM_PLUS_PLUS = "gradcam++"
    HIRESCAM = "hirescam"
    LAYERCAM = "layercam"
    XGRADCAM = "xgradcam"
    SCORECAM = "scorecam"
    CAMERAS = "cameras"
    SISE = "sise"
    ADA_SISE = "ada-sise"


class Analysis(StrEnum):
    """How a ``Wcam`` estimates its indices; "auto" is what suits the model."""

    AUTO = "auto"
    DERIVATIVE = "derivative"
    HSIC = "hsic"
    REFINED = "refined"
    SCREENED = "screened"
    SOBOL = "sobol"


@dataclass(frozen=True)
class MethodEntry:
    """How a method is made of a model and options, and which options it takes."""

    make: Callable[..., AbstractMethod]
    takes: tuple[str, ...]


def _wcam(
    model: BlackBox, analysis: str = Analysis.AUTO, rows: int | None = None, seed: int = 0, **cells: Any
) -> AbstractMethod:
    return Wcam(analysis_for(model, analysis, rows, seed), **cells)


def _gradient(
    kind: Callable[..., Any], model: BlackBox, rows: int | None = None, seed: int | None = None, **cells: Any
) -> AbstractMethod:
    del model
    given = {name: value for name, value in (("rows", rows), ("seed", seed)) if value is not None}
    return WaveletGradient(kind(**given), **cells)


def _plain(make: Callable[..., AbstractMethod], model: BlackBox, **options: Any) -> AbstractMethod:
    del model
    return make(**options)


def _cam(variant: str) -> MethodEntry:
    return MethodEntry(partial(_plain, partial(GradCam, variant=variant)), ("layer",))


CELLS = ("wavelet", "levels", "grid")
METHODS: dict[Name, MethodEntry] = {
    Name.WCAM: MethodEntry(_wcam, ("analysis", "rows", "seed", *CELLS)),
    Name.WCAM_PUBLISHED: MethodEntry(partial(_plain, Wcam.as_published), ("grid", "rows", "levels", "seed")),
    Name.WAVELET_INTEGRATED: MethodEntry(partial(_gradient, Integrated), ("rows", *CELLS)),
    Name.WAVELET_SMOOTH: MethodEntry(partial(_gradient, Smooth), ("rows", "seed", *CELLS)),
    Name.WAVELET_PRODUCT: MethodEntry(partial(_gradient, Product), CELLS),
    Name.WAVELET_SALIENCY: MethodEntry(partial(_gradient, Saliency), CELLS),
    Name.WAM_PUBLISHED: MethodEntry(
        partial(_plain, WaveletGradient.as_published), ("rows", "levels", "seed")
    ),
    Name.CARTOONX: MethodEntry(partial(_plain, CartoonX), CELLS),
    Name.GRADCAM: _cam("gradcam"),
    Name.GRADCAM_PLUS_PLUS: _cam("gradcam++"),
    Name.HIRESCAM: _cam("hirescam"),
    Name.LAYERCAM: _cam("layercam"),
    Name.XGRADCAM: _cam("xgradcam"),
    Name.SCORECAM: _cam("scorecam"),
    Name.CAMERAS: MethodEntry(partial(_plain, Cameras), ("layer",)),
    Name.SISE: MethodEntry(partial(_plain, Sise), ()),
    Name.ADA_SISE: MethodEntry(partial(_plain, Sise.adaptive), ()),
}


def method_for(model: BlackBox, name: str, options: Mapping[str, Any]) -> AbstractMethod:
    """The method called ``name``, with some options; those left out have its own defaults.

    Raises ValueError naming the option for one that the method does not take.

    >>> from torch import nn
    >>> method_for(BlackBox(nn.Identity()), "gradcam++", {"layer": "features.3"})
    GradCam(layer='features.3', variant='gradcam++')
    """
    entry = METHODS[Name(name)]
    for option in options:
        if option not in entry.takes:
            taken = ", ".join(f"--{each}" for each in entry.takes) or "none of the options of methods"
            raise ValueError(f"--{option}: {name} does not take it; it takes {taken}")
    return entry.make(model, **options)


def analysis_for(model: BlackBox, name: str, rows: int | None, seed: int) -> AbstractAnalysis[Any]:
    """The analysis called by its name, or "auto": the one that suits the model.

    >>> analysis_for(BlackBox(lambda images: images.mean((2, 3))), "auto", rows=8, seed=1) == Sobol(8, seed=1)
    True
    """
    kinds: dict[str, Callable[..., AbstractAnalysis[Any]]] = {
        Analysis.AUTO: Screened if model.differentiable else Sobol,
        Analysis.DERIVATIVE: Derivative,
        Analysis.HSIC: Hsic,
        Analysis.REFINED: Refined,
        Analysis.SCREENED: Screened,
        Analysis.SOBOL: Sobol,
    }
    make = kinds[name]
    return make(seed=seed) if rows is None else make(rows=rows, seed=seed)
