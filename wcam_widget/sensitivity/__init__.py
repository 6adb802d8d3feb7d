"""Statistics of a function of weights: which of its inputs its variance comes from. Knows no image."""

from wcam_widget.sensitivity.analyses.derivative import Derivative
from wcam_widget.sensitivity.analyses.hsic import Hsic
from wcam_widget.sensitivity.analyses.refined import Refined
from wcam_widget.sensitivity.analyses.screened import Screened
from wcam_widget.sensitivity.analyses.sobol import Sobol
from wcam_widget.sensitivity.analysis import AbstractAnalysis
from wcam_widget.sensitivity.estimate import Estimate, GroupEstimate, Kind
from wcam_widget.sensitivity.function import Analytic, Tree, WeightFunction

__all__ = [
    "AbstractAnalysis",
    "Analytic",
    "Derivative",
    "Estimate",
    "GroupEstimate",
    "Hsic",
    "Kind",
    "Refined",
    "Screened",
    "Sobol",
    "Tree",
    "WeightFunction",
]
