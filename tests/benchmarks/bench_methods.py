"""All methods over both demo networks: faithfulness in pixels and in wavelets, prices, and planted cues.

Prices are per image, those of the explanation alone. Cues: crops of 64 pixels with a cue in one cell
(``wcam_widget.demo.planted``); a place is hit where the highest pixel of the map over the image lies in the
cue's cell, a cell where the highest cell is the cue's, which only methods in wavelets can tell. Sanity:
how alike maps still are once all layers of a copy of the network are randomised, from the logits on.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from wcam_widget import (
    Cameras,
    CartoonX,
    Derivative,
    GradCam,
    Sise,
    WaveletGradient,
    Wcam,
    load_demo,
    sanity,
)
from wcam_widget.demo import VARIANTS
from wcam_widget.demo.planted import GRID, plant
from wcam_widget.evaluate.comparison import compare_methods
from wcam_widget.explain import AbstractMethod, PublishedWcam
from wcam_widget.explain.gradient.modes import Integrated, Smooth
from wcam_widget.model import ModelError

METHODS: Mapping[str, AbstractMethod] = {
    "Wcam": Wcam(),
    "Wcam in pixels": Wcam(wavelet="pixels"),
    "Wcam as published, 16x16": Wcam.as_published(grid=16),
    "WaveletGradient, integrated": WaveletGradient("integrated"),
    "WaveletGradient, smooth": WaveletGradient("smooth"),
    "WaveletGradient, product": WaveletGradient("product"),
    "WaveletGradient, saliency": WaveletGradient("saliency"),
    "Integrated gradients in pixels": WaveletGradient("integrated", wavelet="pixels"),
    "WAM as published": WaveletGradient.as_published(),
    "CartoonX": CartoonX(),
    "Grad-CAM": GradCam(),
    "Grad-CAM++": GradCam(variant="gradcam++"),
    "HiResCAM": GradCam(variant="hirescam"),
    "LayerCAM": GradCam(variant="layercam"),
    "XGrad-CAM": GradCam(variant="xgradcam"),
    "Score-CAM": GradCam(variant="scorecam"),
    "CAMERAS": Cameras(),
    "SISE": Sise(),
    "Ada-SISE": Sise.adaptive(),
}


RANDOMISED: Mapping[str, AbstractMethod] = {
    "Grad-CAM": GradCam("blocks"),
    "CAMERAS": Cameras("blocks"),
    "SISE": Sise(("stem_norm", "blocks.0", "blocks.1", "blocks")),
    "WaveletGradient, smooth": WaveletGradient(Smooth(rows=8)),
    "WaveletGradient, integrated": WaveletGradient(Integrated(rows=8)),
    "Wcam": Wcam(Derivative(rows=8)),
}


def print_sanity(images: int) -> None:
    """Rank correlation and structural similarity with the map before, signed and absolute."""
    print(f"\n{images} images, all layers randomised\n")
    print("| | network | Spearman, signed | Spearman, absolute | SSIM, signed | changed since | verdict |")
    print("| --- | --- | ---: | ---: | ---: | --- | --- |")
    for name, method in RANDOMISED.items():
        for variant in VARIANTS:
            demo = load_demo(variant)
            found = sanity(demo.model, method, demo.images[:images])
            means = [found.mean(*each) for each in (("spearman",), ("spearman", "absolute"), ("ssim",))]
            words = [f"{one.value[-1]:.2f} ({one.low[-1]:.2f} to {one.high[-1]:.2f})" for one in means]
            verdict = f"{found.since or '–'} | {found.verdicts[-1]}"
            print(f"| {name} | {variant} | {' | '.join(words)} | {verdict} |", flush=True)


def print_cues(count: int) -> None:
    images = load_demo().images[:, :, 32:96, 32:96]
    print(f"\n{count} planted cues\n\n| | place hit | cell hit |\n| --- | ---: | ---: |")
    for name, method in METHODS.items():
        if isinstance(method, PublishedWcam):
            continue  # its cells lie across bands
        found = hits(method, [images[number % len(images)] for number in range(count)])
        words = ["–", "–"] if found is None else ["–" if np.isnan(one) else f"{one:.0%}" for one in found]
        print(f"| {name} | {words[0]} | {words[1]} |", flush=True)


def on_cue_cells(method: AbstractMethod) -> AbstractMethod:
    """The method with the cells that cues are planted in, where it has wavelet cells."""
    if isinstance(method, Wcam | WaveletGradient | CartoonX) and method.wavelet == "haar":
        return replace(method, grid=GRID)
    return method


def hits(method: AbstractMethod, images: Any) -> tuple[float, float] | None:
    """Shares of places and of cells that are hit, NaN where cells cannot be; None where none can be asked."""
    asked, places, cells = on_cue_cells(method), [], []
    for seed, image in enumerate(images):
        planted = plant(image, np.random.default_rng(seed))
        try:
            (found,) = asked(planted.model, planted.image[None], [0])
        except ModelError as error:
            if not str(error).startswith("sizes:"):
                raise
            return None  # a cue stands at one place of one size of image
        same = np.array_equal(found.cells.rectangles, planted.cells.rectangles)
        places.append(planted.on_cue(found.spatial()))
        cells.append(float(found.values.argmax() == planted.cell) if same else np.nan)
    return float(np.mean(places)), float(np.mean(cells))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=12, help="of the tables; 0 for none")
    parser.add_argument("--sanity", type=int, default=12, help="of the randomised networks; 0 for none")
    parser.add_argument("--cues", type=int, default=48, help="0 for none")
    asked = parser.parse_args()
    for variant in VARIANTS if asked.images else ():
        demo = load_demo(variant)
        print(f"\n{variant} network, {asked.images} images\n", flush=True)
        print(compare_methods(demo.model, demo.images[: asked.images], METHODS), flush=True)
    if asked.sanity:
        print_sanity(asked.sanity)
    if asked.cues:
        print_cues(asked.cues)


if __name__ == "__main__":
    main()
