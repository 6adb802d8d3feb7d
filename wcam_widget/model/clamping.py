"""The range of pixels: values in [0, 1], with room for rounding."""

import torch
from torch import Tensor

ROUNDING = 1e-4
"""How far rounding may have carried a value beyond [0, 1]: it is clamped."""


def clamped(pixels: Tensor, argument: str, accepted: str) -> Tensor:
    """Check that values lie in [0, 1], and clamp those that rounding carried up to 1e-4 beyond.

    Args:
        pixels: Floats of any shape, not empty.
        argument: What a message calls them.
        accepted: What a message says is accepted.

    Returns:
        ``pixels`` itself where all lie in [0, 1], else a clamped copy.

    Raises:
        ValueError: For NaN, infinite values and values further out.

    >>> clamped(torch.tensor([0.5, 1.00001]), "image", "[0, 1]")
    tensor([0.5000, 1.0000])
    """
    bad = ~torch.isfinite(pixels)
    if bool(bad.any()):
        first = tuple(bad.nonzero()[0].tolist())
        raise ValueError(
            f"{argument}: found {int(bad.sum())} NaN or infinite pixels, the first at index {first}; "
            f"accepted is {accepted}"
        )
    low, high = float(pixels.min()), float(pixels.max())
    if low >= 0.0 and high <= 1.0:
        return pixels
    if max(-low, high - 1.0) <= ROUNDING * 1.01:  # 1e-4 itself is rounded in float32
        return pixels.clamp(0.0, 1.0)
    hint = "" if low < 0.0 else _hint(high)
    raise ValueError(
        f"{argument}: found values in [{_digits(low)}, {_digits(high)}]{hint}; accepted is {accepted}"
    )


def _digits(value: float) -> str:
    """A number, with as many digits as show that it is not 0 or 1 where it is not."""
    for digits in range(4, 18):
        text = f"{value:.{digits}g}"
        if value in (0.0, 1.0) or float(text) not in (0.0, 1.0):
            return text
    return repr(value)


def _hint(high: float) -> str:
    """What values up to this one are divided by."""
    full = next((full for full in (255, 65535) if 2.0 < high <= full), None)
    return "" if full is None else f"; divide by {full}"
