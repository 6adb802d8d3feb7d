"""How good an explanation is: measures of single maps and of maps over data sets."""

from wcam_widget.evaluate.dissimilarity import Dissimilarity, dissimilarity, mod, nissim, vid
from wcam_widget.evaluate.domain import Domain
from wcam_widget.evaluate.faithfulness import average_drop, average_increase, deletion, insertion, mu_fidelity
from wcam_widget.evaluate.localisation import Localisation, energy_inside, mean_iou, pointing_game
from wcam_widget.evaluate.result import Faithfulness
from wcam_widget.evaluate.rho import rho_minus, rho_plus

__all__ = [
    "Dissimilarity",
    "Domain",
    "Faithfulness",
    "Localisation",
    "average_drop",
    "average_increase",
    "deletion",
    "dissimilarity",
    "energy_inside",
    "insertion",
    "mean_iou",
    "mod",
    "mu_fidelity",
    "nissim",
    "pointing_game",
    "rho_minus",
    "rho_plus",
    "vid",
]
