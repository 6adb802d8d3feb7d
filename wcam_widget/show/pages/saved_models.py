"""The models of widgets that a saved notebook holds: explorers, other widgets of one module, and the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from wcam_widget.show.pages.page import SavedModule, State
from wcam_widget.show.traits import saved_names

WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
EXPLORERS = (
    "wcam_widget.show.explorer.explorer.Explorer",
    "wcam_widget.show.explorer.comparison.ComparisonExplorer",
)
REFERENCES = ("IPY_MODEL_", "anywidget:")
"""How the state of a widget names another one."""

Model = Mapping[str, Any]


def saved_models(metadata: Mapping[str, Any]) -> dict[str, Model]:
    """The models in a notebook's metadata, by id; none where it holds none.

    Hosted notebooks leave out the key between the type and the models.
    """
    widgets = metadata.get("widgets")
    saved = widgets.get(WIDGET_STATE) if isinstance(widgets, Mapping) else None
    models = saved.get("state", saved) if isinstance(saved, Mapping) else None
    models = models if isinstance(models, Mapping) else {}
    return {name: one for name, one in models.items() if isinstance(_state(one), Mapping)}


def _state(model: Any) -> Any:
    return model.get("state") if isinstance(model, Mapping) else None


def is_explorer(model: Model) -> bool:
    """Whether a model is that of an explorer."""
    return model["state"].get("_anywidget_id") in EXPLORERS


def is_module(model: Model) -> bool:
    """Whether a model is that of a widget which is drawn by a module in its state, and by nothing else."""
    state = model["state"]
    rest = [value for name, value in state.items() if name != "layout"]
    return isinstance(state.get("_esm"), str) and not any(
        text.startswith(REFERENCES) for text in _texts(rest)
    )


def _texts(value: Any) -> Iterator[str]:
    """All texts in a state, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(one)


def explorer_state(model: Model) -> State:
    """The state of an explorer, as ``page`` takes it; ValueError, naming what it lacks."""
    names = saved_names(model["state"])
    state = {name: model["state"][name] for name in names if name in model["state"]}
    for buffer in _buffers(model):
        if len(buffer["path"]) == 1 and buffer["path"][0] in names:
            state[buffer["path"][0]] = buffer["data"]
    missing = [name for name in names if name not in state]
    if missing:
        raise ValueError(f"notebook: the state of an explorer lacks {', '.join(missing)}; execute it again")
    return state


def module_of(model: Model) -> SavedModule:
    """What a page needs of a widget that is a module."""
    state = {name: value for name, value in model["state"].items() if name not in ("_esm", "_css")}
    css = model["state"].get("_css")
    code = (model["state"]["_esm"], css if isinstance(css, str) else "")
    return SavedModule(code, state, _buffers(model))


def _buffers(model: Model) -> list[Mapping[str, Any]]:
    return [
        {"path": list(one["path"]), "data": one["data"]}
        for one in model.get("buffers", [])
        if one.get("encoding") == "base64"
    ]
