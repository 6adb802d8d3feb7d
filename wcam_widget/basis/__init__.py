"""Spaces an image is perturbed in: wavelets, packets, frequencies, pixels, colours; bands and cells."""

from wcam_widget.basis.bands import AbstractBasis, Band
from wcam_widget.basis.cells import Cells
from wcam_widget.basis.colour import ColourBasis
from wcam_widget.basis.filters import most_levels
from wcam_widget.basis.fourier import FourierBasis
from wcam_widget.basis.grid import most_cells
from wcam_widget.basis.packets import PacketBasis
from wcam_widget.basis.pixel import PixelBasis
from wcam_widget.basis.registry import basis_from
from wcam_widget.basis.wavelet import WaveletBasis

__all__ = [
    "AbstractBasis",
    "Band",
    "Cells",
    "ColourBasis",
    "FourierBasis",
    "PacketBasis",
    "PixelBasis",
    "WaveletBasis",
    "basis_from",
    "most_cells",
    "most_levels",
]
