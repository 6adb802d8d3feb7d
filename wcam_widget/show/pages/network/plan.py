"""What a page needs to run a network: operators in their order, and one block of weights."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from jaxtyping import Float, Int16, UInt8

from wcam_widget.show.frame import encode

VERSION = 1
LEVEL = 6  # of zlib: weights are noise, on which a higher one is slow and gains nothing
SMALL = 1024  # constants up to this size, such as biases, always have 32 bits
LARGEST = 32767


@final
@dataclass(frozen=True)
class Step:
    """One operator with everything that it needs besides its inputs.

    Args:
        operator: What the page calls it.
        inputs: Names of tensors.
        output: The name of what it makes.
        shape: The shape of that.
        settings: Numbers and lists of numbers by name.
    """

    operator: str
    inputs: tuple[str, ...]
    output: str
    shape: tuple[int, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)


@final
@dataclass(frozen=True, eq=False)
class Plan:
    """A network as steps from one image to one row of numbers.

    Args:
        image: The name of the input.
        shape: Its shape, one row.
        constants: float32 arrays by name.
        steps: In the order in which they run.
        output: The name of the result.

    >>> steps = [Step("add", ("image", "w"), "y", (1, 2))]
    >>> plan = Plan("image", (1, 2), {"w": np.ones(2, np.float32)}, steps, "y")
    >>> plan.parameters, plan.described()["steps"]
    (2, [{'op': 'add', 'in': [0, 1], 'shape': [1, 2]}])
    """

    image: str
    shape: tuple[int, ...]
    constants: Mapping[str, np.ndarray]
    steps: Sequence[Step]
    output: str

    @property
    def parameters(self) -> int:
        """How many numbers the constants have."""
        return sum(one.size for one in self.constants.values())

    def rounded(self) -> Plan:
        """The same plan with its large constants as the page has them where they are sent in 16 bits."""
        constants = {name: _rounded(one) if one.size > SMALL else one for name, one in self.constants.items()}
        return Plan(self.image, self.shape, constants, self.steps, self.output)

    def described(self, brief: Collection[str] = ()) -> dict[str, Any]:
        """The plan as JSON holds it, tensors by their numbers: the image, the constants, then the steps'.

        Args:
            brief: Names of the constants that are sent in 16 bits.
        """
        names = [self.image, *self.constants, *(step.output for step in self.steps)]
        numbers = {name: number for number, name in enumerate(names)}
        return {
            "image": {"shape": list(self.shape)},
            "constants": [
                {"shape": list(one.shape), "brief": name in brief} for name, one in self.constants.items()
            ],
            "steps": [
                {
                    "op": step.operator,
                    "in": [numbers[name] for name in step.inputs],
                    "shape": list(step.shape),
                    **step.settings,
                }
                for step in self.steps
            ],
            "output": numbers[self.output],
        }

    def encoded(self, answers: Mapping[str, Any], bits: int) -> bytes:
        """One deflated frame of the plan, its weights, and what is said of its answers.

        Args:
            answers: What the page makes of the numbers, as JSON.
            bits: 16: large constants are whole numbers of 16 bits with a scale for each row, first all high
                bytes and then all low bytes, since the former deflate and the latter do not; 32: as they are.
        """
        brief = [name for name, one in self.constants.items() if bits == 16 and one.size > SMALL]
        whole = [_whole_numbers(self.constants[name]) for name in brief]
        exact = [one.ravel() for name, one in self.constants.items() if name not in brief]
        pairs = np.concatenate([np.zeros(0, "<i2"), *(one.ravel() for one, _ in whole)]).view(np.uint8)
        nothing = np.zeros(0, np.float32)
        sections = {
            "answers": _text(answers),
            "plan": _text(self.described(brief)),
            "exact": np.concatenate([nothing, *exact]),
            "scales": np.concatenate([nothing, *(scales for _, scales in whole)]),
            "brief": np.concatenate([pairs[1::2], pairs[0::2]]),
        }
        return zlib.compress(encode({"kind": "network", "version": VERSION}, sections), LEVEL)


def _whole_numbers(
    values: Float[np.ndarray, "n ..."],
) -> tuple[Int16[np.ndarray, "n m"], Float[np.ndarray, " n"]]:
    """An array as whole numbers, and what one of them stands for in each of its rows."""
    rows = values.reshape(len(values), -1)
    scales = (np.abs(rows).max(axis=1) / LARGEST).astype(np.float32)
    scales[scales == 0] = 1.0
    return np.rint(rows / scales[:, None]).astype("<i2"), scales


def _rounded(values: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "n ..."]:
    whole, scales = _whole_numbers(values)
    rounded: np.ndarray = (whole * scales[:, None]).astype(np.float32)
    return rounded.reshape(values.shape)


def _text(value: Mapping[str, Any]) -> UInt8[np.ndarray, " n"]:
    """JSON, ASCII, as bytes."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return np.frombuffer(text.encode("ascii"), np.uint8)
