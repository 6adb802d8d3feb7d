"""What a run leaves behind: other targets, more rows, comparisons, tests over all cells."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from wcam_widget import BlackBox, Derivative, Hsic, Margin, Probability, Refined, Screened, Sobol, Wcam
from wcam_widget.perturb.steadiness import AFTER, BEFORE
from wcam_widget.sensitivity import Kind


def last(method, model, image: Tensor, target=None):
    *_, attribution = method.steps(model, image, target)
    return attribution


class Counting(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.images = inner, 0

    def forward(self, images: Tensor) -> Tensor:
        self.images += len(images)
        return self.inner(images)


@pytest.mark.parametrize("analysis", [Sobol(rows=4), Hsic(rows=64)], ids=repr)
@pytest.mark.parametrize("target", [3, "bee", Probability(1), Margin(0, 4)], ids=str)
def test_another_target_needs_no_forward_and_gets_its_own_map(
    analysis, target, tiny: nn.Module, model: BlackBox, image: Tensor
) -> None:
    counted = Counting(tiny)
    method = Wcam(analysis, levels=1, grid=4)
    box = BlackBox(counted, class_names=model.class_names)
    first = last(method, box, image, "cat")
    asked = counted.images
    other, direct = first.for_target(target), last(method, model, image, target)
    assert counted.images == asked
    assert other.target == direct.target
    assert other.score == pytest.approx(direct.score, abs=1e-6)
    np.testing.assert_allclose(other.values, direct.values, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(other.high, direct.high, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(
        other.profile().shapley, direct.profile().shapley, rtol=1e-3, atol=1e-4, equal_nan=True
    )


@pytest.fixture(scope="module")
def exact(tiny: nn.Module, image: Tensor):
    """The map of class 1, made of many rows."""
    return last(Wcam(Sobol(rows=32, seed=9), levels=2, grid=4), BlackBox(tiny), image, 1)


@pytest.mark.parametrize("analysis", [Screened(rows=256, gradient_rows=8), Refined(rows=8)], ids=repr)
def test_another_target_after_a_search_is_bounded_where_the_search_did_not_go(
    analysis, exact, model: BlackBox, image: Tensor
) -> None:
    method = Wcam(analysis, levels=2, grid=4)
    found = last(method, model, image, 0)
    other = found.for_target(1)
    assert other.evaluations == found.evaluations
    assert (other.kind == Kind.ESTIMATED).any()
    assert np.mean((other.low <= exact.high) & (exact.low <= other.high)) > 0.9
    again = found.for_target(0)
    measured = (found.kind == Kind.ESTIMATED) & (again.kind == Kind.ESTIMATED)
    assert measured.any()
    # Derivatives are not kept: their scores are missing from the variance, and nothing else is expected of
    # a cell than an even share of its band.
    overlap = (again.low <= found.high) & (found.low <= again.high)
    assert overlap[measured].all()
    assert np.corrcoef(np.log(again.values[measured]), np.log(found.values[measured]))[0, 1] > 0.8


def test_targets_that_cannot_be_asked_are_refused(model: BlackBox, image: Tensor, tmp_path) -> None:
    derivative = last(Wcam(Derivative(rows=2)), model, image)
    with pytest.raises(ValueError, match=r"derivatives of Derivative\(\) belong to the target"):
        derivative.for_target(1)
    sobol = last(Wcam(Sobol(rows=2), levels=1, grid=2), model, image)
    with pytest.raises(ValueError, match="target"):
        sobol.for_target("bea")
    loaded = type(sobol).load(sobol.save(tmp_path / "map"))
    with pytest.raises(ValueError, match="no class scores to go by: it was read from a file"):
        loaded.for_target(1)


def test_a_run_goes_on_where_it_was_interrupted(model: BlackBox, tiny: nn.Module, image: Tensor) -> None:
    class Interrupting(Counting):
        def forward(self, images: Tensor) -> Tensor:
            if self.images > 300:
                self.images = -(10**9)
                raise KeyboardInterrupt
            return super().forward(images)

    method = Wcam(Sobol(rows=8), levels=2, grid=4)
    with pytest.warns(UserWarning, match="interrupted"):
        (partial,) = method(BlackBox(Interrupting(tiny), batch_size=32), image[None], [2])
    assert 0 < partial.evaluations < partial.planned
    *_, whole = method.resume(partial)
    direct = last(method, model, image, 2)
    np.testing.assert_array_equal(whole.values, direct.values)
    assert whole.evaluations == direct.evaluations
    assert whole.complete
    np.testing.assert_allclose(
        whole.for_target(3).values, last(method, model, image, 3).values, rtol=1e-4, atol=1e-7
    )


def test_a_larger_budget_goes_on_where_a_smaller_one_ended(model: BlackBox, image: Tensor) -> None:
    small = last(Wcam(Screened(rows=4, gradient_rows=4, budget=400), levels=2, grid=4), model, image)
    assert "raise" in small.stop
    *_, large = Wcam(Screened(rows=32, gradient_rows=4, budget=1500), levels=2, grid=4).resume(small)
    assert large.evaluations > small.evaluations
    assert (large.kind == Kind.ESTIMATED).sum() >= (small.kind == Kind.ESTIMATED).sum()
    with pytest.raises(ValueError, match=r"analysis=Sobol\(.*cannot go on from Screened"):
        next(Wcam(Sobol()).resume(large))


def test_clean_and_corrupted_differ_where_they_were_made_to(image: Tensor) -> None:
    # The score reads vertical stripes in one corner of the image, which the corruption blurs away.
    pattern = torch.zeros(1, 1, 64, 64)
    pattern[..., :16, 0:16:2], pattern[..., :16, 1:16:2] = 1.0, -1.0
    ramp = torch.linspace(0, 1, 64)[None, None, :, None]
    net = lambda images: (images * (pattern + 0.2 * ramp)).sum((1, 2, 3))[:, None]  # noqa: E731
    clean = (image * 0.5 + 0.25 * (1 + pattern[0])).clamp(0, 1)
    corrupted = clean.clone()
    corrupted[:, :16, :16] = clean[:, :16, :16].unflatten(2, (8, 2)).mean(3).repeat_interleave(2, 2)
    method = Wcam(Sobol(rows=16), levels=2, grid=4)
    before, after = (last(method, net, one) for one in (clean, corrupted))
    difference = before.compare(after)
    top = before.cells.in_band("HL1")[0]
    assert difference.cells.low[top] > 0
    assert difference.cells.p < 0.01
    names = list(before.profile().names)
    assert int(difference.groups.value.argmax()) == names.index("HL1")
    same = before.compare(before)
    assert same.cells.p == 1.0
    assert same.cells.distance == 0.0
    with pytest.raises(ValueError, match=r"other was made by 'Wcam · Sobol · haar, 1"):
        before.compare(last(Wcam(Sobol(rows=2), levels=1, grid=4), net, clean))


def test_cells_that_matter_are_found_with_all_tested_at_once() -> None:
    weights = torch.zeros(1, 1, 32, 32)
    weights[..., 2:6, 2:6] = 1.0
    net = lambda images: (images * weights).sum((1, 2, 3))[:, None]  # noqa: E731
    found = last(Wcam(Sobol(rows=64), wavelet="pixels", grid=8, baseline="black"), net, torch.ones(3, 32, 32))
    expected = np.zeros((8, 8), bool)
    expected[:2, :2] = True
    assert found.matters().reshape(8, 8).tolist() == expected.tolist()
    assert found.matters(threshold=0.0).sum() == 4
    assert found.matters(threshold=0.9).sum() == 0
    assert found.matters(0.1, control="benjamini-hochberg").sum() == 4
    wide, narrow = found.intervals(confidence=0.99), found.intervals(confidence=0.8)
    assert (wide[1] >= narrow[1]).all()
    low, high = found.intervals("bootstrap")
    assert ((low <= found.values) & (found.values <= high)).all()
    with pytest.raises(ValueError, match="kind='bayes' is unknown; student, bootstrap"):
        found.intervals("bayes")
    (published,) = Wcam.as_published(grid=4, rows=2, levels=2)(net, torch.rand(1, 3, 32, 32))
    with pytest.raises(ValueError, match="matters needs independent replicates"):
        published.matters()


@pytest.mark.parametrize("analysis", [Sobol(rows=4), Screened(rows=4, gradient_rows=4)], ids=repr)
def test_maps_averaged_over_shifts(analysis, model: BlackBox, image: Tensor) -> None:
    method = Wcam(analysis, "db2", levels=2, grid=4).spun(3)
    steps = list(method.steps(model, image))
    final = steps[-1]
    assert [step.complete for step in steps].count(True) == 1
    costs = [step.done for step in steps]
    assert costs == sorted(costs)
    assert final.planned >= final.done
    assert final.method.endswith("mean of 3 shifts")
    parts = [one.run.estimate() for one in final.traces]
    np.testing.assert_allclose(final.values, np.mean([part.value for part in parts], axis=0))
    assert (final.low <= final.values).all()
    assert (final.values <= final.high).all()
    assert final.profile().shapley.sum() == pytest.approx(1.0)
    assert len({one.probe.basis.shift for one in final.traces}) == 3
    with pytest.raises(ValueError, match="spins=1 must be a number of shifts"):
        Wcam().spun(1)


@pytest.mark.parametrize("where", ["pixels", "fourier"])
def test_the_same_question_in_other_bases(where: str, model: BlackBox, image: Tensor) -> None:
    found = last(Wcam(Sobol(rows=8), where, grid=4), model, image)
    assert found.spatial().shape == (64, 64)
    assert found.values.max() > 0
    hsic = last(Wcam(Hsic(rows=200), where, grid=4), model, image)
    assert hsic.evaluations == 200 + BEFORE + AFTER
    assert "HSIC" in hsic.unit


def test_what_a_run_leaves_behind_does_not_pile_up(model: BlackBox, image: Tensor) -> None:
    method = Wcam(Sobol(rows=2), levels=1, grid=2)
    few, many = method(model, image.expand(2, -1, -1, -1)), method(model, image.expand(17, -1, -1, -1))
    assert all("_patches" not in one.traces[0].probe.perturbation.__dict__ for one in few)
    assert [len(one.traces) for one in few] == [1, 1]
    assert [len(one.traces) for one in many] == [0] * 17
    assert few[0].for_target(1).target == "logit of bee"
    with pytest.raises(ValueError, match="explain the image by itself"):
        many[0].for_target(1)


def test_a_kept_attribution_can_let_go_of_its_run_and_the_network() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    (kept,) = Wcam(Sobol(rows=2), levels=1, grid=2)(net, torch.rand(1, 3, 16, 16), [0])
    light, gone = kept.alone(), weakref.ref(net)
    np.testing.assert_array_equal(light.values, kept.values)
    with pytest.raises(ValueError, match="for_target has no class scores"):
        light.for_target(1)
    del kept, net
    gc.collect()
    assert gone() is None
