"""What is kept of a run: class scores in order, and an attribution that answers from its own rows alone."""

from __future__ import annotations

import gc
import sys
import warnings

import numpy as np
import pytest
import torch
from torch import Tensor

from wcam_widget import BlackBox, Screened, Sobol, Wcam
from wcam_widget.explain import run as run_module
from wcam_widget.explain.run import ScoreStore


def last(method, model, image: Tensor, target=None):
    *_, attribution = method.steps(model, image, target)
    return attribution


def test_many_class_scores_go_to_a_file_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "IN_MEMORY", 1000)
    store, rows = ScoreStore(classes=7), torch.randn(500, 7)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for part in rows.split(33):
            store.append(part)
        assert store.on_disk
        torch.testing.assert_close(store.read(120, 80), rows[120:200])
        store.truncate(100)
        store.append(rows[400:])
        torch.testing.assert_close(store.read(99, 2), torch.stack([rows[99], rows[400]]))
        branch = ScoreStore(7, store, 110)
        store.append(rows[:5])
        branch.append(rows[200:400])
        assert (len(store), len(branch)) == (205, 310)
        torch.testing.assert_close(branch.read(108, 4), torch.cat([rows[408:410], rows[200:202]]))
        torch.testing.assert_close(branch.read(300, 10), rows[390:400])
        branch.truncate(0)
        torch.testing.assert_close(branch.read(0, len(branch)), torch.cat([rows[:100], rows[400:410]]))
        del store, branch
        gc.collect()


def test_class_scores_that_the_end_of_the_interpreter_takes_apart_end_in_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run_module, "IN_MEMORY", 64)
    complaints: list = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    for rows in (1, 100):  # in memory, and on disk
        store = ScoreStore(2)
        store.append(torch.zeros(rows, 2))
        assert store.on_disk == (rows == 100)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            del vars(store)["_file"]  # before the store, whose turn has not come
            gc.collect()
    assert complaints == []


def test_class_scores_of_a_long_run_leave_the_memory() -> None:
    store = ScoreStore(1000)
    store.append(torch.rand(300, 1000))
    assert store.on_disk
    assert torch.equal(store.read(299, 1), store.read(299, 1))


def test_an_attribution_answers_from_its_own_rows_whatever_its_run_did_later(
    model: BlackBox, image: Tensor
) -> None:
    short, long = (Wcam(Sobol(rows=rows), levels=2, grid=4) for rows in (4, 16))
    steps = list(short.steps(model, image, 2))
    first, partial = steps[-1], steps[1]
    before = [one.for_target(3) for one in (partial, first)]
    *_, second = long.resume(first)
    for one, own, earlier in zip((partial, first), before, (partial, first), strict=True):
        answer = one.for_target(3)
        assert (answer.evaluations, own.evaluations) == (earlier.evaluations, earlier.evaluations)
        np.testing.assert_array_equal(answer.values, own.values)
        np.testing.assert_array_equal(answer.slope, own.slope)
    assert second.for_target(3).evaluations == second.evaluations > first.evaluations


def test_a_run_goes_on_twice_from_the_same_attribution(model: BlackBox, image: Tensor) -> None:
    first = last(Wcam(Screened(rows=2, gradient_rows=4, budget=250), levels=2, grid=4), model, image, 2)
    longer = Wcam(Screened(rows=8, gradient_rows=4, budget=700), levels=2, grid=4)
    (*_, once), (*_, twice) = longer.resume(first), longer.resume(first)
    assert once.evaluations == twice.evaluations > first.evaluations
    np.testing.assert_array_equal(once.values, twice.values)
    np.testing.assert_array_equal(once.for_target(1).values, twice.for_target(1).values)


def test_a_run_of_another_class_goes_on_with_that_class(model: BlackBox, image: Tensor) -> None:
    short, long = (Wcam(Sobol(rows=rows), levels=1, grid=2) for rows in (4, 8))
    turned = last(short, model, image, 2).for_target(3)
    *_, resumed = long.resume(turned)
    direct = last(long, model, image, 3)
    assert (resumed.target, resumed.score) == (direct.target, direct.score)
    np.testing.assert_array_equal(resumed.values, direct.values)
    np.testing.assert_array_equal(resumed.for_target(2).values, last(long, model, image, 2).values)


def test_screening_goes_on_for_another_class_with_rows_of_its_own_alone(
    model: BlackBox, image: Tensor
) -> None:
    first = last(Wcam(Screened(rows=4, gradient_rows=4), levels=2, grid=4), model, image, 2)
    *_, turned = Wcam(Screened(rows=16, gradient_rows=4), levels=2, grid=4).resume(first.for_target(3))
    assert turned.target == first.for_target(3).target
    assert turned.evaluations > first.evaluations
    np.testing.assert_array_equal(turned.for_target(3).values, turned.values)


@pytest.mark.parametrize(("few", "more"), [(4, 6), (2, 8)])
def test_more_rows_are_those_of_a_run_that_was_planned_with_them(few, more, model, image) -> None:
    short, long = (Wcam(Sobol(rows=rows), levels=1, grid=2) for rows in (few, more))
    *_, resumed = long.resume(last(short, model, image, 2))
    direct = last(long, model, image, 2)
    for one in (resumed, resumed.for_target(2)):
        np.testing.assert_array_equal(one.values, direct.values)
        np.testing.assert_array_equal(one.slope, direct.slope)
        np.testing.assert_array_equal(one.high, direct.high)
