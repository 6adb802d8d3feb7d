"""The images of a command: files that were named, or the bundled ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from wcam_widget.demo import VARIANTS, load_demo
from wcam_widget.files import atomic_write
from wcam_widget.model import BlackBox, ImageLike
from wcam_widget.text import printable


@dataclass(frozen=True, eq=False)
class Job:
    """An image or its path, the name it is reported under, the model, and the class to explain."""

    name: str
    image: ImageLike
    model: BlackBox
    target: str | int | None = None


def jobs_of(paths: Iterable[Path], model: BlackBox, target: str | int | None) -> list[Job]:
    """One job for each image file, to be read when its turn comes.

    >>> from torch import nn
    >>> [job.name for job in jobs_of([Path("photos/cat.png")], BlackBox(nn.Identity()), None)]
    ['cat.png']
    """
    return [Job(printable(path.name), path, model, target) for path in paths]


def target_of(text: str | None, class_names: Sequence[str] | None) -> str | int | None:
    """A class as typed: a name if the model has it, else a number if it is one.

    >>> target_of("3", ("cat", "dog")), target_of("7", ("7", "8")), target_of("dog", ("cat", "dog"))
    (3, '7', 'dog')
    """
    if text is None or text in (class_names or ()):
        return text
    return int(text) if text.isascii() and text.isdecimal() else text


def demo_jobs(count: int) -> list[Job]:
    """The first `count` bundled images, each once for either bundled network.

    >>> [job.name for job in demo_jobs(1)]
    ['01-brick-disc.png, standard network', '01-brick-disc.png, robust network']
    """
    demos = {variant: load_demo(variant) for variant in VARIANTS}
    return [
        Job(f"{name}, {variant} network", demo.images[number], demo.model)
        for number, name in enumerate(demo_names()[:count])
        for variant, demo in demos.items()
    ]


def demo_names() -> list[str]:
    """File names of the bundled images, in their order."""
    _, _, labels, class_names = load_demo()
    return [f"{number:02d}-{class_names[label]}.png" for number, label in enumerate(labels, start=1)]


def write_demo_images(folder: Path) -> list[Path]:
    """Write the bundled images as PNG files, each completely or not at all; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, image in zip(demo_names(), load_demo().images, strict=True):
        pixels = (image.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
        with atomic_write(folder / name) as part:
            Image.fromarray(pixels).save(part, format="PNG")
        written.append(folder / name)
    return written
