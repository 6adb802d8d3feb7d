"""`load_model`: a named network with the preprocessing and class names of its source."""

import importlib
from difflib import get_close_matches

import torch
from torch import nn

from wcam_widget.demo import load_network
from wcam_widget.model import BlackBox
from wcam_widget.model.engines.engine import ensure_engine
from wcam_widget.zoo.efficientnet import SIDES, load_efficientnet
from wcam_widget.zoo.preprocessing import Framing, read_transform
from wcam_widget.zoo.sources import LIBRARIES, Loaded, load_from, names_of

_DEMOS = {"demo": "standard", "demo:robust": "robust"}
_ACCEPTED = (
    'accepted are "demo", "demo:robust", "efficientnet-lite0" (-lite1, -lite2), "torchvision:MODEL", '
    '"timm:MODEL", "hf:OWNER/MODEL" (for instance "hf:microsoft/resnet-50") and "MODULE:FUNCTION"'
)


def load_model(name: str, device: str | torch.device | None = None, engine: str = "auto") -> BlackBox:
    """Load a network by name; images come in at its `input_size`, in [0, 1], and are normalised inside.

    | name | what |
    | --- | --- |
    | `"demo"`, `"demo:robust"` | two small networks for textures, bundled |
    | `"efficientnet-lite0"`, `"-lite1"`, `"-lite2"` | ImageNet, 1,000 classes, at 224, 240 and 260 pixels; \
weights from packages of the extra `imagenet` |
    | `"torchvision:resnet50"`, `"timm:resnet50"`, `"hf:microsoft/resnet-50"` | ResNet-50, and any other \
classifier of these libraries under the name it has there; they download its default weights once |
    | `"hf:path/to/folder"` | a classifier that was saved with `save_pretrained` |
    | `"module:function"` | is imported and called, and returns a BlackBox or a torch module |

    A name without its source, such as `"resnet50"`, is refused with the spellings to choose from, because
    weights and preprocessing of one name differ between libraries.

    Args:
        name: one of the above.
        device: CUDA by default where there is one; what a function returns stays where it is.
        engine: What runs images that need no gradient, as of `BlackBox`; "auto" keeps what a function chose.

    Returns:
        A BlackBox in eval mode that knows its `input_size`, its class names where the source has them, and
        how it sees a photograph.

    Raises:
        ValueError: naming `name`, for an unknown source or model and for damaged weights; naming `engine`.
        ImportError: with the extra to install, where a library or a package of weights is missing.

    >>> load_model("demo", device="cpu").input_size
    (128, 128)
    """
    ensure_engine(engine)  # before anything is loaded
    loaded = _load(name, device)
    return loaded if engine == "auto" else loaded.by(engine)


def _load(name: str, device: str | torch.device | None) -> BlackBox:
    if name in _DEMOS:
        return load_network(_DEMOS[name], _device(device))
    if name in SIDES:
        return _box(load_efficientnet(name), name, device)
    source, _, model = name.partition(":")
    if not model or source == "demo":
        raise ValueError(f"name: found {name!r}; {_ACCEPTED}{_near(name)}")
    if source not in LIBRARIES:
        return _from_function(source, model, device)
    try:
        loaded = load_from(source, model)
    except (ValueError, RuntimeError, OSError, KeyError) as error:
        raise ValueError(f"name: {name!r} could not be loaded: {error}{_instead(error, name)}") from error
    return _box(loaded, name, device)


def _box(loaded: Loaded, name: str, device: str | torch.device | None) -> BlackBox:
    preprocess, input_size = read_transform(loaded.transform, name)
    box = BlackBox(loaded.net.eval().to(_device(device)), preprocess, loaded.class_names)
    box.input_size, box.framing = input_size, Framing(loaded.transform, preprocess)
    return box


def _device(device: str | torch.device | None) -> torch.device:
    return torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))


def _from_function(module: str, function: str, device: str | torch.device | None) -> BlackBox:
    try:
        make = getattr(importlib.import_module(module), function)
    except (ModuleNotFoundError, AttributeError) as error:
        name = f"{module}:{function}"
        raise ValueError(f"name: found {name!r}, but {error}; {_ACCEPTED}{_near(name)}") from error
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


def _instead(error: Exception, name: str) -> str:
    """What to do where a library does not know a model, or cannot get its weights."""
    source, _, model = name.partition(":")
    known = names_of(source)
    near = get_close_matches(model, known)
    if near and model not in known:
        return f"; did you mean {' or '.join(repr(f'{source}:{match}') for match in near)}?"
    if not isinstance(error, OSError):
        return ""
    return (
        f"; {LIBRARIES[source]} downloads weights once; without a network, load what was saved in a folder, "
        '"hf:FOLDER", or a network whose weights are a package, "efficientnet-lite0"'
    )


def _near(name: str) -> str:
    """What may have been meant: names that are near, or the same model with each source before it."""
    source, _, model = name.partition(":")
    near = get_close_matches(name.lower().replace("_", "-"), [*SIDES, *_DEMOS])
    if not near and model:
        near = [f"{match}:{model}" for match in get_close_matches(source.lower(), LIBRARIES)]
    elif not near and "/" in source:
        near = [f"hf:{source}"]
    elif not near and source and source not in LIBRARIES:
        near = [f"torchvision:{source}", f"timm:{source}", f"hf:OWNER/{source}"]
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
