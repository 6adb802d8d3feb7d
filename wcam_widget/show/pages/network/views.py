"""Operators that take a part of a tensor, or its numbers in another order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor

from wcam_widget.model.engines.graph import Node
from wcam_widget.show.pages.network.plan import Step
from wcam_widget.show.pages.network.tensors import OperatorError, Reader, Reading


def _view(look: Callable[[Tensor, Node, Reading], list[Tensor]], node: Node, reading: Reading) -> list[Step]:
    """A part or another order of a tensor: where its numbers lie, which torch works out."""
    tensor = torch.empty(reading.shape(node.inputs[0]), device="meta")
    views = zip(look(tensor, node, reading), node.outputs, strict=False)
    return [
        Step(
            "strided",
            node.inputs[:1],
            output,
            reading.shape(output),
            {"strides": list(view.stride()), "offset": view.storage_offset()},
        )
        for view, output in views
    ]


def _transposed(tensor: Tensor, node: Node, reading: Reading) -> list[Tensor]:
    del reading
    return [tensor.permute(node.attributes.get("perm", tuple(reversed(range(tensor.ndim)))))]


def _expanded(tensor: Tensor, node: Node, reading: Reading) -> list[Tensor]:
    return [tensor.expand(reading.shape(node.outputs[0]))]


def _sliced(tensor: Tensor, node: Node, reading: Reading) -> list[Tensor]:
    starts, ends = (reading.option(node, name, place) for name, place in (("starts", 1), ("ends", 2)))
    axes = reading.option(node, "axes", 3, list(range(len(starts))))
    steps = reading.option(node, "steps", 4, [1] * len(starts))
    if min(steps) < 1:
        raise OperatorError("backwards")
    where = [slice(None)] * tensor.ndim
    for axis, *part in zip(axes, starts, ends, steps, strict=True):
        where[axis] = slice(*part)
    return [tensor[tuple(where)]]


def _gathered(tensor: Tensor, node: Node, reading: Reading) -> list[Tensor]:
    indices, axis = reading.number(node.inputs[1]), node.attributes.get("axis", 0)
    if indices.size != 1:
        raise OperatorError("of several places")
    index = int(indices.flat[0]) % tensor.shape[axis]
    return [tensor.select(axis, index) if indices.ndim == 0 else tensor.narrow(axis, index, 1)]


def _split(tensor: Tensor, node: Node, reading: Reading) -> list[Tensor]:
    axis = node.attributes.get("axis", 0)
    return list(torch.split(tensor, [reading.shape(name)[axis] for name in node.outputs], dim=axis))


VIEWS: Mapping[str, Reader] = {
    "Transpose": partial(_view, _transposed),
    "Expand": partial(_view, _expanded),
    "Slice": partial(_view, _sliced),
    "Gather": partial(_view, _gathered),
    "Split": partial(_view, _split),
}
"""How each of them is read."""
