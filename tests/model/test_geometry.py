"""Where the network's input lies over the image, for what people do before a network."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import affine_grid, fold, grid_sample, interpolate, pad, unfold

from wcam_widget.model import BlackBox, ModelError
from wcam_widget.model.field_of_view import FieldOfView, Line
from wcam_widget.model.geometry import field_of_view


def resized(images: Tensor, shorter: int) -> Tensor:
    height, width = images.shape[2:]
    scale = shorter / min(height, width)
    size = int(height * scale), int(width * scale)
    return interpolate(images, size, mode="bilinear", antialias=True)


def resized_and_cropped(images: Tensor) -> Tensor:
    made = resized(images, 72)
    top, left = ((side - 64) // 2 for side in made.shape[2:])
    return made[..., top : top + 64, left : left + 64]


def letterboxed(images: Tensor) -> Tensor:
    height, width = images.shape[2:]
    made = interpolate(images, (48, round(48 * width / height)), mode="bicubic", antialias=True)
    return pad(made, (3, 3, 17, 15), value=0.5)


def eight_bits(images: Tensor) -> Tensor:
    return torch.stack([(image * 255).byte().float() / 255 for image in images])


def standardised(images: Tensor) -> Tensor:
    axes = (1, 2, 3)
    return (images - images.mean(axes, keepdim=True)) / images.std(axes, keepdim=True)


def stretched(images: Tensor) -> Tensor:
    low, high = images.amin((1, 2, 3), keepdim=True), images.amax((1, 2, 3), keepdim=True)
    return (images - low) / (high - low)


# What is done, the edges of the input in the image (top, bottom, left, right), and how exactly.
CROPPED = (16 / 3, 96 - 16 / 3, 112 / 3, 160 - 112 / 3)
AXIS_ALIGNED = {
    "normalised": (lambda b: (b - 0.45) / 0.22, (0, 96, 0, 160), 0),
    "sliced": (lambda b: b[..., 16:80, 48:112], (16, 80, 48, 112), 0),
    "resized": (lambda b: interpolate(b, (224, 224), mode="bilinear"), (0, 96, 0, 160), 0),
    "nearest": (lambda b: interpolate(b, (224, 224)), (0, 96, 0, 160), 0.5),
    "area": (lambda b: interpolate(b, (24, 40), mode="area"), (0, 96, 0, 160), 0),
    "resized and cropped": (resized_and_cropped, CROPPED, 0.01),
    "of eight bits": (lambda b: resized_and_cropped(eight_bits(b)), CROPPED, 0.1),
    "standardised": (lambda b: standardised(resized_and_cropped(b)), CROPPED, 0.3),
    "stretched in colour": (lambda b: stretched(b[..., 8:72, :]), (8, 72, 0, 160), 0.3),
    "with a gamma": (lambda b: resized_and_cropped(b**2.2), CROPPED, 0.1),
    "inverted": (lambda b: 1 - resized_and_cropped(b), CROPPED, 0.01),
    "in half precision": (lambda b: resized_and_cropped(b).half(), CROPPED, 0.1),
    "grey": (lambda b: b.mean(1, keepdim=True)[..., 4:], (0, 96, 4, 160), 0),
    "letterboxed": (letterboxed, (-34, 126, -6, 166), 0.1),
    "padded": (lambda b: pad(b, (10, 10, 20, 20)), (-20, 116, -10, 170), 0),
    "padded by mirroring": (lambda b: pad(b, (9, 9, 9, 9), mode="reflect"), (-9, 105, -9, 169), 0.01),
    "padded by its edge": (lambda b: pad(b, (9, 9, 9, 9), mode="replicate"), (-9, 105, -9, 169), 0.01),
    "flipped": (lambda b: b.flip(-1), (0, 96, 160, 0), 0),
    "cropped and flipped": (lambda b: b[..., 16:80, 48:112].flip(-2), (80, 16, 48, 112), 0),
    "space to channels": (lambda b: nn.functional.pixel_unshuffle(b, 2), (0, 96, 0, 160), 0),
}


def edges(view: FieldOfView) -> list[float]:
    return [
        at for line in (view.rows, view.columns) for at in (line.start, line.start + line.step * line.inner)
    ]


@pytest.mark.parametrize("name", AXIS_ALIGNED)
def test_what_moves_pixels_along_the_axes_is_measured(name):
    preprocess, expected, tolerance = AXIS_ALIGNED[name]
    view = field_of_view(BlackBox(nn.Flatten(), preprocess), torch.rand(3, 96, 160))
    assert edges(view) == pytest.approx(expected, abs=tolerance + 1e-6)
    assert view.input_size == tuple(preprocess(torch.rand(1, 3, 96, 160)).shape[2:])
    assert not view.turned


@pytest.mark.parametrize(
    ("preprocess", "expected"),
    [
        (lambda b: b.transpose(2, 3), (0, 96, 0, 160)),
        (lambda b: b.rot90(1, (2, 3)), (0, 96, 160, 0)),
        (lambda b: b[..., 10:30, :].rot90(-1, (2, 3)), (30, 10, 0, 160)),
    ],
)
def test_turns_by_right_angles_are_measured(preprocess, expected):
    view = field_of_view(BlackBox(nn.Flatten(), preprocess), torch.rand(3, 96, 160))
    assert view.turned
    assert edges(view) == pytest.approx(expected, abs=1e-6)
    image = torch.zeros(3, 96, 160)
    image[:, 12:18, 100:110] = 1.0
    seen = preprocess(image[None])[0]
    torch.testing.assert_close(view.over(seen)[:, 11:19, 95:115], image[:, 11:19, 95:115])


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 3), (5, 4), (8, 8), (28, 28), (33, 7)])
@pytest.mark.parametrize("side", [None, 32])
def test_small_images_are_measured_too(size, side):
    def preprocess(images: Tensor) -> Tensor:
        return images * 2 if side is None else interpolate(images, (side, side), mode="bilinear")

    view = field_of_view(BlackBox(nn.Flatten(), preprocess), torch.rand(3, *size))
    assert edges(view) == pytest.approx((0, size[0], 0, size[1]), abs=0.3)


def rotated(degrees: float):
    angle = math.radians(degrees)
    matrix = torch.tensor([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0]])
    return lambda b: grid_sample(
        b, affine_grid(matrix.repeat(len(b), 1, 1), list(b.shape), align_corners=False), align_corners=False
    )


def warped(images: Tensor) -> Tensor:
    grid = affine_grid(torch.eye(2, 3).repeat(len(images), 1, 1), list(images.shape), align_corners=False)
    return grid_sample(images, grid + 0.2 * torch.sin(3 * grid.flip(-1)), align_corners=False)


def shuffled_patches(images: Tensor) -> Tensor:
    patches = unfold(images, 16, stride=16)
    order = torch.randperm(patches.shape[2], generator=torch.Generator().manual_seed(0))
    return fold(patches[..., order], images.shape[2:], 16, stride=16)


REFUSED = {
    "rotated": (rotated(5.0), "preprocess: it does more than crop, pad, resize"),
    "warped": (warped, "it does more than crop"),
    "rolled": (lambda b: b.roll(20, -1), "it does more than crop"),
    "halves in each other's place": (lambda b: torch.cat([b[..., 80:], b[..., :80]], -1), "it does more"),
    "shuffled": (shuffled_patches, "it does more than crop"),
    "beside its mirror image": (lambda b: torch.cat([b, b.flip(-1)], 1), "it does more than crop"),
    "its spectrum": (lambda b: torch.fft.fft2(b).abs(), "it does more than crop"),
    "constant": (torch.zeros_like, "it does more than crop"),
    "tiles": (lambda b: torch.cat([b[..., :48, :80], b[..., 48:, 80:]]), "preprocess: made 2 pictures of 1"),
    "patches in a row": (lambda b: unfold(b, 16, stride=16), r"preprocess: returned shape \(1, 768, 60\)"),
    "cropped at random": (
        lambda b: b[..., int(torch.randint(0, 33, ())) :, :][..., :64, :],
        "preprocess: it does not do the same each time.* use Wcam",
    ),
    "flipped at random": (
        lambda b: b.flip(-1) if bool(torch.rand(()) < 0.5) else b,
        "preprocess: it does not do the same each time",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_more_is_refused_and_the_way_out_is_named(name):
    preprocess, message = REFUSED[name]
    torch.manual_seed(0)
    with pytest.raises(ModelError, match=message) as refused:
        field_of_view(BlackBox(nn.Flatten(), preprocess), torch.rand(3, 96, 160))
    assert "Wcam" in str(refused.value) or "returned" in str(refused.value)


def test_each_preprocess_and_size_is_measured_once():
    calls = []

    def preprocess(images: Tensor) -> Tensor:
        calls.append(len(images))
        return images[..., 4:]

    model = BlackBox(nn.Flatten(), preprocess)
    first = field_of_view(model, torch.rand(3, 32, 40))
    count = len(calls)
    assert field_of_view(model, torch.rand(3, 32, 40)) is first
    assert len(calls) == count
    assert field_of_view(model, torch.rand(3, 40, 40)) is not first
    model.preprocess = lambda images: images[..., 8:]
    assert field_of_view(model, torch.rand(3, 32, 40)).columns.start == 8


def test_maps_over_all_of_the_image_are_stretched_as_ever():
    maps = torch.rand(4, 7, 9)
    expected = interpolate(maps[:, None], (64, 80), mode="bilinear")[:, 0]
    assert torch.equal(FieldOfView.full((64, 80)).over(maps), expected)
    line = Line(0.0, 1.0, 64, 64), Line(1e-9, 1.0, 80, 80)
    by_weights = line[0].weights(7) @ maps @ line[1].weights(9).T
    torch.testing.assert_close(by_weights, expected)
