"""`load_model`: a named network with the preprocessing and class names of its source."""

import importlib
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import torch
from PIL import Image
from torch import nn

from wcam_widget.model.blackbox import BlackBox
from wcam_widget.model.reading import read_transform

_DEMOS = {"demo": "standard", "demo:robust": "robust"}
_ACCEPTED = (
    'accepted are "demo", "demo:robust", "torchvision:MODEL", "timm:MODEL", "hf:MODEL" and "MODULE:FUNCTION"'
)


def load_model(name: str, device: str | torch.device | None = None) -> BlackBox:
    """Load a network by name; images come in at its `input_size`, in [0, 1], and are normalised inside.

    `name` is "demo" or "demo:robust" (bundled), "torchvision:resnet50", "timm:convnext_tiny" or
    "hf:google/vit-base-patch16-224" (their default weights, which these libraries download once), or
    "module:function", which is imported and called and returns a BlackBox or a torch module.
    `device` defaults to CUDA where there is one; what a function returns stays where it is.

    Raises ValueError, naming `name`, for an unknown source or model, and ImportError with the extra to
    install where its library is missing.

    >>> load_model("demo", device="cpu").input_size
    (128, 128)
    """
    source, _, model = name.partition(":")
    if name in _DEMOS:
        return _from_demo(_DEMOS[name], _device(device))
    if not model or source == "demo":
        raise ValueError(f"name: found {name!r}; {_ACCEPTED}")
    zoo = _ZOOS.get(source)
    if zoo is None:
        return _from_function(source, model, device)
    library = _imported(source)
    try:
        net, transform, class_names = zoo(library, model)
    except (ValueError, RuntimeError, OSError, KeyError) as error:
        raise ValueError(f"name: {name!r} could not be loaded: {error}") from error
    preprocess, input_size = read_transform(transform, name)
    box = BlackBox(net.eval().to(_device(device)), preprocess, class_names)
    box.input_size = input_size
    return box


def _device(device: str | torch.device | None) -> torch.device:
    return torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))


def _from_demo(variant: str, device: torch.device) -> BlackBox:
    from wcam_widget.demo import load_network  # noqa: PLC0415 - the demo imports this package

    return load_network(variant, device)


def _from_function(module: str, function: str, device: str | torch.device | None) -> BlackBox:
    try:
        make = getattr(importlib.import_module(module), function)
    except (ModuleNotFoundError, AttributeError) as error:
        raise ValueError(f"name: found {module + ':' + function!r}, but {error}; {_ACCEPTED}") from error
    made = make()
    if isinstance(made, nn.Module):
        return BlackBox(made, device=device)
    if not isinstance(made, BlackBox):
        raise TypeError(
            f"name: {module}:{function} returned {type(made).__qualname__}; "
            "accepted are a BlackBox and a torch module"
        )
    if device is not None and torch.empty(0, device=device).device != made.device:
        raise ValueError(
            f"device: found {str(device)!r}, but {module}:{function} made a model on {made.device}"
        )
    return made


def _imported(source: str) -> ModuleType:
    library = {"hf": "transformers"}.get(source, source)
    try:
        return importlib.import_module(library)
    except ModuleNotFoundError as error:
        if error.name != library:
            raise
        raise ImportError(
            f'name: models of {source!r} need {library}; install it with: pip install "wcam_widget[{source}]"'
        ) from error


_Loaded = tuple[nn.Module, Callable[[Image.Image], Any], tuple[str, ...] | None]


def _from_torchvision(torchvision: Any, model: str) -> _Loaded:
    weights = torchvision.models.get_model_weights(model).DEFAULT
    net = torchvision.models.get_model(model, weights=weights)
    return net, weights.transforms(), _names(weights.meta.get("categories"))


def _from_timm(timm: Any, model: str) -> _Loaded:
    net = timm.create_model(model, pretrained=True)
    config = timm.data.resolve_model_data_config(net)
    return net, timm.data.create_transform(**config, is_training=False), _timm_names(timm, net)


def _timm_names(timm: Any, net: nn.Module) -> tuple[str, ...] | None:
    """Names from the model's own configuration, else those of the ImageNet subset timm infers from it."""
    config: dict[str, Any] = dict(getattr(net, "pretrained_cfg", None) or {})
    labels = config.get("label_names")
    if labels:
        described = config.get("label_descriptions") or {}
        return _names(described.get(label, label) for label in labels)
    subset = timm.data.infer_imagenet_subset(net)
    return None if subset is None else _names(timm.data.ImageNetInfo(subset).label_descriptions())


def _from_transformers(transformers: Any, model: str) -> _Loaded:
    # use_safetensors: the other format of the hub is a pickle.
    net = transformers.AutoModelForImageClassification.from_pretrained(model, use_safetensors=True)
    processor = transformers.AutoImageProcessor.from_pretrained(model)

    def transform(image: Image.Image) -> Any:
        return processor(images=image, return_tensors="pt")["pixel_values"][0]

    names = [net.config.id2label[index] for index in range(net.config.num_labels)]
    unnamed = all(name == f"LABEL_{index}" for index, name in enumerate(names))
    return net, transform, None if unnamed else _names(names)


def _names(names: Iterable[Any] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(str(name) for name in names)


_ZOOS: dict[str, Callable[[Any, str], _Loaded]] = {
    "torchvision": _from_torchvision,
    "timm": _from_timm,
    "hf": _from_transformers,
}
