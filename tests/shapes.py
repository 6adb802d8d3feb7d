"""The checker of shapes and types that `--jaxtyping-packages` in `pyproject.toml` names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from beartype import beartype
from jaxtyping import config


def checked(stand_in: Callable[..., Any]) -> Callable[..., Any]:
    """Beartype, without checking every argument twice.

    jaxtyping has two stand-ins for a function: one for its arguments, and one, after the call, for them and
    what it returned, which is a further argument named ret0. The second knows the sizes of axes from the
    first, so what was returned is all that is left to check.
    """
    returned = stand_in.__annotations__.get("return", Any)
    if returned is not Any and any(re.fullmatch(r"ret\d+", name) for name in stand_in.__annotations__):
        stand_in.__annotations__ = {"return": returned}
    # Functions within functions are made, and stood in for, whenever the outer one is called.
    return stand_in if config.jaxtyping_disable else beartype(stand_in)


@contextmanager
def unchecked() -> Iterator[None]:
    """No checks inside of the block: for many repetitions of what other tests check.

    Where arrays are small, checks are two thirds of the time.
    """
    before = config.jaxtyping_disable
    config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        config.update("jaxtyping_disable", before)
