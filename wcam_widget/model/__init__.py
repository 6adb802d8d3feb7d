"""How a network is asked: the black box, what is explained, and images at the door. Knows no wavelet."""

from wcam_widget.model.blackbox import BlackBox
from wcam_widget.model.images import ensure_image, ensure_images
from wcam_widget.model.outputs import ModelError
from wcam_widget.model.targets import (
    AbstractTarget,
    Custom,
    Logit,
    Margin,
    Probability,
    ensure_target,
)

__all__ = [
    "AbstractTarget",
    "BlackBox",
    "Custom",
    "Logit",
    "Margin",
    "ModelError",
    "Probability",
    "ensure_image",
    "ensure_images",
    "ensure_target",
]
