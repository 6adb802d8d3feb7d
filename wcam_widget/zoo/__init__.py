"""Named networks: the demo's, ImageNet weights from packages, torchvision, timm and Hugging Face."""

from wcam_widget.zoo.load import load_model

__all__ = ["load_model"]
