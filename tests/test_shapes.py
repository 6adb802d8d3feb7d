"""Shapes are checked in every test: what is passed and what is returned, each once."""

from __future__ import annotations

import numpy as np
import pytest
from jaxtyping import Float, TypeCheckError, jaxtyped

from tests.shapes import checked, unchecked
from wcam_widget.evaluate.similarity import Ssim
from wcam_widget.sensitivity import Tree

Row = Float[np.ndarray, " n"]


class Counting(type):
    """Types that count how often a value is checked against them."""

    checks = 0

    def __instancecheck__(cls, value: object) -> bool:
        Counting.checks += 1
        return isinstance(value, int)


class Whole(metaclass=Counting):
    pass


@jaxtyped(typechecker=checked)
def tail(row: Row, start: int, *, ret0: int = 0) -> Row:
    return row[start:]


@jaxtyped(typechecker=checked)
def same(number: Whole) -> int:
    return number


def test_what_is_returned_must_have_the_axes_of_what_was_passed():
    np.testing.assert_array_equal(tail(np.ones(3), 0), np.ones(3))
    with pytest.raises(TypeCheckError, match="checking the return value of"):
        tail(np.ones(3), 1)


def test_what_is_passed_must_have_its_axes_and_types():
    for wrong in ((np.ones((3, 1)), 0), (np.ones(3), 0.5)):
        with pytest.raises(TypeCheckError, match="checking the parameters of"):
            tail(*wrong)
    with pytest.raises(TypeCheckError, match="checking the parameters of"):
        tail(np.ones(3), 0, ret0=0.5)


def test_an_argument_is_checked_once():
    Counting.checks = 0
    assert same(1) == 1
    assert Counting.checks == 1


def test_the_package_is_checked():
    with pytest.raises(TypeCheckError):
        Tree(np.zeros(3), ())
    with pytest.raises(TypeCheckError):
        Ssim(sigma="wide")


def test_checks_stop_for_a_block_and_come_back():
    with unchecked():
        assert len(tail(np.ones(3), 1)) == 2

        @jaxtyped(typechecker=checked)
        def inner(number: int) -> str:
            return number

        assert inner(0.5) == 0.5
    with pytest.raises(TypeCheckError):
        tail(np.ones(3), 1)
