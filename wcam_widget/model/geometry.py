"""Where the network's input lies over the image: measured on ``preprocess``, which may crop, resize or pad.

Waves of grey are sent through ``preprocess``, in phases that are shifted step by step. What comes out at one
pixel tells by its own phase which place of the image it shows, whatever ``preprocess`` does to colours: gain
and offset cancel, also where they are those of the image. Waves of one and of two periods are sent, and
the product of the second with the conjugate of the first also cancels a sign. A straight line is fitted to
the places along each axis, and every pixel must lie on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Bool, Complex, Float
from torch import Tensor

from wcam_widget.model.blackbox import BlackBox
from wcam_widget.model.device import autocast, moved
from wcam_widget.model.field_of_view import EXACT, FieldOfView, Line
from wcam_widget.model.module_outputs import size_of
from wcam_widget.model.outputs import ModelError

PHASES = 8  # of a wave: so many keep the harmonics that a curve of colours adds out of the first one
REPEATS = 6  # calls with one picture, to tell whether ``preprocess`` draws at random
SMALLEST = 8  # pixels of a side below which a wave of two periods is sampled too coarsely
WEAK = 0.1  # of the strongest answer, below which a pixel shows nothing of the image
SLACK = 0.75  # pixels, of the image or of the input, by which a place may be off the line,
COARSE = 0.005  # and the share of the side that comes on top
# Periods, along the other axis, of what multiplies the waves, and of what is added to them in all phases, so
# that no phase changes the mean of the picture, or its spread by much: colours may be divided by either.
CARRIER, STILL = 8, (5, 6)
STRAY = 0.1  # share of the pixels that may be off, as those at borders are
MOST = 1 << 23  # numbers that are sent through ``preprocess`` at a time
INSTEAD = "maps of layers can not be laid over the image; use Wcam, which perturbs the image itself"

Preprocess = Callable[[Tensor], Tensor]


def field_of_view(model: BlackBox, image: Float[Tensor, "c h w"]) -> FieldOfView:
    """How the input of a model's network lies over its images that have the shape of ``image``.

    Measured once for a ``preprocess`` and a shape. Raises ModelError naming ``preprocess`` where its result
    is no image, or shows the image neither upright nor flipped nor turned by right angles, or not the same
    way each time.

    >>> crop = BlackBox(torch.nn.Flatten(), preprocess=lambda images: images[..., 2:8, :])
    >>> field_of_view(crop, torch.rand(3, 10, 12)).rows
    Line(start=2.0, step=1.0, inner=6, outer=10)
    """
    channels, height, width = image.shape
    shape = channels, height, width
    if model.preprocess is None:
        return FieldOfView.full((height, width))
    known = model.views.get(shape)
    if known is None or known[0] is not model.preprocess:
        with torch.no_grad(), autocast(model.device, reduced=False):
            known = model.preprocess, _measured(model.preprocess, shape, model.device)
        model.views[shape] = known
    view: FieldOfView = known[1]
    return view


def _measured(preprocess: Preprocess, shape: tuple[int, int, int], device: torch.device) -> FieldOfView:
    size = shape[1:]
    _ensure_steady(preprocess, shape, device)
    places = [_places(preprocess, shape, axis, device) for axis in (0, 1)]
    for turned in (False, True):
        down, along = (each.T if turned else each for each in places)
        rows, columns = _line(_smooth(down), size[0]), _line(_smooth(along.T), size[1])
        if rows is not None and columns is not None:
            return FieldOfView(rows, columns, turned)
    raise ModelError(
        "preprocess: it does more than crop, pad, resize, flip and turn by right angles (a rotation, a warp, "
        f"tiles or a transform of all pixels), so that {INSTEAD}"
    )


def _ensure_steady(preprocess: Preprocess, shape: tuple[int, int, int], device: torch.device) -> None:
    """Raise ModelError where the same picture does not come out about the same each time."""
    down, along = (_waves(side, 1)[1] for side in shape[1:])
    picture = moved((0.5 + (down[:, None] + along) / 2).expand(1, *shape).contiguous(), device)
    first, *others = (_ensure_pictures(preprocess(picture), 1) for _ in range(REPEATS + 1))
    span = first.max() - first.min()
    for other in others:
        if other.shape != first.shape or float(((other - first).abs() > 0.1 * span).double().mean()) > STRAY:
            raise ModelError(f"preprocess: it does not do the same each time, so that {INSTEAD}")


def _ensure_pictures(made: object, count: int) -> Float[Tensor, "n c h w"]:
    """What ``preprocess`` returned, as numbers; ModelError where these are not as many pictures."""
    if not isinstance(made, Tensor):
        raise ModelError(f"preprocess: returned {type(made).__qualname__}; accepted is a tensor")
    size_of(made)
    if len(made) != count:
        raise ModelError(f"preprocess: made {len(made)} pictures of {count}, so that {INSTEAD}")
    return made.detach().float().nan_to_num()


def _length(side: int) -> int:
    """The length of a wave of one period: of few pixels four times the side, whose part they can tell."""
    return side if side >= SMALLEST else 4 * side


def _waves(side: int, periods: int) -> Float[Tensor, "k s"]:
    """A wave of amplitude 0.2 over one side, in its phases."""
    places = periods * (torch.arange(side) + 0.5) / _length(side)
    shifts = torch.arange(PHASES) / PHASES
    return (0.2 * torch.cos(2 * math.pi * (places - shifts[:, None]))).float()


def _ripple(side: int, periods: int) -> Float[Tensor, " s"]:
    """Short waves over one side; 1 where it has too few pixels for them."""
    if side <= 4 * periods:
        return torch.ones(side, dtype=torch.float32)
    return torch.cos(2 * math.pi * periods * torch.arange(side) / side).float()


def _places(
    preprocess: Preprocess, shape: tuple[int, int, int], axis: int, device: torch.device
) -> Complex[Tensor, "h w"]:
    """For every pixel of the input a number whose phase tells its place in the image along one axis."""
    still = 0.25 * _ripple(shape[1], STILL[0])[:, None] * _ripple(shape[2], STILL[1])
    together = max(1, MOST // math.prod(shape))
    answers = []
    for periods in (1, 2):
        waves, other = _waves(shape[1 + axis], periods), shape[2 - axis]
        # The sign of the carrier cancels in the product below.
        carrier = _ripple(other, CARRIER)
        pictures = 0.5 + waves[:, :, None] * carrier
        pictures = pictures[:, None] if axis == 0 else pictures[:, None].mT
        pictures = pictures + still
        parts = [
            _ensure_pictures(preprocess(moved(part.expand(-1, *shape).contiguous(), device)), len(part))
            for part in torch.split(pictures, together)
        ]
        turns = torch.exp(2j * math.pi * torch.arange(PHASES) / PHASES).to(torch.complex64)
        answers.append(torch.einsum("k,kchw->chw", turns, torch.cat(parts).cpu().to(turns)))
    return (answers[1] * answers[0].conj()).sum(0)


def _smooth(numbers: Complex[Tensor, "h w"]) -> Complex[Tensor, "h w"]:
    """Means over a quarter of each row, over which the carrier's sign evens out what does not carry it."""
    parts = torch.view_as_real(numbers).permute(2, 0, 1)
    reach = parts.shape[2] // 8
    even = torch.nn.functional.avg_pool1d(parts, 2 * reach + 1, 1, reach, count_include_pad=False)
    return torch.view_as_complex(even.permute(1, 2, 0).contiguous())


def _line(places: Complex[Tensor, "h w"], side: int) -> Line | None:
    """The line on which the rows of the input lie over a side of the image; None where they lie on none."""
    strength = places.abs()
    if not bool((strength > 0).any()):
        return None
    shown = strength > WEAK * strength.max()
    count, length = len(places), _length(side)
    visible, centres = shown.any(1), torch.arange(count) + 0.5
    # The mean over a row, of directions.
    profile = (places / strength.clamp(min=torch.finfo(strength.dtype).tiny) * shown).sum(1)
    fitted = _fitted(centres[visible], _place(profile[visible], length), side, count)
    if fitted is None:
        return None
    start, step = fitted
    expected, place = (start + step * centres)[:, None], _place(places, length)
    allowed = _allowed(step, side)
    inside = (expected > 0) & (expected < side)
    if (
        not bool((shown & inside).any())
        or _share(_apart(place, expected, length)[shown & inside] > allowed) > STRAY
    ):
        return None
    # What fills a margin may repeat what is seen next to it, but be no part that was moved there.
    mirrored = [-expected, 1 - expected, 2 * side - expected, 2 * side - 1 - expected]
    filled = [expected.clamp(0.5, side - 0.5), *mirrored]
    off = torch.stack([_apart(place, each, length) for each in filled]).amin(0)[shown & ~inside]
    if len(off) and _share(off > allowed) > STRAY:
        return None
    line = Line(start, step, count, side)
    return Line(0.0, side / count, count, side) if line.is_all else line


def _place(numbers: Complex[Tensor, "..."], length: int) -> Float[Tensor, "..."]:
    """The place that phases stand for, in pixels from 0 to ``length``."""
    return (numbers.angle() * length / (2 * math.pi)) % length


def _apart(one: Float[Tensor, "..."], other: Float[Tensor, "..."], length: int) -> Float[Tensor, "..."]:
    """How far places are from each other on a ring of ``length``."""
    return ((one - other + length / 2) % length - length / 2).abs()


def _allowed(step: float, side: int) -> float:
    """How far from its line a place may be."""
    return SLACK * max(1.0, abs(step)) + COARSE * side


def _share(flags: Bool[Tensor, "..."]) -> float:
    return float(flags.double().mean())


def _fitted(
    centres: Float[Tensor, " n"], places: Float[Tensor, " n"], side: int, count: int
) -> tuple[float, float] | None:
    """Start and step of the line on which most of the places are; None where they do not move."""
    if side == 1 or count == 1:  # one pixel, or one row, tells no step: it is all there is
        first, last = float(centres[0]) - 0.5, float(centres[-1]) + 0.5
        return -first * side / (last - first), side / (last - first)
    # At its borders a resized image repeats its last pixel.
    clear = (places > 0.55) & (places < side - 0.55)
    if int(clear.sum()) >= 2:
        centres, places = centres[clear], places[clear]
    if len(places) < 2:
        return None
    x, y = centres.double(), places.double()
    apart = {max(1, len(x) // part) for part in (2, 4, 8)}
    steps = torch.cat([(y[far:] - y[:-far]) / (x[far:] - x[:-far]) for far in apart])
    starts = torch.cat([y[far:] for far in apart]) - steps * torch.cat([x[far:] for far in apart])
    near = (y - starts[:, None] - steps[:, None] * x).abs() <= SLACK * steps.abs().clamp(min=1)[:, None]
    best = near.sum(1).argmax()
    start, step = float(starts[best]), float(steps[best])
    for _ in range(3):  # least squares through those that are near
        close = (y - start - step * x).abs() <= SLACK * max(1.0, abs(step))
        if int(close.sum()) < 2:
            break
        u, v = x[close], y[close]
        step = float(((u - u.mean()) * (v - v.mean())).sum() / (u - u.mean()).square().sum())
        start = float(v.mean() - step * u.mean())
    if abs(step) * count < SLACK:
        return None
    edges = (start, start + step * count)
    first, last = (round(edge) if abs(edge - round(edge)) < EXACT else edge for edge in edges)
    return float(first), (last - first) / count
