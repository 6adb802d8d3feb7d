"""The methods: where a basis, a model and an analysis meet."""

from wcam_widget.explain.attribution import Attribution
from wcam_widget.explain.cam.cameras import Cameras
from wcam_widget.explain.cam.gradcam import GradCam
from wcam_widget.explain.cam.sise import Sise
from wcam_widget.explain.gradient.cartoonx import CartoonX
from wcam_widget.explain.gradient.wavelet_gradient import WaveletGradient
from wcam_widget.explain.method import AbstractMethod, MethodLike
from wcam_widget.explain.profile import Profile
from wcam_widget.explain.wcam.published import PublishedWcam
from wcam_widget.explain.wcam.spun import SpunWcam
from wcam_widget.explain.wcam.wcam import Wcam
from wcam_widget.perturb.perturbation import Perturbation
from wcam_widget.perturb.probe import Probe

__all__ = [
    "AbstractMethod",
    "Attribution",
    "Cameras",
    "CartoonX",
    "GradCam",
    "MethodLike",
    "Perturbation",
    "Probe",
    "Profile",
    "PublishedWcam",
    "Sise",
    "SpunWcam",
    "WaveletGradient",
    "Wcam",
]
