"""What is known of the tensors of a graph of ONNX operators while steps are made of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import numpy as np

from wcam_widget.model.engines.graph import Graph, Node
from wcam_widget.show.pages.network.plan import Step


class OperatorError(ValueError):
    """A page cannot run an operator; the message says why, or is empty where it runs none of its kind."""


@final
class Reading:
    """What is known of the tensors of a graph while it is read."""

    def __init__(self, graph: Graph, shape: tuple[int, ...]) -> None:
        self._graph = graph
        self.constants = {
            name: np.ascontiguousarray(one, np.float32)
            for name, one in graph.constants.items()
            if np.issubdtype(one.dtype, np.floating)
        }
        self._shapes = {
            **graph.shapes,
            **{name: one.shape for name, one in graph.constants.items()},
            graph.image: shape,
        }

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor."""
        shape = self._shapes.get(name, (0,))
        if not all(shape):
            raise OperatorError("of a size that depends on what the image shows")
        return shape

    def number(self, name: str) -> np.ndarray:
        """The values of a constant."""
        if name not in self._graph.constants:
            raise OperatorError("with numbers that depend on the image")
        return self._graph.constants[name]

    def option(self, node: Node, name: str, place: int, default: Any = None) -> Any:
        """What newer versions of ONNX have as an input of an operator and older ones as an attribute."""
        if len(node.inputs) > place and node.inputs[place]:
            return self.number(node.inputs[place]).tolist()
        return node.attributes.get(name, default)

    def keep(self, name: str, values: np.ndarray) -> str:
        """A further constant under a new name."""
        self.constants[name] = np.ascontiguousarray(values, np.float32)
        return name

    def step(self, operator: str, node: Node, *inputs: str, **settings: Any) -> list[Step]:
        """The one step of a node."""
        (output,) = node.outputs[:1]
        return [Step(operator, inputs or node.inputs[:1], output, self.shape(output), settings)]


Reader = Callable[[Node, Reading], list[Step]]
"""Makes the steps of a node; raises OperatorError where a page cannot run it."""
