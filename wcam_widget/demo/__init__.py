"""The bundled demo, ready without a download: two small networks with a dozen images, and photographs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from safetensors.torch import load_file
from torch import Tensor

from wcam_widget.demo.network import ResidualNet, normalise
from wcam_widget.demo.photographs import Photographs, load_photos
from wcam_widget.demo.scenes import CLASS_NAMES, SIZE
from wcam_widget.model.blackbox import BlackBox

__all__ = ["VARIANTS", "Demo", "Photographs", "load_demo", "load_metrics", "load_network", "load_photos"]

VARIANTS = ("standard", "robust")


@dataclass(frozen=True, eq=False)
class Demo:
    """What `load_demo` returns; also unpacks as `model, images, labels, class_names`.

    Attributes:
        model: The network, with its preprocessing and class names.
        images: (12, 3, 128, 128) in [0, 1], held out from training.
        labels: Class ids, (12,).
        class_names: Nine names, in order.
    """

    model: BlackBox
    images: Float[Tensor, "n 3 h w"]
    labels: Int[Tensor, " n"]
    class_names: tuple[str, ...]

    def __iter__(self) -> Iterator[Any]:
        return iter((self.model, self.images, self.labels, self.class_names))


def load_demo(variant: str = "standard", device: str | torch.device = "cpu") -> Demo:
    """Load a bundled network, a dozen images it never saw, their labels and the class names.

    The textures brick, grass and gravel are cut out as disc, square or triangle; DATA.md says where the
    photographs come from.

    Args:
        variant: "standard" or "robust", which was trained with blur and noise added.
        device: Where the network runs.

    Returns:
        The model, images (12, 3, 128, 128) in [0, 1], labels (12,) and class names, also as a tuple of these.

    Raises:
        ValueError: Naming ``variant``, for another one.

    Examples:
        >>> model, images, labels, class_names = load_demo()
        >>> class_names[labels[1]], images.shape
        ('brick-square', torch.Size([12, 3, 128, 128]))
    """
    with (
        files(__name__).joinpath("images.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as stored,
    ):
        images = torch.from_numpy(stored["images"]).float() / 255.0
        labels = torch.from_numpy(stored["labels"]).long()
    return Demo(load_network(variant, device), images, labels, CLASS_NAMES)


def load_network(variant: str = "standard", device: str | torch.device = "cpu") -> BlackBox:
    """Load one of the bundled networks.

    Args:
        variant: One of `VARIANTS`.
        device: Where the network runs.

    Raises:
        ValueError: Naming ``variant``, for another one.

    Examples:
        >>> load_network("robust").class_names[0]
        'brick-disc'
    """
    if variant not in VARIANTS:
        raise ValueError(f"variant: found {variant!r}; accepted are {' and '.join(map(repr, VARIANTS))}")
    net = ResidualNet(len(CLASS_NAMES))
    with as_file(files(__name__).joinpath(f"{variant}.safetensors")) as path:
        net.load_state_dict(load_file(path))
    box = BlackBox(net.eval().to(device), normalise, CLASS_NAMES)
    box.input_size = (SIZE, SIZE)
    return box


def load_metrics() -> dict[str, Any]:
    """Read what training measured: accuracies on held-out crops, clean and under noise and blur.

    >>> sorted(load_metrics())
    ['blur_sigma', 'noise_sigma', 'robust', 'standard']
    """
    read: dict[str, Any] = json.loads(files(__name__).joinpath("metrics.json").read_text(encoding="utf-8"))
    return read
