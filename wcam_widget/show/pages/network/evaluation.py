"""The steps of a plan in torch: what each operator of a page has to give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from wcam_widget.show.pages.network.plan import Plan, Step


def evaluate(plan: Plan, image: Float[Tensor, "..."]) -> Tensor:
    """What a plan gives for an image, by torch.

    >>> from wcam_widget.show.pages.network.plan import Plan, Step
    >>> step = Step("clip", ("image",), "y", (1, 2), {"low": 0.0, "high": None})
    >>> evaluate(Plan("image", (1, 2), {}, [step], "y"), torch.tensor([[-1.0, 1.0]]))
    tensor([[0., 1.]])
    """
    values = {name: torch.tensor(one) for name, one in plan.constants.items()}
    values[plan.image] = image
    with torch.no_grad():
        for step in plan.steps:
            inputs = [values[name] for name in step.inputs]
            values[step.output] = OPERATORS[step.operator](inputs, step).reshape(step.shape)
    return values[plan.output]


def _conv(inputs: Sequence[Tensor], step: Step) -> Tensor:
    data, weights, *bias = inputs
    top, left, bottom, right = step.settings["pads"]
    padded = functional.pad(data, (left, right, top, bottom))
    strides, dilations = tuple(step.settings["strides"]), tuple(step.settings["dilations"])
    added = bias[0] if bias else None
    result: Tensor = functional.conv2d(padded, weights, added, strides, 0, dilations, step.settings["group"])
    return result


def _max_pool(inputs: Sequence[Tensor], step: Step) -> Tensor:
    return _windows(inputs[0], step, -torch.inf).amax(dim=(4, 5))


def _average_pool(inputs: Sequence[Tensor], step: Step) -> Tensor:
    sums = _windows(inputs[0], step, 0.0).sum(dim=(4, 5))
    ones = torch.ones_like(inputs[0][:, :1])
    if step.settings["padded"]:
        top, left, bottom, right = step.settings["pads"]
        ones = functional.pad(ones, (left, right, top, bottom), value=1.0)
        step = Step(step.operator, (), "", step.shape, {**step.settings, "pads": [0, 0, 0, 0]})
    return sums / _windows(ones, step, 0.0).sum(dim=(4, 5))


def _windows(data: Tensor, step: Step, value: float) -> Float[Tensor, "n c h w kh kw"]:
    """The numbers in each window of a pool; it may reach over the edge where sizes are rounded up."""
    top, left, bottom, right = step.settings["pads"]
    (rows, columns), (down, across) = step.settings["kernel"], step.settings["strides"]
    height, width = step.shape[2:]
    below = max(bottom, (height - 1) * down + rows - data.shape[2] - top)
    beside = max(right, (width - 1) * across + columns - data.shape[3] - left)
    padded = functional.pad(data, (left, beside, top, below), value=value)
    windows = padded.unfold(2, rows, down).unfold(3, columns, across)
    return windows[:, :, :height, :width]


def _strided(inputs: Sequence[Tensor], step: Step) -> Tensor:
    strides, offset = step.settings["strides"], step.settings["offset"]
    return torch.as_strided(inputs[0].contiguous(), step.shape, strides, offset)


def _pad(inputs: Sequence[Tensor], step: Step) -> Tensor:
    top, left, bottom, right = step.settings["pads"]
    return functional.pad(inputs[0], (left, right, top, bottom), value=step.settings["value"])


def _rows(data: Tensor, step: Step) -> Float[Tensor, "n m"]:
    """The numbers that become one each."""
    size = 1
    for side in step.shape:
        size *= side
    return data.reshape(size, -1)


def _hard_sigmoid(inputs: Sequence[Tensor], step: Step) -> Tensor:
    alpha, beta = float(step.settings["alpha"]), float(step.settings["beta"])
    return (inputs[0] * alpha + beta).clamp(0.0, 1.0)


Operator = Callable[[Sequence[Tensor], Step], Tensor]
OPERATORS: Mapping[str, Operator] = {
    "conv": _conv,
    "linear": lambda inputs, _: functional.linear(inputs[0], inputs[1], *inputs[2:]),
    "clip": lambda inputs, step: inputs[0].clamp(step.settings["low"], step.settings["high"]),
    "leaky": lambda inputs, step: functional.leaky_relu(inputs[0], step.settings["alpha"]),
    "sigmoid": lambda inputs, _: inputs[0].sigmoid(),
    "hard_sigmoid": _hard_sigmoid,
    "hard_swish": lambda inputs, _: functional.hardswish(inputs[0]),
    "tanh": lambda inputs, _: inputs[0].tanh(),
    "add": lambda inputs, _: inputs[0] + inputs[1],
    "sub": lambda inputs, _: inputs[0] - inputs[1],
    "mul": lambda inputs, _: inputs[0] * inputs[1],
    "div": lambda inputs, _: inputs[0] / inputs[1],
    "max_pool": _max_pool,
    "average_pool": _average_pool,
    "mean": lambda inputs, step: _rows(inputs[0], step).mean(dim=1),
    "max": lambda inputs, step: _rows(inputs[0], step).amax(dim=1),
    "softmax": lambda inputs, _: inputs[0].softmax(dim=-1),
    "concat": lambda inputs, step: torch.cat(list(inputs), dim=step.settings["axis"]),
    "pad": _pad,
    "reshape": lambda inputs, _: inputs[0],
    "strided": _strided,
}
"""What each operator gives; js/src/network/operators.ts has the same names."""
