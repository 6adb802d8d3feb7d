"""`BlackBox.gradients`: against finite differences, and what cuts them."""

import re

import pytest
import torch
from torch import nn

from tests.model.networks import Counting, images_of
from wcam_widget.model import BlackBox, Custom, Logit, ModelError


def test_gradients_are_those_of_finite_differences_whatever_the_batch():
    net = Counting().double().eval()
    rows = torch.rand(7, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    pattern = torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(4), dtype=torch.float64)

    def make(weights):
        return torch.einsum("nd,dchw->nchw", weights, pattern)

    scores, slopes = BlackBox(net, batch_size=3).gradients(rows, make, Logit(1))
    step = 1e-5
    for column in range(2):
        moved = rows.clone()
        moved[:, column] += step
        difference = (net(make(moved))[:, 1] - net(make(rows))[:, 1]) / step
        torch.testing.assert_close(slopes[:, column], difference, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(scores, net(make(rows))[:, 1].detach().float())


def test_gradients_halve_on_out_of_memory_and_keep_finished_rows():
    net = Counting(capacity=5)
    model = BlackBox(net, batch_size=16)
    _, slopes = model.gradients(images_of(13), lambda batch: batch, 0)
    _, whole = BlackBox(Counting()).gradients(images_of(13), lambda batch: batch, 0)
    torch.testing.assert_close(slopes, whole)
    assert net.batches == [4, 4, 4, 1] or net.batches == [3] * 4 + [1]
    assert sum(net.batches) == 13


class Cut(nn.Module):
    def __init__(self, how):
        super().__init__()
        self.how, self.head = how, nn.Linear(3, 2)

    def forward(self, images):
        means = images.mean(dim=(2, 3))
        if self.how == "detached":
            return self.head(means.detach())
        if self.how == "numpy":
            return torch.from_numpy(means.detach().numpy())
        return self.head(torch.sqrt(means * 0))  # an infinite slope


@pytest.mark.parametrize(
    ("model", "target", "message"),
    [
        (BlackBox(lambda images: images.mean(dim=(2, 3))), 0, "net: a plain callable has no gradients"),
        (BlackBox(Cut("detached")), 0, "net: its scores have no gradient path to the images"),
        (BlackBox(Cut("numpy")), 0, "net: its scores have no gradient path to the images"),
        (BlackBox(Cut("root")), 0, "net: the gradient is NaN or infinite for 2 of 2 images"),
        (
            BlackBox(Counting()),
            Custom(lambda scores: scores[:, 0].detach(), "cut"),
            "target: its value has no gradient",
        ),
    ],
)
def test_missing_gradients_say_what_cuts_them_and_what_to_use_instead(model, target, message):
    with pytest.raises(ModelError, match=re.escape(message)) as caught:
        model.gradients(images_of(2), lambda batch: batch, target)
    assert "Sobol needs no gradients" in str(caught.value)
