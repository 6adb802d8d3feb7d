"""Batched, device-aware evaluation of a network, explanation targets, and validation of images."""

from wcam_widget.model.blackbox import BlackBox, ModelLike
from wcam_widget.model.custom_target import Custom
from wcam_widget.model.engines.engine import Engine
from wcam_widget.model.images import ImageLike, ImagesLike, ensure_image, ensure_images
from wcam_widget.model.outputs import ModelError
from wcam_widget.model.targets import (
    AbstractTarget,
    Logit,
    Margin,
    Probability,
    TargetLike,
    TargetsLike,
    ensure_target,
)

__all__ = [
    "AbstractTarget",
    "BlackBox",
    "Custom",
    "Engine",
    "ImageLike",
    "ImagesLike",
    "Logit",
    "Margin",
    "ModelError",
    "ModelLike",
    "Probability",
    "TargetLike",
    "TargetsLike",
    "ensure_image",
    "ensure_images",
    "ensure_target",
]
