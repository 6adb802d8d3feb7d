"""One case for each operator of a page, with what torch gives; both languages are held against them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from wcam_widget.show.pages.network.plan import Plan, Step

WINDOW = {"strides": [2, 1], "pads": [1, 0, 0, 2], "dilations": [1, 1]}
POOL = {"strides": [2, 2], "pads": [1, 1, 0, 1], "kernel": [3, 2]}
IMAGE = (1, 4, 6, 5)


def numbers(seed: int, *shape: int) -> Tensor:
    """Numbers with three decimals, which JSON keeps."""
    made = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    return (made * 1000).round() / 1000


def pools(data: Tensor) -> dict[str, tuple[dict[str, Any], Tensor]]:
    """Each kind of pool, its settings, and what torch gives."""
    around = functional.pad(data, (1, 1, 1, 0), value=-torch.inf)
    zeros, ones = (functional.pad(one, (1, 1, 1, 0)) for one in (data, torch.ones_like(data)))
    mean, share = (functional.avg_pool2d(one, (3, 2), 2) for one in (zeros, ones))
    return {
        "max_pool": ({**POOL, "padded": False}, functional.max_pool2d(around, (3, 2), 2)),
        "average_pool": ({**POOL, "padded": False}, mean / share),
        "average_pool padded": ({**POOL, "padded": True}, mean),
    }


def cases() -> dict[str, tuple[list[Tensor], dict[str, Any], Tensor]]:
    """Inputs, settings and result of each operator, by its name and what is special about the case."""
    data, like = numbers(1, *IMAGE), numbers(2, *IMAGE)
    weights, bias = numbers(3, 5, 4, 3, 2), numbers(4, 5)
    around = functional.pad(data, (0, 2, 1, 0))
    grouped, alone, twice = numbers(5, 6, 2, 3, 3), numbers(6, 4, 1, 3, 5), numbers(7, 8, 1, 3, 3)
    same = {"strides": [1, 1], "pads": [1, 1, 1, 1], "dilations": [1, 1]}
    wide = {**same, "pads": [1, 2, 1, 2], "strides": [1, 1]}
    plain = {**same, "pads": [0, 0, 0, 0]}
    apart = {**plain, "dilations": [2, 1], "pads": [2, 1, 2, 1]}
    table, rows = numbers(8, 3, 7), numbers(9, 2, 7)
    channel = numbers(10, 1, 4, 1, 1).abs() + 0.5
    pads = {"pads": [1, 0, 2, 1], "value": 0.5}
    conv = functional.conv2d
    return {
        "conv": ([data, weights, bias], {**WINDOW, "group": 1}, conv(around, weights, bias, (2, 1))),
        "conv of points": (
            [data, weights[:, :, :1, :1]],
            {**plain, "group": 1},
            conv(data, weights[:, :, :1, :1]),
        ),
        "conv in groups": ([data, grouped], {**same, "group": 2}, conv(data, grouped, None, 1, 1, 1, 2)),
        "conv apart": (
            [data, grouped.repeat(1, 2, 1, 1)],
            {**apart, "group": 1},
            conv(data, grouped.repeat(1, 2, 1, 1), None, 1, (2, 1), (2, 1)),
        ),
        "conv of channels": (
            [data, alone, bias[:4]],
            {**wide, "group": 4},
            conv(data, alone, bias[:4], 1, (1, 2), 1, 4),
        ),
        "conv twice of channels": ([data, twice], {**same, "group": 4}, conv(data, twice, None, 1, 1, 1, 4)),
        "linear": ([rows, table, bias[:3]], {}, functional.linear(rows, table, bias[:3])),
        "clip": ([data], {"low": -0.5, "high": 0.25}, data.clamp(-0.5, 0.25)),
        "clip below": ([data], {"low": 0.0, "high": None}, data.relu()),
        "leaky": ([data], {"alpha": 0.1}, functional.leaky_relu(data, 0.1)),
        "sigmoid": ([data], {}, data.sigmoid()),
        "hard_sigmoid": ([data], {"alpha": 0.25, "beta": 0.5}, (data * 0.25 + 0.5).clamp(0, 1)),
        "hard_swish": ([data * 4], {}, functional.hardswish(data * 4)),
        "tanh": ([data], {}, data.tanh()),
        "add": ([data, like], {}, data + like),
        "sub": ([data, channel[0]], {}, data - channel[0]),
        "mul": ([channel, data], {}, channel * data),
        "div": ([data, torch.tensor(0.25)], {}, data / 0.25),
        **{name: ([data], settings, result) for name, (settings, result) in pools(data).items()},
        "mean": ([data], {}, data.mean((2, 3))),
        "max": ([rows], {}, rows.amax(1)),
        "softmax": ([rows], {}, rows.softmax(1)),
        "concat": ([data, like[:, :2]], {"axis": 1}, torch.cat([data, like[:, :2]], 1)),
        "pad": ([data], pads, functional.pad(data, (0, 1, 1, 2), value=0.5)),
        "reshape": ([rows], {}, rows.reshape(1, 14)),
        "strided": ([rows], {"strides": [1, 7], "offset": 2}, rows[:, 2:].T),
    }


def plan_of_case(inputs: list[Tensor], name: str, settings: dict[str, Any], result: Tensor) -> Plan:
    """A plan of one step from its first input, the others as constants."""
    image, *others = (one.numpy().astype(np.float32) for one in inputs)
    constants = {f"constant {number}": one for number, one in enumerate(others)}
    step = Step(name.split(maxsplit=1)[0], ("image", *constants), "result", tuple(result.shape), settings)
    return Plan("image", image.shape, constants, [step], "result")


def recorded() -> list[dict[str, Any]]:
    """All cases as JSON holds them."""
    return [
        {
            "name": name,
            "plan": plan_of_case(inputs, name, settings, result).described(),
            "inputs": [[round(value, 3) for value in one.flatten().tolist()] for one in inputs],
            "result": [float(f"{value:.6g}") for value in result.flatten().tolist()],
        }
        for name, (inputs, settings, result) in cases().items()
    ]
