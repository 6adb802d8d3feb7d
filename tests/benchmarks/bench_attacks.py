"""Explanations under attack, on both demo networks: MOD and VID under FGSM, fragile scales, and enhanced PGD.

Images are drawn from the held-out part of the photographs. Limits are Student's, 95 %, over images.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from wcam_widget import BlackBox, Cameras, Derivative, GradCam, Wcam, load_demo, pgd
from wcam_widget.demo import VARIANTS
from wcam_widget.demo.scenes import CLASS_NAMES, HELD_OUT_COLUMNS, draw_scenes
from wcam_widget.demo.train import photographs
from wcam_widget.evaluate import Dissimilarity, Protocol, dissimilarity
from wcam_widget.explain import AbstractMethod
from wcam_widget.stress import Enhancement, Schedule, Threat, salient_pgd

METHODS: Mapping[str, AbstractMethod] = {
    "Grad-CAM": GradCam(),
    "CAMERAS": Cameras(),
    "Wcam": Wcam(Derivative(rows=16)),
}
FIGURE = Path(__file__).parents[2] / "docs" / "pictures" / "mod_curves.png"
WEIGHTS = (1.0, 2.0, 5.0, 50.0)  # of what is not salient; the last one is the published
BAND_RADIUS = 1.0  # l2 norm of attacks on single levels
LEVELS = {
    "approximation": ("A3",),
    **{f"level {level}": tuple(f"{name}{level}" for name in ("LH", "HL", "HH")) for level in (3, 2, 1)},
}


def scenes(count: int) -> tuple[Tensor, Tensor]:
    """Held-out images and their labels, the classes in turn."""
    labels = torch.arange(count) % len(CLASS_NAMES)
    drawn = draw_scenes(photographs(), labels, HELD_OUT_COLUMNS, torch.Generator().manual_seed(77))
    return drawn.images, drawn.labels


def with_limits(value: float, low: float, high: float) -> str:
    return f"{value:.3f} ({low:.3f} to {high:.3f})"


def print_curves(found: Mapping[tuple[str, str, str], Dissimilarity]) -> None:
    first = next(iter(found.values()))
    heads = [f"MOD at {epsilon:g}" for epsilon in first.epsilons]
    print(f"| network | method | class | {' | '.join(heads)} | VID | VID of images, median |")
    print(f"| --- | --- | --- |{' ---: |' * (len(heads) + 2)}")
    for (variant, name, explained), one in found.items():
        mod, vid = one.mod(), one.vid()
        curve = [with_limits(*each) for each in zip(mod.value, mod.low, mod.high, strict=True)]
        readings = [with_limits(vid.model, vid.low, vid.high), f"{np.median(vid.per_image):.3f}"]
        print(f"| {variant} | {name} | {explained} | {' | '.join(curve + readings)} |")
    print("\nVID of levels, the deviation over images at each attack level:")
    for (variant, name, explained), one in found.items():
        spread = ", ".join(f"{each:.3f}" for each in one.vid().per_level)
        print(f"{variant}, {name}, {explained}: {spread}")


def print_bands(found: Mapping[tuple[str, str, str], Dissimilarity]) -> None:
    """MOD of Wcam's bands at the strongest attack: at which scale does the explanation move?"""
    chosen = {key: one for key, one in found.items() if key[1:] == ("Wcam", "own")}
    bands = next(iter(chosen.values())).maps[1:]
    print(f"\n| network | {' | '.join(bands)} |\n| --- |{' ---: |' * len(bands)}")
    for (variant, *_), one in chosen.items():
        print(f"| {variant} | {' | '.join(f'{one.mod(band).value[-1]:.3f}' for band in bands)} |")


def draw_curves(found: Mapping[tuple[str, str, str], Dissimilarity]) -> None:
    figure = Figure(figsize=(8.4, 3.2), layout="constrained")
    axes = figure.subplots(1, len(METHODS), sharey=True)
    styles = {"standard": ("#0b5394", "-"), "robust": ("#c65d00", "--")}
    for each, name in zip(axes, METHODS, strict=True):
        for variant, (colour, line) in styles.items():
            one = found[variant, name, "own"]
            mod = one.mod()
            each.plot(one.epsilons, mod.value, line, color=colour, marker="o", label=f"{variant} network")
            each.fill_between(one.epsilons, mod.low, mod.high, color=colour, alpha=0.2, linewidth=0)
        each.set(title=name, xlabel="epsilon of FGSM, images in [0, 1]")
    axes[0].set_ylim(0, 0.6)
    axes[0].set_ylabel("mean observed dissimilarity")
    axes[0].legend(frameon=False, fontsize="small")
    figure.savefig(FIGURE, dpi=150)
    print(f"figure: {FIGURE.name}")


def print_scales(images: Tensor, labels: Sequence[int]) -> None:
    """Share of images that an l2 attack on one level alone leads to another class."""
    print(f"\nfooled by 40 steps of PGD, l2 norm {BAND_RADIUS:g}, in one level alone\n")
    print(f"| network | whole image | {' | '.join(LEVELS)} |\n| --- |{' ---: |' * (len(LEVELS) + 1)}")
    for variant in VARIANTS:
        model, shares = load_demo(variant).model, []
        for bands in (None, *LEVELS.values()):
            attack = pgd(model, images, labels, BAND_RADIUS, Threat("l2", bands=bands), Schedule(steps=40))
            shares.append(f"{attack.fooled.mean():.0%}")
        print(f"| {variant} | {' | '.join(shares)} |", flush=True)


def print_enhancement(model: BlackBox, variant: str, images: Tensor) -> None:
    """Norms of plain and penalised PGD, beside controls whose maps know nothing of the image."""
    maps = np.stack([one.spatial() for one in Cameras()(model, images)])
    lit = maps.max((1, 2)) > 0
    maps, images = maps[lit], images[torch.from_numpy(lit)]
    flat = np.broadcast_to(maps.mean((1, 2), keepdims=True), maps.shape).copy()
    plain = salient_pgd(model, images, maps, enhancement=Enhancement(weight=0.0))
    confidence = Enhancement().confidence
    for weight in WEIGHTS:
        for name, used in {"CAMERAS": maps, "flat": flat, "another image's": np.roll(maps, 1, 0)}.items():
            paid = salient_pgd(model, images, used, enhancement=Enhancement(weight=weight))
            both = plain.reached(confidence) & paid.reached(confidence)
            norms = "– | – | –"
            if both.any():
                before, after = plain.l2[both].mean(), paid.l2[both].mean()
                norms = f"{before:.2f} | {after:.2f} | {after / before - 1:+.0%}"
            print(f"| {variant} | {weight:g} | {name} | {both.sum()} of {len(both)} | {norms} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=45)
    images, labels = scenes(parser.parse_args().images)
    found = {
        (variant, name, explained): dissimilarity(
            load_demo(variant).model, method, images, labels.tolist(), protocol=Protocol(explained=explained)
        )
        for variant in VARIANTS
        for name, method in METHODS.items()
        for explained in ("own", "clean")
    }
    for variant in VARIANTS:
        fooled = found[variant, "Grad-CAM", "own"].fooled.mean(1)
        print(f"{variant}: fooled {', '.join(f'{share:.0%}' for share in fooled)}")
    print_curves(found)
    print_bands(found)
    draw_curves(found)
    print_scales(images, labels.tolist())
    print("\nPGD to the least likely class until confidence 0.9999, linf 12/255, CAMERAS' map free\n")
    print("| network | weight | map | both reached | l2 plain | l2 penalised | change |")
    print("| --- | ---: | --- | ---: | ---: | ---: | ---: |")
    for variant in VARIANTS:
        print_enhancement(load_demo(variant).model, variant, images)


if __name__ == "__main__":
    main()
