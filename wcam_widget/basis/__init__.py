"""Spaces an image is perturbed in: bands, wavelets, pixels and the cells they are cut into."""

from wcam_widget.basis.bands import AbstractBasis, Band
from wcam_widget.basis.cells import Cells
from wcam_widget.basis.fourier import FourierBasis
from wcam_widget.basis.pixel import PixelBasis
from wcam_widget.basis.wavelet import WaveletBasis

__all__ = ["AbstractBasis", "Band", "Cells", "FourierBasis", "PixelBasis", "WaveletBasis"]
