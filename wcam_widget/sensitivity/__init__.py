"""Statistics of a function of weights: which of its inputs its variance comes from. Knows no image."""

from wcam_widget.sensitivity.analysis import AbstractAnalysis, Estimate, GroupEstimate, Kind
from wcam_widget.sensitivity.derivative import Derivative
from wcam_widget.sensitivity.function import Analytic, Tree, WeightFunction
from wcam_widget.sensitivity.hsic import Hsic
from wcam_widget.sensitivity.refined import Refined
from wcam_widget.sensitivity.screened import Screened
from wcam_widget.sensitivity.sobol import Sobol

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
