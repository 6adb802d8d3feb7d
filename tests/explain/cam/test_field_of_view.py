"""Maps of layers lie where the network looked, whatever is done to an image before it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

from wcam_widget import BlackBox, Cameras, GradCam, Sise
from wcam_widget.explain import AbstractMethod
from wcam_widget.explain.cam.gradcam import TITLES
from wcam_widget.model import ModelError

METHODS: dict[str, AbstractMethod] = {
    **{title: GradCam("features.1", variant) for variant, title in TITLES.items()},
    "Cameras": Cameras("features.1", sizes=(96, 128)),
    "Sise": Sise(["features.0", "features.1"]),
}
each_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


def cropped(images: Tensor) -> Tensor:
    """The middle two thirds, and a little to the right: shares, so that CAMERAS may ask at other sizes."""
    height, width = images.shape[2:]
    return images[..., height // 6 : height - height // 6, width * 3 // 10 : width * 8 // 10]


def letterboxed(images: Tensor) -> Tensor:
    height, width = images.shape[2:]
    side = max(images.shape[2:])
    top = (side - height) // 2
    return pad(images, (0, side - width, top, side - height - top))


PREPROCESSES = {
    "cropped": cropped,
    "cropped and resized": lambda b: interpolate(
        cropped(b), scale_factor=0.75, mode="bilinear", antialias=True
    ),
    "cropped and flipped": lambda b: cropped(b).flip(-1),
    "letterboxed": letterboxed,
    "turned": lambda b: b.transpose(2, 3),
}


class Looking(nn.Module):
    """Class 0 is red, class 1 green."""

    def __init__(self) -> None:
        super().__init__()
        conv, head = nn.Conv2d(3, 2, 1, bias=False), nn.Linear(2, 2, bias=False)
        with torch.no_grad():
            conv.weight.copy_(torch.eye(3)[:2, :, None, None])
            head.weight.copy_(torch.tensor([[4.0, -1.0], [-1.0, 4.0]]))
        self.features = nn.Sequential(conv, nn.Conv2d(2, 2, 4, 4, groups=2, bias=False))
        nn.init.constant_(self.features[1].weight, 1 / 16)
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.features(images).mean((2, 3)))


@pytest.fixture
def image() -> Tensor:
    """A red square at rows 48 to 56 and columns 104 to 112 of 96 x 160, on grey."""
    made = torch.full((3, 96, 160), 0.2)
    made[0, 48:56, 104:112], made[1:, 48:56, 104:112] = 1.0, 0.0
    return made


@each_method
@pytest.mark.parametrize("name", PREPROCESSES)
def test_a_map_lies_where_the_network_looked_and_is_zero_outside(method, name, image):
    (found,) = method(BlackBox(Looking(), PREPROCESSES[name]), image[None], [0])
    heat = found.spatial()
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    assert 46 <= row <= 57
    assert 102 <= column <= 113
    if name.startswith("cropped"):
        blind = np.ones((96, 160), bool)
        blind[16:80, 48:128] = False
        assert not heat[blind].any()
        assert heat[~blind].any()


@each_method
def test_colours_alone_leave_maps_as_they_were_to_the_bit(method, image):
    class Normalised(Looking):
        def forward(self, images: Tensor) -> Tensor:
            return super().forward(images * 2 - 0.5)

    (inside,) = method(Normalised(), image[None], [0])
    (before,) = method(BlackBox(Looking(), lambda b: b * 2 - 0.5), image[None], [0])
    np.testing.assert_array_equal(before.values, inside.values)


@each_method
def test_other_changes_of_place_are_refused(method, image):
    model = BlackBox(Looking(), lambda b: b.roll(40, -1))
    with pytest.raises(ModelError, match=r"preprocess: it does more than crop, pad, .* use Wcam"):
        method(model, image[None], [0])
