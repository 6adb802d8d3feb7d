"""What methods and ``explore`` take as images and targets."""

import numpy as np
import pytest
import torch
from PIL import Image

from wcam_widget import BlackBox, GradCam, Logit, Sobol, Wcam, explore
from wcam_widget.explain.method import ensure_targets

PIXELS = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)


@pytest.fixture
def model():
    torch.manual_seed(0)
    pool = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, padding=1), torch.nn.ReLU(), pool)
    return BlackBox(net, class_names=("cat", "dog", "owl", "fox"))


@pytest.mark.parametrize(
    "target",
    [3, "fox", np.int64(3), torch.tensor(3), Logit(3), [3, "fox"], torch.tensor([3, 3]), (3, Logit(3))],
)
def test_one_target_serves_all_images_or_each_has_its_own(model, target):
    found = GradCam()(model, torch.rand(2, 3, 16, 16), target)
    assert [one.target for one in found] == ["logit of fox"] * 2


@pytest.mark.parametrize("targets", [{3: 1}, {3}, 2.5, object()])
def test_what_is_no_target_is_refused(targets):
    with pytest.raises(TypeError, match="targets: found"):
        ensure_targets(targets, 2)
    with pytest.raises(ValueError, match=r"targets: found shape \(2, 4\)"):
        ensure_targets(torch.zeros(2, 4), 2)


def test_every_spelling_of_one_image_has_one_map(model, tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "p.png")
    tensor = torch.from_numpy(PIXELS)
    spellings = [
        PIXELS,
        tensor,
        tensor.permute(2, 0, 1),
        PIXELS[None],
        Image.fromarray(PIXELS),
        tmp_path / "p.png",
    ]
    wcam = Wcam(Sobol(rows=2), levels=1, grid=2)
    expected = wcam(model, tensor.permute(2, 0, 1)[None].float() / 255, 1)[0].values
    for image in spellings:
        (found,) = wcam(model, [image], 1)
        np.testing.assert_allclose(found.values, expected, atol=1e-4)
        with explore(model, image, 1, wcam) as explorer:
            np.testing.assert_allclose(explorer.wait().values, expected, atol=1e-4)
