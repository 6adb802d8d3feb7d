"""Draw the gallery of the README: `python tools/draw_thumbnails.py [FOLDER]`, some minutes on two cores.

One small picture for each thing that a notebook shows, made with the calls that the notebook makes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

import wcam_widget as wcam
from wcam_widget import Attribution

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
WIDTH, HEIGHT, DPI = 3.6, 2.4, 110  # inches, and pixels to each
LABEL = int(wcam.load_demo().labels[6])


def cat() -> tuple[wcam.BlackBox, Tensor]:
    """EfficientNet-Lite0 and what it sees of the cat."""
    model = wcam.load_model("efficientnet-lite0")
    return model, model.fit(wcam.load_photos()["cat"])


def panels(count: int) -> tuple[Figure, list[Axes]]:
    """A figure with a row of pictures, the larger part of it pictures."""
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    axes = figure.subplots(1 + count // 4, min(count, 2 + count % 2), squeeze=False).ravel().tolist()
    for each in axes:
        each.set_axis_off()
    return figure, axes


def show(axes: Axes, image: Tensor, attribution: Attribution | None = None, title: str = "") -> None:
    """A photograph, under its heatmap where there is one."""
    axes.imshow(image.permute(1, 2, 0).clamp(0, 1))
    if attribution is not None:
        heat = np.abs(attribution.spatial())
        axes.imshow(heat, "cividis", vmin=0, vmax=heat.max() or 1, alpha=0.65)
    axes.set_title(title, fontsize=8)


def first_map() -> Figure:
    """Where the network looks on the cat."""
    model, image = cat()
    (attribution,) = wcam.Wcam(wcam.Derivative(rows=8))(model, image[None], ["Egyptian cat"])
    figure, axes = panels(2)
    show(axes[0], image, title="photograph")
    show(axes[1], image, attribution, "where it looks")
    return figure


def what_is_left() -> Figure:
    """The photograph of one scale alone, and without it."""
    model, image = cat()
    probe = wcam.Wcam().probe(model, image)
    coarse = torch.as_tensor(np.isin(np.arange(len(probe.cells)), probe.cells.in_band("A3"))).float()
    figure, axes = panels(2)
    show(axes[0], probe.rebuild(coarse), title="the coarse image alone")
    show(axes[1], probe.rebuild(1 - coarse), title="without it")
    return figure


def intervals() -> Figure:
    """The profile over scales, with intervals."""
    demo = wcam.load_demo()
    (attribution,) = wcam.Wcam(wcam.Sobol(rows=16), grid=4)(demo.model, demo.images[6:7], [LABEL])
    profile = attribution.profile()
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    axes = figure.subplots()
    error = np.abs(np.stack([profile.low, profile.high]) - profile.total)
    axes.bar(profile.names, profile.total, yerr=error, color="#4c6a92", ecolor="#222", capsize=2)
    axes.tick_params("x", rotation=90, labelsize=7)
    axes.tick_params("y", labelsize=7)
    axes.set_ylabel("total index", fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def side_by_side() -> Figure:
    """Four methods on one photograph."""
    model, image = cat()
    methods = {
        "Grad-CAM": wcam.GradCam(),
        "CAMERAS": wcam.Cameras(),
        "wavelet gradient": wcam.WaveletGradient("smooth"),
        "Wcam": wcam.Wcam(wcam.Derivative(rows=8)),
    }
    figure, axes = panels(4)
    for each, (name, method) in zip(axes, methods.items(), strict=True):
        show(each, image, method(model, image[None], ["Egyptian cat"])[0], name)
    return figure


def sparse_mask() -> Figure:
    """What CartoonX keeps."""
    demo = wcam.load_demo()
    method = wcam.CartoonX(iterations=60)
    (attribution,) = method(demo.model, demo.images[6:7], [LABEL])
    behind = method.probe(demo.model, demo.images[6], LABEL).rebuild(
        torch.from_numpy(attribution.values).float()
    )
    figure, axes = panels(2)
    show(axes[0], demo.images[6], title="photograph")
    show(axes[1], behind, title="what is enough")
    return figure


def under_attack() -> Figure:
    """Grad-CAM before and after one step of an attack."""
    demo = wcam.load_demo()
    attack = wcam.fgsm(demo.model, demo.images[6:7], [LABEL], epsilon=0.01)
    figure, axes = panels(2)
    pairs = (("before", demo.images[6:7]), ("after an attack", attack.images))
    for each, (title, images) in zip(axes, pairs, strict=True):
        show(each, images[0], wcam.GradCam()(demo.model, images)[0], title)
    return figure


DRAWINGS: tuple[Callable[[], Figure], ...] = (
    first_map,
    what_is_left,
    intervals,
    side_by_side,
    sparse_mask,
    under_attack,
)


def main(folder: Path) -> None:
    """Draw all of them; prints their paths and sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    for draw in DRAWINGS:
        drawn = BytesIO()
        draw().savefig(drawn, format="png", dpi=DPI)
        path = folder / f"{draw.__name__}.webp"
        Image.open(drawn).convert("RGB").save(path, quality=80, method=4)
        print(f"{path}  {path.stat().st_size // 1000} kB", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES)
