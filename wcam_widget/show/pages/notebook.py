"""Notebooks as pages: the outputs of their widgets are rewritten, so that these work there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

from wcam_widget.show.pages.page import SavedModule, State, explorer_html, module_html
from wcam_widget.show.pages.saved_models import (
    Model,
    explorer_state,
    is_explorer,
    is_module,
    module_of,
    saved_models,
)

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
STILL = "wcam_still"  # in the metadata of an output that is a still picture: the run it is of


@final
@dataclass
class PlacedWidgets:
    """The widgets of a notebook, by the names of their places on the page.

    Args:
        explorers: the states of explorers.
        modules: other widgets that work on the page.
        pictures: how many explorers are there as a picture alone, because their state was not saved.
        others: how many outputs of widgets show what stands beside the widget: a picture, a table, text.
    """

    explorers: dict[str, State] = field(default_factory=dict)
    modules: dict[str, SavedModule] = field(default_factory=dict)
    pictures: int = 0
    others: int = 0

    def __str__(self) -> str:
        compared = sum(len(_names(state)) > 1 for state in self.explorers.values())
        empty = sum(not state["_frame"] for state in self.explorers.values())
        parts = [
            _count(len(self.explorers), "explorer") + (f" ({compared} of them compared)" if compared else ""),
            *([f"{empty} of them without a map, as no cell called wait()"] if empty else []),
            *([f"{_count(self.pictures, 'explorer')} as a picture, without state"] if self.pictures else []),
            *([_count(len(self.modules), "other widget")] if self.modules else []),
            *([f"{_count(self.others, 'other widget')} as picture or text"] if self.others else []),
        ]
        return ", ".join(parts)


def _names(state: State) -> list[str]:
    """The names of the sides of an explorer."""
    sides = state["_sides"]
    names = sides.get("names") if isinstance(sides, Mapping) else None
    return names if isinstance(names, list) else []


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def place_widgets(notebook: Any) -> PlacedWidgets:
    """Replace every explorer, and every other widget that a page can run, by its place on the page.

    Args:
        notebook: a notebook node, which is changed.

    Returns:
        What was placed.

    Raises:
        ValueError: where no explorer can be placed, saying why; and for an explorer whose state lacks
            something.
    """
    models = saved_models(notebook.metadata)
    notebook.metadata.pop("widgets", None)
    placing = _Placing(models, _pictures(notebook))
    for cell in notebook.cells:
        if "outputs" in cell:
            cell["outputs"] = placing.outputs(cell["outputs"])
    if not placing.placed.explorers:
        raise ValueError(f"notebook: {_why_nothing(notebook, models, placing.views)}")
    return placing.placed


def _pictures(notebook: Any) -> dict[str, str]:
    """The last picture of each explorer that has one, as base64 text, by its run."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    data = {_still_of(output): output.get("data", {}).get("image/png") for output in outputs}
    return {run: png for run, png in data.items() if run and isinstance(png, str)}


def _still_of(output: Mapping[str, Any]) -> str:
    """The run that an output is a still picture of, or the words beside it; empty for all others."""
    run = output.get("metadata", {}).get(STILL)
    return run if isinstance(run, str) else ""


class _Placing:
    """Goes through outputs and puts places where widgets stood."""

    def __init__(self, models: Mapping[str, Model], pictures: Mapping[str, str]) -> None:
        self._models, self._pictures = models, pictures
        self._numbers: dict[str, str] = {}  # ids come from the notebook; the page counts widgets itself
        self._runs: set[str] = set()
        self.placed = PlacedWidgets()
        self.views = 0

    def outputs(self, outputs: Sequence[Any]) -> list[Any]:
        """The outputs of a cell as they are on the page; what stands in for an explorer there is left out."""
        kept: list[Any] = []
        for output, after in zip(outputs, [*outputs[1:], {}], strict=False):  # there may be none
            view = output.get("data", {}).pop(WIDGET_VIEW, None)
            if view is not None:
                self.views += 1
                name = str(view.get("model_id")) if isinstance(view, Mapping) else ""
                place = self._place(name, output["data"])
                if place is not None:
                    output["data"] = {"text/html": place}
                elif _still_of(after):
                    self.placed.pictures += 1
                    continue
                else:
                    self.placed.others += 1
            kept.append(output)
        return [output for output in kept if _still_of(output) not in self._runs]

    def _place(self, name: str, data: Mapping[str, Any]) -> str | None:
        """The place of a model as HTML, with what is to be seen where it cannot be drawn."""
        model = self._models.get(name)
        if model is None:
            return None
        number = self._numbers.setdefault(name, str(len(self._numbers)))
        if is_explorer(model):
            state = self.placed.explorers.setdefault(number, explorer_state(model))
            run = str(state["_status"].get("run"))
            self._runs.add(run)
            return explorer_html(number, state, self._pictures.get(run))
        if not is_module(model):
            return None
        self.placed.modules.setdefault(number, module_of(model))
        return module_html(number, data)


def _why_nothing(notebook: Any, models: Mapping[str, Model], views: int) -> str:
    """Why there is no explorer to place, and what helps."""
    cells = [cell for cell in notebook.cells if cell.get("cell_type") == "code"]
    if not any(cell.get("outputs") or cell.get("execution_count") for cell in cells):
        return f"none of its {len(cells)} code cells has been executed; `jupyter execute --inplace` does it"
    if views and not models:
        return (
            f"the state of its {_count(views, 'widget')} was not saved; `jupyter execute --inplace` saves "
            "it, and JupyterLab where Settings > Save Widget State Automatically is on"
        )
    return "no explorer is among its outputs; `jupyter nbconvert --to html` makes a page of any notebook"
