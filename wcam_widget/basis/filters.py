"""What wavelets and packets share: filters, sizes of padded bands, where tiles begin, images of blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches

import pywt
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from wcam_widget.basis import haar

# The discrete Meyer filters are truncated and invert to 4e-3 only; each pass shrinks the error as much again.
CORRECTIONS = {"dmey": 3}


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Run in float32 as it is: neither autocast nor, on CUDA, TF32, which is off by 1e-3 in convolutions.

    >>> with full_precision(torch.device("cpu")):
    ...     torch.is_autocast_enabled("cpu")
    False
    """
    cudnn = torch.backends.cudnn
    with torch.autocast(device.type, enabled=False):
        if device.type != "cuda":
            yield
            return
        kept = {"enabled": cudnn.enabled, "benchmark": cudnn.benchmark, "deterministic": cudnn.deterministic}
        with cudnn.flags(**kept, allow_tf32=False):
            yield


def ensure_wavelet(wavelet: str) -> pywt.Wavelet:
    """The filters of a discrete wavelet; ValueError suggesting names near an unknown one.

    >>> ensure_wavelet("db2").dec_len
    4
    """
    known = pywt.wavelist(kind="discrete")
    if wavelet not in known:
        near = ", ".join(get_close_matches(str(wavelet), known)) or "haar, db4, sym4, bior4.4"
        raise ValueError(
            f"wavelet={wavelet!r} is not a discrete wavelet of PyWavelets; did you mean {near}? "
            'pywt.wavelist(kind="discrete") lists all'
        )
    return pywt.Wavelet(wavelet)


def ensure_levels(levels: int, size: tuple[int, int]) -> int:
    """A number of levels that fits an image, or a ValueError with those that do."""
    most = most_levels(size)
    if not 1 <= levels <= most:
        fitting = "1 level does" if most == 1 else f"1 to {most} levels do"
        raise ValueError(f"levels={levels} does not fit an image of {size[0]}x{size[1]} pixels; {fitting}")
    return levels


def most_levels(size: tuple[int, int]) -> int:
    """How often the shorter side of an image can be halved; once in any case.

    Args:
        size: Height and width in pixels.

    Examples:
        >>> most_levels((32, 20)), most_levels((1, 9))
        (4, 1)
    """
    return max(1, min(size).bit_length() - 1)


def ensure_shift(shift: Sequence[int], levels: int) -> tuple[int, int]:
    """Two shifts of less than a tile of the coarsest band, or a ValueError.

    >>> ensure_shift([0, 7], levels=3)
    (0, 7)
    """
    steps = tuple(shift)
    if len(steps) != 2 or any(int(step) != step or not 0 <= step < 2**levels for step in steps):
        raise ValueError(
            f"shift={shift!r} must be (down, right), whole numbers of pixels from 0 to {2**levels - 1}, "
            f"less than the {2**levels} pixels of a tile of level {levels}"
        )
    return int(steps[0]), int(steps[1])


def padded_sides(
    size: tuple[int, int], shift: tuple[int, int], levels: int, length: int
) -> list[tuple[int, int]]:
    """Height and width of the extended image, then of the bands of level 1, …, levels.

    ``length`` is that of the filters.

    >>> padded_sides((8, 9), (0, 0), levels=2, length=4)
    [(8, 9), (5, 6), (4, 4)]
    """
    sides = [(size[0] + shift[0], size[1] + shift[1])]
    for _ in range(levels):
        height, width = sides[-1]
        sides.append(((height + length - 1) // 2, (width + length - 1) // 2))
    return sides


def tile_offset(scale: int, length: int, shift: tuple[int, int]) -> tuple[float, float]:
    """Where the tile of coefficient 0 begins, in image pixels along y and x.

    Coefficient k of level l is centred on pixel 2^l k + (2^l - 1)(3 - L)/2; its tile is 2^l pixels wide.
    """
    start = (scale - 1) * (3 - length) / 2 + 0.5 - scale / 2
    return start - shift[0], start - shift[1]


def mirrored(image: Float[Tensor, "*batch h w"], shift: tuple[int, int]) -> Float[Tensor, "*batch hs ws"]:
    """The image continued above and to the left by its own mirror image: no edge where none was.

    >>> mirrored(torch.tensor([[1.0, 2.0, 3.0]]), (0, 2))
    tensor([[2., 1., 1., 2., 3.]])
    """
    down, right = shift
    taller = torch.cat([image[..., :down, :].flip(-2), image], dim=-2)
    return torch.cat([taller[..., :right].flip(-1), taller], dim=-1)


def split(image: Float[Tensor, "*batch h w"], wavelet: pywt.Wavelet, levels: int) -> list[Tensor]:
    """Approximation, then LH, HL, HH from the coarsest level to the finest; half-point symmetric borders."""
    if wavelet.name == "haar":
        return haar.analyse(image, levels)
    taps = image.new_tensor([wavelet.dec_lo[::-1], wavelet.dec_hi[::-1]])
    coarse, details = image.reshape(-1, 1, *image.shape[-2:]), list[Tensor]()
    for _ in range(levels):
        down = functional.conv2d(_continued(coarse, 2, taps.shape[1]), taps[:, None, :, None], stride=(2, 1))
        along = _continued(down.flatten(0, 1)[:, None], 3, taps.shape[1])
        four = functional.conv2d(along, taps[:, None, None], stride=(1, 2))
        pairs = four.reshape(-1, 2, *four.shape[1:])
        coarse, hl, lh, hh = pairs[:, 0, :1], pairs[:, 0, 1:], pairs[:, 1, :1], pairs[:, 1, 1:]
        details[:0] = [lh, hl, hh]
    return [part.reshape(*image.shape[:-2], *part.shape[-2:]) for part in (coarse, *details)]


def _continued(image: Float[Tensor, "n 1 h w"], axis: int, length: int) -> Float[Tensor, "n 1 _ _"]:
    """One axis continued by its mirror image, again and again, as far as filters of ``length`` reach."""
    side, reach = image.shape[axis], length - 2
    places = torch.arange(-reach, side + reach + side % 2, device=image.device) % (2 * side)
    return image.index_select(axis, torch.minimum(places, 2 * side - 1 - places))


def join(parts: Sequence[Tensor], wavelet: pywt.Wavelet, sides: Sequence[tuple[int, int]]) -> Tensor:
    """The image of what ``split`` gives; ``sides`` are those of the image and of each level's bands."""
    coarse, *details = parts
    if wavelet.name == "haar":
        return haar.synthesise(coarse, details, sides)
    taps, reach = coarse.new_tensor([wavelet.rec_lo, wavelet.rec_hi]), wavelet.dec_len - 2
    image = coarse.reshape(-1, *coarse.shape[-2:])
    for step, (height, width) in enumerate(reversed(sides[:-1])):
        lh, hl, hh = (part.reshape(image.shape) for part in details[3 * step : 3 * step + 3])
        rows = torch.stack([torch.stack([image, hl], 1), torch.stack([lh, hh], 1)], 1).flatten(0, 1)
        # What lies outside of the image is not computed: ``padding`` takes it off.
        across = functional.conv_transpose2d(rows, taps[:, None, None], stride=(1, 2), padding=(0, reach))
        kept = across[:, 0, :, :width]
        columns = kept.reshape(-1, 2, *kept.shape[1:])
        tall = functional.conv_transpose2d(columns, taps[:, None, :, None], stride=(2, 1), padding=(reach, 0))
        image = tall[:, 0, :height]
    return image.reshape(*coarse.shape[:-2], *image.shape[-2:])


def grown(
    blocks: Float[Tensor, "n c h w"], wavelet: pywt.Wavelet, path: Sequence[str]
) -> Float[Tensor, "n c ph pw"]:
    """Images of single blocks: one inverse step for each orientation of ``path``, the block's own first.

    A block needs no border treatment: what the full inverse crops lies outside the image.
    """
    n, channels = blocks.shape[:2]
    low, high = (blocks.new_tensor(taps) for taps in (wavelet.rec_lo, wavelet.rec_hi))
    part = blocks.reshape(n * channels, 1, *blocks.shape[2:])
    with full_precision(blocks.device):
        for orientation in path:
            vertical = high if orientation in ("LH", "HH") else low
            horizontal = high if orientation in ("HL", "HH") else low
            part = functional.conv_transpose2d(part, vertical.view(1, 1, -1, 1), stride=(2, 1))
            part = functional.conv_transpose2d(part, horizontal.view(1, 1, 1, -1), stride=(1, 2))
    return part.reshape(n, channels, *part.shape[2:])


def reach(side: int, level: int, length: int) -> int:
    """The pixels along one axis of the image of a block of ``side`` coefficients of one level."""
    return (side << level) + ((1 << level) - 1) * (length - 2)


def patch_places(
    corners: Sequence[tuple[int, int]], scale: int, length: int, shift: tuple[int, int]
) -> list[tuple[int, int]]:
    """The image row and column of the first pixel of the patch of a block at each corner of a band."""
    margin = (scale - 1) * (length - 2)
    down, right = margin + shift[0], margin + shift[1]
    return [(scale * row - down, scale * column - right) for row, column in corners]
