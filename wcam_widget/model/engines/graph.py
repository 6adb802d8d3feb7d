"""A network as a graph of ONNX operators with numbers for everything that is constant."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, final

import numpy as np
from jaxtyping import Float
from torch import Tensor, nn

from wcam_widget.model.engines.exporting import missing, written


@final
@dataclass(frozen=True)
class Node:
    """One operator of a graph.

    Args:
        operator: What ONNX calls it.
        inputs: Names of tensors; "" for one that is left out.
        outputs: Names of tensors.
        attributes: Numbers, lists of numbers, texts and arrays by name.
    """

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]


@final
@dataclass(frozen=True, eq=False)
class Graph:
    """Operators in the order in which they run, for an input of one shape.

    Args:
        nodes: The operators.
        constants: Weights and other numbers by name.
        shapes: Of every tensor that an operator makes, where it is known.
        image: The name of the input.
        output: The name of the result.
    """

    nodes: tuple[Node, ...]
    constants: Mapping[str, np.ndarray]
    shapes: Mapping[str, tuple[int, ...]]
    image: str
    output: str


def graph_of(scores: nn.Module, image: Float[Tensor, "1 ..."]) -> Graph:
    """Export a module from one tensor to one tensor, for an input of the shape of ``image``.

    What does not depend on the input is computed, and normalisation of batches is part of the convolution
    before it.

    Args:
        scores: The module, in eval mode.
        image: An input of one row.

    Raises:
        ImportError: Where a package is not installed.
        Exception: What torch's exporter or ONNX Runtime raises.

    >>> import torch
    >>> graph = graph_of(nn.Sequential(nn.Flatten(), nn.Linear(4, 2), nn.ReLU()), torch.ones(1, 1, 2, 2))
    >>> [node.operator for node in graph.nodes]
    ['Flatten', 'Gemm', 'Relu']
    """
    if name := missing():
        raise ImportError(f'{name} is not installed, pip install "wcam_widget[fast]"')
    onnx = import_module("onnx")
    model = onnx.shape_inference.infer_shapes(_simplified(written(scores, image, any_number=False)))
    graph = model.graph
    described = [*graph.value_info, *graph.output]
    shapes = {one.name: tuple(size.dim_value for size in one.type.tensor_type.shape.dim) for one in described}
    return Graph(
        tuple(
            Node(node.op_type, tuple(node.input), tuple(node.output), _attributes(node))
            for node in graph.node
        ),
        {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer},
        shapes,
        graph.input[0].name,
        graph.output[0].name,
    )


def _simplified(written: bytes) -> Any:
    """An ONNX model without what is constant in it, by ONNX Runtime's rules that keep to the standard."""
    onnx, runtime = import_module("onnx"), import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 3
    with tempfile.TemporaryDirectory() as folder:
        options.optimized_model_filepath = str(Path(folder) / "simplified.onnx")
        runtime.InferenceSession(written, options, providers=["CPUExecutionProvider"])
        return onnx.load(options.optimized_model_filepath)


def _attributes(node: Any) -> dict[str, Any]:
    onnx = import_module("onnx")
    values = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in values.items()}
