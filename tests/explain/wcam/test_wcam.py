"""Wcam end to end on a real (tiny) network, and everything that can be asked wrongly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from wcam_widget import BlackBox, Derivative, Logit, Margin, Probability, Screened, Sobol, Wcam
from wcam_widget.sensitivity import Kind


def last(method: Wcam, model, image: Tensor, target=None):
    *_, attribution = method.steps(model, image, target)
    return attribution


@pytest.mark.parametrize("wavelet", ["haar", "db4", "pixels"])
def test_all_ones_reproduce_the_score(wavelet: str, model: BlackBox, image: Tensor) -> None:
    probe = Wcam(wavelet=wavelet, levels=2, grid=4).probe(model, image, "cat")
    score = float(model.logits(image[None])[0, 2])
    assert probe.score == pytest.approx(score, abs=1e-5)
    assert float(probe(torch.ones(1, len(probe.cells)))[0]) == pytest.approx(score, abs=1e-4)


def test_exchanged_rows_score_as_whole_rows_do(model: BlackBox, image: Tensor) -> None:
    probe = Wcam(wavelet="db2", levels=2, grid=4).probe(model, image)
    a, b = torch.rand(2, len(probe.cells), generator=torch.Generator().manual_seed(0))
    rows = torch.where(torch.eye(len(a), dtype=torch.bool), b, a)
    torch.testing.assert_close(probe.one_at_a_time(a, b), probe(rows), atol=1e-4, rtol=0)


def test_gradients_are_those_of_finite_differences(model: BlackBox, image: Tensor) -> None:
    probe = Wcam(levels=1, grid=2).probe(model, image)
    weights = torch.full((1, len(probe.cells)), 0.5)
    scores, slopes = probe.gradient(weights)
    torch.testing.assert_close(scores, probe(weights), atol=1e-4, rtol=0)
    step = torch.eye(len(probe.cells)) * 1e-2
    numeric = (probe(weights + step) - probe(weights - step)) / 2e-2
    torch.testing.assert_close(slopes[0], numeric, atol=5e-3, rtol=0.05)


def test_both_analyses_see_the_same_cells(model: BlackBox, image: Tensor) -> None:
    sobol = last(Wcam(Sobol(rows=64), levels=2, grid=2), model, image)
    derivative = last(Wcam(Derivative(rows=64), levels=2, grid=2), model, image)
    assert spearmanr(sobol.values, derivative.values)[0] > 0.9
    assert (derivative.low <= sobol.high).mean() > 0.95
    assert set(derivative.kind) == {Kind.BOUNDED}
    assert sobol.profile().shapley.sum() == pytest.approx(1)


def test_a_model_that_reads_one_band_at_one_place_gets_that_cell() -> None:
    # Vertical stripes of two pixels in one corner: the finest HL band, top left.
    pattern = torch.zeros(1, 1, 32, 32)
    pattern[..., :8, 0:8:2], pattern[..., :8, 1:8:2] = 1.0, -1.0
    net = lambda images: (images * pattern).sum((1, 2, 3))[:, None]  # noqa: E731
    image = 0.5 + 0.4 * pattern[0].repeat(3, 1, 1)
    image[:, 16:, 16:] = torch.rand(16, 16, generator=torch.Generator().manual_seed(0))
    attribution = last(Wcam(Sobol(rows=8), levels=2, grid=4), net, image)
    top = int(attribution.values.argmax())
    assert top == attribution.cells.in_band("HL1")[0]
    # Nothing else matters: the exact index is 1, and every other cell's exactly 0.
    assert attribution.low[top] <= 1 <= attribution.high[top]
    assert np.delete(attribution.values, top).max() < 1e-6
    totals = dict(zip(attribution.profile().names, attribution.profile().shapley, strict=True))
    assert totals["HL1"] == pytest.approx(1.0, abs=1e-4)


def test_streams_partial_maps_and_stops_when_asked(model: BlackBox, image: Tensor) -> None:
    steps = Wcam(Derivative(rows=16)).steps(model, image)
    first = next(steps)
    assert not first.complete
    assert first.stop == ""
    assert 0 < first.done < first.planned
    steps.close()
    complete = last(Wcam(Derivative(rows=16)), model, image)
    assert complete.complete
    assert complete.done == complete.planned
    assert complete.stop == "all planned rows are done"


def test_default_analysis_follows_the_model(model: BlackBox, tiny: nn.Module) -> None:
    assert isinstance(Wcam().analysis_for(model), Screened)
    assert isinstance(Wcam().analysis_for(BlackBox(tiny.forward)), Sobol)
    with pytest.raises(
        ValueError,
        match=r"analysis=Derivative\(.* needs gradients, which plain callables .* do not give; use Sobol\(\)",
    ):
        Wcam(Derivative()).analysis_for(BlackBox(tiny.forward))


def test_the_default_is_a_screen_where_there_are_gradients_and_sobol_where_there_are_none(
    model: BlackBox, image: Tensor
) -> None:
    for given, name in ((model, "Screened"), (lambda images: images.mean((2, 3)), "Sobol")):
        (found,) = Wcam(levels=1, grid=2)(given, image[None], [0])
        assert found.complete
        assert name in found.method


def test_a_batch_explains_each_image_with_its_own_target(model: BlackBox, image: Tensor) -> None:
    images = torch.stack([image, image.flip(2)])
    both = Wcam(Derivative(rows=4))(model, images, ["bee", Probability(3)])
    assert [attribution.target for attribution in both] == ["logit of bee", "probability of dog"]
    alone = Wcam(Derivative(rows=4))(model, images[:1], [Logit(1)])
    np.testing.assert_array_equal(alone[0].values, both[0].values)
    assert Wcam(Derivative(rows=4))(model, images[:1], [Margin(0, 1)])[0].target == "margin of ant over bee"


def test_a_constant_score_is_explained_not_divided_by(image: Tensor) -> None:
    class Blind(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images.flatten(1).mean(1, keepdim=True) * 0 + 2.0

    for analysis in (Sobol(rows=4), Derivative(rows=4)):
        attribution = last(Wcam(analysis, levels=1, grid=2), BlackBox(Blind()), image)
        assert not attribution.values.any()
        assert "the score did not change under any perturbation" in attribution.stop


def test_the_network_is_left_as_found(tiny: nn.Module, image: Tensor) -> None:
    tiny.train()
    tiny.conv2.eval()
    for parameter in tiny.parameters():
        parameter.requires_grad_(False)
    before = {name: value.clone() for name, value in tiny.state_dict().items()}
    try:
        last(Wcam(Derivative(rows=4)), BlackBox(tiny), image)
        assert [module.training for module in (tiny, tiny.conv1, tiny.conv2)] == [True, True, False]
        assert all(parameter.grad is None and not parameter.requires_grad for parameter in tiny.parameters())
        assert all(not module._forward_hooks for module in tiny.modules())
        for name, value in tiny.state_dict().items():
            assert torch.equal(value, before[name])
    finally:
        tiny.eval()
        tiny.requires_grad_(requires_grad=True)


def test_an_interrupt_keeps_the_partial_map_and_leaves_no_trace(tiny: nn.Module, image: Tensor) -> None:
    class Interrupting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.calls = tiny, 0

        def forward(self, images: Tensor) -> Tensor:
            self.calls += 1
            if self.calls == 12:
                raise KeyboardInterrupt
            return self.inner(images)

    net = Interrupting().train()
    with pytest.warns(UserWarning, match="interrupted: 1 of 2 images are returned"):
        (partial,) = Wcam(Derivative(rows=16))(net, torch.stack([image, image]))
    assert not partial.complete
    assert partial.stop.startswith("interrupted")
    assert np.isfinite(partial.spatial()).all()
    assert net.training
    again = Interrupting()
    again.calls = 11
    with pytest.raises(KeyboardInterrupt):
        Wcam()(again, image[None])


@pytest.mark.parametrize(
    ("method", "given", "target", "message"),
    [
        (Wcam(wavelet="db99"), (3, 64, 64), None, "wavelet='db99' is not a discrete wavelet"),
        (Wcam(levels=9), (3, 64, 64), None, "levels=9 does not fit an image of 64x64"),
        (Wcam(grid=9), (3, 64, 64), None, "grid=9 cells per side do not fit"),
        (Wcam(baseline="grey"), (3, 64, 64), None, "baseline='grey' is unknown"),
        (Wcam(), (64, 64), None, "image"),
        (Wcam(), (2, 64, 64), None, "image"),
        (Wcam(), (3, 64, 64), 7, "target"),
        (Wcam(), (3, 64, 64), "bea", "target.*bee"),
    ],
    ids=str,
)
def test_wrong_questions_are_refused_by_name(method, given, target, message, model: BlackBox) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        list(method.steps(model, torch.rand(*given), target))


def test_wrong_batches_are_refused_by_name(model: BlackBox, image: Tensor) -> None:
    with pytest.raises(ValueError, match="targets has 2 entries for 1 images"):
        Wcam()(model, image[None], [0, 1])
    with pytest.raises((ValueError, TypeError), match="images"):
        Wcam()(model, image)
    with pytest.raises(ValueError, match="image"):
        Wcam()(model, image[None] * 300)
