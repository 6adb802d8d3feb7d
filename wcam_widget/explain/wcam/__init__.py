"""Wavelet scale attribution by perturbation."""

from wcam_widget.explain.wcam.published import PublishedWcam
from wcam_widget.explain.wcam.spun import SpunWcam
from wcam_widget.explain.wcam.wcam import Wcam

__all__ = ["PublishedWcam", "SpunWcam", "Wcam"]
