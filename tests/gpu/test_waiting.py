"""The host runs ahead of the device: nothing between the first batch of a row and its scores waits."""

import numpy as np
import pytest
import torch

from tests.gpu.accelerator import DEVICE, image, needs_cuda, network, no_waiting
from wcam_widget.basis import Cells, PixelBasis, WaveletBasis
from wcam_widget.explain import Perturbation
from wcam_widget.model import BlackBox, Logit, batches, blackbox
from wcam_widget.model.device import moved

pytestmark = needs_cuda

BASES = [PixelBasis((64, 72)), WaveletBasis((64, 72), "haar", 3), WaveletBasis((64, 72), "db4", 3)]


@pytest.mark.parametrize("basis", BASES, ids=repr)
@pytest.mark.parametrize("count", [None, 10])
def test_rows_are_made_without_waiting(basis, count):
    cells = Cells.regular(basis, 4)
    perturbation = Perturbation.from_image(image().to(DEVICE), basis, cells)
    which = None if count is None else np.random.default_rng(0).permutation(len(cells))[:count]
    base, other = torch.rand(2, len(cells))
    perturbation.images_one_at_a_time(base, other, which)(0, 5)  # makes the patches, once
    total = len(cells) if which is None else len(which)
    with no_waiting():
        make = perturbation.images_one_at_a_time(other, base, which)
        for start in range(0, total, 16):
            make(start, min(total, start + 16))
        perturbation.images(torch.rand(6, len(cells)))


def test_batches_are_scored_without_waiting_until_their_scores_are_brought(monkeypatch):
    waits = []
    bring = batches.Gathered._bring

    def waiting(gathered):
        waits.append(len(gathered._waiting))
        torch.cuda.set_sync_debug_mode("default")
        bring(gathered)
        torch.cuda.set_sync_debug_mode("error")

    def checked(slopes):
        torch.cuda.set_sync_debug_mode("default")
        ensure_finite_slopes(slopes)

    ensure_finite_slopes = blackbox.ensure_finite_slopes
    monkeypatch.setattr(batches.Gathered, "_bring", waiting)
    monkeypatch.setattr(blackbox, "ensure_finite_slopes", checked)
    basis = WaveletBasis((64, 72), "haar", 3)
    perturbation = Perturbation.from_image(image().to(DEVICE), basis, Cells.regular(basis, 4))
    base, other = torch.rand(2, len(perturbation.cells))
    model = BlackBox(network(DEVICE), batch_size=16)
    make = perturbation.images_one_at_a_time(base, other)
    model.logits_of(make, 3)
    rows = torch.rand(20, len(base), device=DEVICE)
    model.gradients(rows[:3], perturbation.images, Logit(0))
    waits.clear()
    with no_waiting():
        model.logits_of(make, 40)
    assert waits == [3]
    with no_waiting():
        model.gradients(rows, perturbation.images, Logit(0))
    assert waits == [3, 2, 2]


def test_what_is_moved_arrives_whole():
    values = torch.arange(10**6)
    with no_waiting():
        there = moved(values, DEVICE)
    assert torch.equal(there.cpu(), values)
    assert moved(there, DEVICE) is there
