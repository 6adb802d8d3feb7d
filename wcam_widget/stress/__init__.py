"""Images made harder on purpose: attacks on a model, over all pixels, at chosen scales or places."""

from wcam_widget.stress.attacks import Attack, Schedule, fgsm, pgd
from wcam_widget.stress.salient import Enhancement, salient_pgd
from wcam_widget.stress.threat import Threat

__all__ = ["Attack", "Enhancement", "Schedule", "Threat", "fgsm", "pgd", "salient_pgd"]
