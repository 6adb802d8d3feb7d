"""Images made harder: corrupted as the world does, or attacked on purpose, at chosen scales or places."""

from wcam_widget.stress.attacks import Attack, Schedule, fgsm, pgd
from wcam_widget.stress.corruptions import CORRUPTIONS, corrupt
from wcam_widget.stress.salient import Enhancement, salient_pgd
from wcam_widget.stress.threat import Threat
from wcam_widget.stress.zoom import Zoomed, zoom_views

__all__ = [
    "CORRUPTIONS",
    "Attack",
    "Enhancement",
    "Schedule",
    "Threat",
    "Zoomed",
    "corrupt",
    "fgsm",
    "pgd",
    "salient_pgd",
    "zoom_views",
]
