"""Bases from their settings, as they are written in files: read without trust."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wcam_widget.basis.bands import AbstractBasis
from wcam_widget.basis.colour import ColourBasis
from wcam_widget.basis.fourier import FourierBasis
from wcam_widget.basis.packets import PacketBasis
from wcam_widget.basis.pixel import PixelBasis
from wcam_widget.basis.wavelet import WaveletBasis

# A damaged file must not take all memory.
LONGEST = 1 << 15  # pixels of a side
MOST_SPLITS = 7  # of packets, which then are 16384 bands
MOST_FREQUENCIES = 1 << 20  # each is sorted into its band by itself


def basis_from(settings: object) -> AbstractBasis:
    """Make a basis again from its ``settings()``, as they are or back from JSON.

    Args:
        settings: The name and parameters of a basis, from this process or from a file.

    Returns:
        A basis equal to the one whose settings they are.

    Raises:
        ValueError: Naming the field, for what is missing, of the wrong type, unknown or out of range.

    Examples:
        >>> from wcam_widget.basis import WaveletBasis
        >>> basis = WaveletBasis((32, 48), "db2", levels=2)
        >>> basis_from(basis.settings()) == basis
        True
    """
    if not isinstance(settings, Mapping):
        raise ValueError(f"the settings of a basis must be a table of names; found {settings!r:.80}")  # noqa: TRY004 bad content of a file, not a wrong call
    name = settings.get("basis")
    if not isinstance(name, str) or name not in _MAKERS:
        raise ValueError(f"basis={name!r:.80} is unknown; {', '.join(_MAKERS)} are accepted")
    return _MAKERS[name](settings)


def _wavelet(settings: Mapping[str, object]) -> AbstractBasis:
    words = {"wavelet": _text(settings, "wavelet"), "levels": _count(settings, "levels")}
    # Files of the first version say nothing of shifts.
    shift = _pair(settings, "shift") if "shift" in settings else (0, 0)
    kind: Any = PacketBasis if settings["basis"] == "packets" else WaveletBasis
    if kind is PacketBasis and _count(settings, "levels") > MOST_SPLITS:
        raise ValueError(f"levels={settings['levels']!r:.80} of packets must be at most {MOST_SPLITS}")
    basis: AbstractBasis = kind(_size(settings), shift=shift, **words)
    return basis


def _fourier(settings: Mapping[str, object]) -> AbstractBasis:
    size = _size(settings)
    if size[0] * size[1] > MOST_FREQUENCIES:
        raise ValueError(f"size={list(size)} of a Fourier basis must have at most {MOST_FREQUENCIES} pixels")
    return FourierBasis(size, _text(settings, "partition"), _count(settings, "count"))


def _colour(settings: Mapping[str, object]) -> AbstractBasis:
    inner = settings.get("inner")
    if not isinstance(inner, Mapping) or inner.get("basis") == "colour":
        raise ValueError(f"inner={inner!r:.80} must be the settings of a basis without colour parts")
    return ColourBasis(basis_from(inner), _text(settings, "parts"))


_MAKERS: dict[str, Callable[[Mapping[str, object]], AbstractBasis]] = {
    "pixel": lambda settings: PixelBasis(_size(settings)),
    "wavelet": _wavelet,
    "packets": _wavelet,
    "fourier": _fourier,
    "colour": _colour,
}


def _size(settings: Mapping[str, object]) -> tuple[int, int]:
    size = _pair(settings, "size")
    if not 1 <= min(size) <= max(size) <= LONGEST:
        raise ValueError(f"size={list(size)} must be two sides from 1 to {LONGEST} pixels")
    return size


def _pair(settings: Mapping[str, object], name: str) -> tuple[int, int]:
    value = settings.get(name)
    if not isinstance(value, list | tuple) or len(value) != 2 or any(type(each) is not int for each in value):
        raise ValueError(f"{name}={value!r:.80} must be two integers")
    return value[0], value[1]


def _count(settings: Mapping[str, object], name: str) -> int:
    value = settings.get(name)
    if type(value) is not int:
        raise ValueError(f"{name}={value!r:.80} must be an integer")
    return value


def _text(settings: Mapping[str, object], name: str) -> str:
    value = settings.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name}={value!r:.80} must be text")  # noqa: TRY004 bad content of a file, not a wrong call
    return value
