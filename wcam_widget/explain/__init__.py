"""The methods: where a basis, a model and an analysis meet."""

from wcam_widget.explain.attribution import Attribution, Profile
from wcam_widget.explain.cameras import Cameras
from wcam_widget.explain.cartoonx import CartoonX
from wcam_widget.explain.gradcam import GradCam
from wcam_widget.explain.gradient import WaveletGradient
from wcam_widget.explain.method import AbstractMethod
from wcam_widget.explain.perturbation import Perturbation
from wcam_widget.explain.probe import Probe
from wcam_widget.explain.published import PublishedWcam
from wcam_widget.explain.sise import Sise
from wcam_widget.explain.spun import SpunWcam
from wcam_widget.explain.wcam import Wcam

__all__ = [
    "AbstractMethod",
    "Attribution",
    "Cameras",
    "CartoonX",
    "GradCam",
    "Perturbation",
    "Probe",
    "Profile",
    "PublishedWcam",
    "Sise",
    "SpunWcam",
    "WaveletGradient",
    "Wcam",
]
