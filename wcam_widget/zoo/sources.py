"""Networks of torchvision, timm and Hugging Face, with the transform and class names of their source."""

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NamedTuple, final

from PIL import Image
from torch import nn


class Loaded(NamedTuple):
    """A network, what its source does to a photograph before it (PIL image to (c, h, w)), and its classes."""

    net: nn.Module
    transform: Callable[[Image.Image], Any]
    class_names: tuple[str, ...] | None


LIBRARIES = {"torchvision": "torchvision", "timm": "timm", "hf": "transformers"}


def load_from(source: str, model: str) -> Loaded:
    """Load `model` from one of `LIBRARIES`, in eval mode; its weights are downloaded once by that library.

    Raises ImportError naming the extra to install where the library is missing, and what the library raises
    where the model is unknown or cannot be had.
    """
    return _LOADERS[source](_imported(source), model)


def names_of(source: str) -> list[str]:
    """The models that the library of `source` knows; none for "hf", whose models are not listed."""
    library = _imported(source)
    listed = {"torchvision": getattr(library, "models", None), "timm": library}.get(source)
    return list(getattr(listed, "list_models", list)())


def _imported(source: str) -> ModuleType:
    library = LIBRARIES[source]
    try:
        return importlib.import_module(library)
    except ModuleNotFoundError as error:
        if error.name != library:
            raise
        raise ImportError(
            f'name: models of {source!r} need {library}; install it with: pip install "wcam_widget[{source}]"'
        ) from error


def _from_torchvision(torchvision: Any, model: str) -> Loaded:
    weights = torchvision.models.get_model_weights(model).DEFAULT
    net = torchvision.models.get_model(model, weights=weights)
    return Loaded(net, weights.transforms(), _names(weights.meta.get("categories")))


def _from_timm(timm: Any, model: str) -> Loaded:
    net = timm.create_model(model, pretrained=True)
    config = timm.data.resolve_model_data_config(net)
    return Loaded(net, timm.data.create_transform(**config, is_training=False), _timm_names(timm, net))


def _timm_names(timm: Any, net: nn.Module) -> tuple[str, ...] | None:
    """Names from the model's own configuration, else those of the ImageNet subset timm infers from it."""
    config: dict[str, Any] = dict(getattr(net, "pretrained_cfg", None) or {})
    labels = config.get("label_names")
    if labels:
        described = config.get("label_descriptions") or {}
        return _names(described.get(label, label) for label in labels)
    subset = timm.data.infer_imagenet_subset(net)
    return None if subset is None else _names(timm.data.ImageNetInfo(subset).label_descriptions())


@final
@dataclass(frozen=True)
class _Processor:
    """A processor of Hugging Face as a function from one photograph to the network's input."""

    processor: Any

    def __call__(self, photo: Image.Image) -> Any:
        return self.processor(images=photo, return_tensors="pt")["pixel_values"][0]


def _from_transformers(transformers: Any, model: str) -> Loaded:
    # use_safetensors: the other format of the hub is a pickle.
    net = transformers.AutoModelForImageClassification.from_pretrained(model, use_safetensors=True)
    processor = transformers.AutoImageProcessor.from_pretrained(model)
    names = [net.config.id2label[index] for index in range(net.config.num_labels)]
    unnamed = all(name == f"LABEL_{index}" for index, name in enumerate(names))
    return Loaded(net, _Processor(processor), None if unnamed else _names(names))


def _names(names: Iterable[Any] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(str(name) for name in names)


_LOADERS: dict[str, Callable[[Any, str], Loaded]] = {
    "torchvision": _from_torchvision,
    "timm": _from_timm,
    "hf": _from_transformers,
}
