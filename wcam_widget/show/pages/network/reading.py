"""From a graph of ONNX operators to the steps that a page runs: which of them, and what of each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from wcam_widget.model.engines.graph import Graph, Node
from wcam_widget.show.pages.network.plan import Plan, Step
from wcam_widget.show.pages.network.tensors import OperatorError, Reader, Reading
from wcam_widget.show.pages.network.views import VIEWS

FLOAT = 1  # of ONNX's types
REMEDY = "without model=True a page has the scores of all bands"


def plan_of(graph: Graph, shape: tuple[int, ...]) -> Plan:
    """The plan of a graph for an image of ``shape``, (1, c, h, w).

    Raises:
        ValueError: naming ``model``, with the operators that pages cannot run.
    """
    reading, steps, refused = Reading(graph, shape), list[Step](), dict[str, None]()
    for node in graph.nodes:
        reader = READERS.get(node.operator)
        try:
            if reader is None:
                raise OperatorError  # noqa: TRY301 told below, with all others
            steps += reader(node, reading)
        except OperatorError as error:
            refused[f"{node.operator} ({error})" if str(error) else node.operator] = None
    if refused:
        raise ValueError(
            f"model: the network has the operators {', '.join(refused)}, which pages cannot run; they run "
            f"{', '.join(READERS)}; {REMEDY}"
        )
    used = {name for step in steps for name in step.inputs}
    constants = {name: one for name, one in reading.constants.items() if name in used}
    return Plan(graph.image, shape, constants, steps, graph.output)


def _plain(operator: str, **defaults: float) -> Reader:
    """An operator of one input, whose attributes are numbers."""

    def read(node: Node, reading: Reading) -> list[Step]:
        settings = {name: float(node.attributes.get(name, value)) for name, value in defaults.items()}
        return reading.step(operator, node, **settings)

    return read


def _two(operator: str) -> Reader:
    return lambda node, reading: reading.step(operator, node, *node.inputs)


def _clip(node: Node, reading: Reading) -> list[Step]:
    return reading.step("clip", node, low=reading.option(node, "min", 1), high=reading.option(node, "max", 2))


def _relu(node: Node, reading: Reading) -> list[Step]:
    return reading.step("clip", node, low=0.0, high=None)


def _window(node: Node, reading: Reading) -> dict[str, Any]:
    """Where a window of two dimensions stands: its strides, pads (top, left, bottom, right), dilations."""
    if len(reading.shape(node.inputs[0])) != 4:
        raise OperatorError("of other than two dimensions")
    if node.attributes.get("auto_pad", "NOTSET") not in {"NOTSET", "VALID"}:
        raise OperatorError(f"padded {node.attributes['auto_pad']}")
    defaults = {"strides": [1, 1], "pads": [0, 0, 0, 0], "dilations": [1, 1]}
    return {name: list(node.attributes.get(name, default)) for name, default in defaults.items()}


def _conv(node: Node, reading: Reading) -> list[Step]:
    reading.number(node.inputs[1])
    group = int(node.attributes.get("group", 1))
    return reading.step("conv", node, *node.inputs, **_window(node, reading), group=group)


def _pool(operator: str, node: Node, reading: Reading) -> list[Step]:
    window = _window(node, reading)
    if window.pop("dilations") != [1, 1] or len(node.outputs) > 1:
        raise OperatorError("with dilations or places")
    kernel, counted = list(node.attributes["kernel_shape"]), node.attributes.get("count_include_pad", 0)
    return reading.step(operator, node, **window, kernel=kernel, padded=bool(counted))


def _gemm(node: Node, reading: Reading) -> list[Step]:
    if node.attributes.get("transA", 0):
        raise OperatorError("with its input transposed")
    weights = reading.number(node.inputs[1]) * node.attributes.get("alpha", 1.0)
    return _linear(node, reading, weights if node.attributes.get("transB", 0) else weights.T)


def _matmul(node: Node, reading: Reading) -> list[Step]:
    weights = reading.number(node.inputs[1])
    if weights.ndim != 2:
        raise OperatorError("of more than one matrix")
    return _linear(node, reading, weights.T)


def _linear(node: Node, reading: Reading, weights: np.ndarray) -> list[Step]:
    output = node.outputs[0]
    inputs = [node.inputs[0], reading.keep(f"{output} weights", weights)]
    if len(node.inputs) > 2 and node.inputs[2]:
        bias = reading.number(node.inputs[2]) * node.attributes.get("beta", 1.0)
        inputs.append(reading.keep(f"{output} bias", np.broadcast_to(bias, (1, len(weights)))[0]))
    return reading.step("linear", node, *inputs)


def _normalisation(node: Node, reading: Reading) -> list[Step]:
    """That of batches where no convolution is before it: a product and a sum for each channel."""
    scale, bias, mean, variance = (reading.number(name) for name in node.inputs[1:5])
    factor = scale / np.sqrt(variance + node.attributes.get("epsilon", 1e-5))
    output, shape = node.outputs[0], reading.shape(node.outputs[0])
    by_channel = (-1, *[1] * (len(shape) - 2))
    factors = reading.keep(f"{output} factor", factor.reshape(by_channel))
    terms = reading.keep(f"{output} term", (bias - mean * factor).reshape(by_channel))
    scaled = f"{output} scaled"
    return [
        Step("mul", (node.inputs[0], factors), scaled, shape),
        Step("add", (scaled, terms), output, shape),
    ]


def _reduced(operator: str, node: Node, reading: Reading) -> list[Step]:
    """Over the last dimensions: how many values are one, follows from the shapes."""
    rank = len(reading.shape(node.inputs[0]))
    axes = reading.option(node, "axes", 1, list(range(rank)))
    if sorted(axis % rank for axis in axes) != list(range(rank - len(axes), rank)):
        raise OperatorError("over others than the last dimensions")
    return reading.step(operator, node)


def _pooled(node: Node, reading: Reading) -> list[Step]:
    return reading.step("mean", node)


def _cast(node: Node, reading: Reading) -> list[Step]:
    if node.attributes["to"] != FLOAT:
        raise OperatorError("to another type than float32")
    return reading.step("reshape", node)


def _softmax(node: Node, reading: Reading) -> list[Step]:
    rank = len(reading.shape(node.inputs[0]))
    if node.attributes.get("axis", -1) % rank != rank - 1:
        raise OperatorError("over another dimension than the last")
    return reading.step("softmax", node)


def _concat(node: Node, reading: Reading) -> list[Step]:
    axis = node.attributes["axis"] % len(reading.shape(node.outputs[0]))
    return reading.step("concat", node, *node.inputs, axis=axis)


def _pad(node: Node, reading: Reading) -> list[Step]:
    if node.attributes.get("mode", "constant") != "constant" or (len(node.inputs) > 3 and node.inputs[3]):
        raise OperatorError("other than by a number")
    pads = list(map(int, reading.option(node, "pads", 1)))
    rank = len(reading.shape(node.inputs[0]))
    if rank != 4 or any([*pads[:2], *pads[4:6]]) or min(pads) < 0:
        raise OperatorError("of others than the last two dimensions")
    value = float(reading.option(node, "value", 2, 0.0))
    return reading.step("pad", node, pads=[*pads[2:4], *pads[6:8]], value=value)


RESHAPES = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout")
READERS: Mapping[str, Reader] = {
    "Conv": _conv,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "BatchNormalization": _normalisation,
    "Relu": _relu,
    "Clip": _clip,
    "LeakyRelu": _plain("leaky", alpha=0.01),
    "Sigmoid": _plain("sigmoid"),
    "HardSigmoid": _plain("hard_sigmoid", alpha=0.2, beta=0.5),
    "HardSwish": _plain("hard_swish"),
    "Tanh": _plain("tanh"),
    **{name: _two(name.lower()) for name in ("Add", "Sub", "Mul", "Div")},
    "MaxPool": partial(_pool, "max_pool"),
    "AveragePool": partial(_pool, "average_pool"),
    "GlobalAveragePool": _pooled,
    "ReduceMean": partial(_reduced, "mean"),
    "ReduceMax": partial(_reduced, "max"),
    "Softmax": _softmax,
    "Concat": _concat,
    "Pad": _pad,
    "Cast": _cast,
    **dict.fromkeys(RESHAPES, _plain("reshape")),
    **VIEWS,
}
"""How each operator of ONNX is read."""
