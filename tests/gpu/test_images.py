"""Images made on an accelerator are those made on the CPU to 1e-5, with TensorFloat-32 allowed or not."""

import numpy as np
import pytest
import torch

from tests.gpu.accelerator import DEVICE, image, needs_cuda
from wcam_widget.basis import Cells, PixelBasis, WaveletBasis
from wcam_widget.explain import Perturbation
from wcam_widget.perturb import patches

pytestmark = needs_cuda

BASES = [
    PixelBasis((64, 72)),
    WaveletBasis((64, 72), "haar", 3),
    WaveletBasis((64, 72), "db4", 3),
    WaveletBasis((64, 72), "sym4", 2),
]
ATOL = 1e-5


def both(basis, **options):
    """The same perturbation on the CPU and on the accelerator."""
    cells = Cells.regular(basis, 4)
    return tuple(
        Perturbation.from_image(image().to(device), basis, cells, **options) for device in ("cpu", DEVICE)
    )


def rows(count, cells):
    return torch.rand(count, len(cells), generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("basis", BASES, ids=repr)
def test_coefficients_masks_and_inverse_transforms(basis):
    cpu, gpu = both(basis)
    torch.testing.assert_close(gpu.picture.cpu(), cpu.picture, atol=ATOL, rtol=0)
    weights = rows(5, cpu.cells)
    assert torch.equal(gpu.cells.paint(weights.to(DEVICE)).cpu(), cpu.cells.paint(weights))
    torch.testing.assert_close(basis.unpack(gpu.picture).cpu(), basis.unpack(cpu.picture), atol=ATOL, rtol=0)
    torch.testing.assert_close(gpu.images(weights).cpu(), cpu.images(weights), atol=ATOL, rtol=0)
    assert gpu.images(weights).device == DEVICE
    (slopes,) = (
        torch.autograd.grad(one.images(leaf).square().sum(), leaf)[0].cpu()
        for one in (gpu,)
        for leaf in (weights.to(DEVICE).requires_grad_(),)
    )
    leaf = weights.clone().requires_grad_()
    (expected,) = torch.autograd.grad(cpu.images(leaf).square().sum(), leaf)
    torch.testing.assert_close(slopes, expected, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("basis", BASES, ids=repr)
@pytest.mark.parametrize("kept", [patches.KEPT, 0], ids=["kept", "made each time"])
@pytest.mark.parametrize("clip", [False, True])
def test_images_of_one_cell_at_a_time(basis, kept, clip, monkeypatch):
    monkeypatch.setattr(patches, "KEPT", kept)
    cpu, gpu = both(basis, clip=clip)
    base, other = rows(2, cpu.cells)
    asked = [None, np.random.default_rng(0).permutation(len(cpu.cells))[:20]]
    for which in asked:
        count = len(cpu.cells) if which is None else len(which)
        wanted, found = (one.images_one_at_a_time(base, other, which) for one in (cpu, gpu))
        for start in range(0, count, 32):
            stop = min(count, start + 32)
            torch.testing.assert_close(found(start, stop).cpu(), wanted(start, stop), atol=ATOL, rtol=0)
