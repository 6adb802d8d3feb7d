"""How good an explanation is: measures of single maps and of maps over data sets."""

from wcam_widget.evaluate.average_drop import average_drop, average_increase
from wcam_widget.evaluate.changed_profiles import ProfileChanges
from wcam_widget.evaluate.comparison import Comparison, compare_methods
from wcam_widget.evaluate.dissimilarity import Dissimilarity, Protocol, dissimilarity
from wcam_widget.evaluate.failure_explanation import FailureExplanation, explain_failure
from wcam_widget.evaluate.failures import failures
from wcam_widget.evaluate.faithfulness import deletion, insertion, mu_fidelity
from wcam_widget.evaluate.flips import Failures, Flip
from wcam_widget.evaluate.forecast import Forecast, Skill, expected_change
from wcam_widget.evaluate.localisation import Localisation, energy_inside, mean_iou, pointing_game
from wcam_widget.evaluate.nissim import mod, nissim, vid
from wcam_widget.evaluate.profile_changes import profile_changes
from wcam_widget.evaluate.profile_difference import ProfileDifference
from wcam_widget.evaluate.profiles import profiles
from wcam_widget.evaluate.result import Faithfulness
from wcam_widget.evaluate.retention import Retention, retention
from wcam_widget.evaluate.rho import rho_minus, rho_plus
from wcam_widget.evaluate.road import road
from wcam_widget.evaluate.sanity import Sanity, sanity
from wcam_widget.evaluate.scale_profiles import Profiles
from wcam_widget.evaluate.scoring_space import Domain
from wcam_widget.evaluate.sufficiency import Search, sufficiency, sufficient_row
from wcam_widget.evaluate.sufficient_set import SufficientSet
from wcam_widget.evaluate.sufficient_sets import Sufficiency
from wcam_widget.evaluate.zoom import zoom
from wcam_widget.evaluate.zoomed_levels import Zoom

__all__ = [
    "Comparison",
    "Dissimilarity",
    "Domain",
    "FailureExplanation",
    "Failures",
    "Faithfulness",
    "Flip",
    "Forecast",
    "Localisation",
    "ProfileChanges",
    "ProfileDifference",
    "Profiles",
    "Protocol",
    "Retention",
    "Sanity",
    "Search",
    "Skill",
    "Sufficiency",
    "SufficientSet",
    "Zoom",
    "average_drop",
    "average_increase",
    "compare_methods",
    "deletion",
    "dissimilarity",
    "energy_inside",
    "expected_change",
    "explain_failure",
    "failures",
    "insertion",
    "mean_iou",
    "mod",
    "mu_fidelity",
    "nissim",
    "pointing_game",
    "profile_changes",
    "profiles",
    "retention",
    "rho_minus",
    "rho_plus",
    "road",
    "sanity",
    "sufficiency",
    "sufficient_row",
    "vid",
    "zoom",
]
