"""Images made harder on purpose: attacks on a model, over the whole image or at chosen scales."""

from wcam_widget.stress.attacks import Attack, Schedule, fgsm, pgd
from wcam_widget.stress.threat import Threat

__all__ = ["Attack", "Schedule", "Threat", "fgsm", "pgd"]
