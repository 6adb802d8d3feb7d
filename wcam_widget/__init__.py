"""Where, and at which scale, an image model looks: attribution in the wavelet domain, live in a notebook.

>>> import wcam_widget as wcam
>>> model, images, labels, class_names = wcam.load_demo()
>>> (attribution,) = wcam.Wcam(wcam.Derivative(rows=4))(model, images[:1])
>>> attribution.spatial().shape
(128, 128)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from wcam_widget.basis import ColourBasis, FourierBasis, PacketBasis, PixelBasis, WaveletBasis
from wcam_widget.demo import load_demo, load_photos
from wcam_widget.explain import Attribution, Cameras, CartoonX, GradCam, Sise, WaveletGradient, Wcam
from wcam_widget.model import BlackBox, Logit, Margin, Probability
from wcam_widget.sensitivity import Derivative, Hsic, Refined, Screened, Sobol
from wcam_widget.version import VERSION
from wcam_widget.zoo import load_model

if TYPE_CHECKING:
    from wcam_widget.evaluate import (
        compare_methods,
        deletion,
        dissimilarity,
        expected_change,
        explain_failure,
        failures,
        insertion,
        mod,
        mu_fidelity,
        nissim,
        profile_changes,
        profiles,
        retention,
        road,
        sanity,
        sufficiency,
        vid,
        zoom,
    )
    from wcam_widget.show.explorer.comparison import ComparisonExplorer
    from wcam_widget.show.explorer.explore import explore
    from wcam_widget.show.explorer.explorer import Explorer
    from wcam_widget.show.live import live
    from wcam_widget.show.pages.export import export_notebook
    from wcam_widget.show.plots import plot
    from wcam_widget.stress import CORRUPTIONS, Threat, corrupt, fgsm, pgd, salient_pgd
    from wcam_widget.study import Study

__all__ = [
    "CORRUPTIONS",
    "Attribution",
    "BlackBox",
    "Cameras",
    "CartoonX",
    "ColourBasis",
    "ComparisonExplorer",
    "Derivative",
    "Explorer",
    "FourierBasis",
    "GradCam",
    "Hsic",
    "Logit",
    "Margin",
    "PacketBasis",
    "PixelBasis",
    "Probability",
    "Refined",
    "Screened",
    "Sise",
    "Sobol",
    "Study",
    "Threat",
    "WaveletBasis",
    "WaveletGradient",
    "Wcam",
    "compare_methods",
    "corrupt",
    "deletion",
    "dissimilarity",
    "expected_change",
    "explain_failure",
    "explore",
    "export_notebook",
    "failures",
    "fgsm",
    "insertion",
    "live",
    "load_demo",
    "load_model",
    "load_photos",
    "mod",
    "mu_fidelity",
    "nissim",
    "pgd",
    "plot",
    "profile_changes",
    "profiles",
    "retention",
    "road",
    "salient_pgd",
    "sanity",
    "sufficiency",
    "vid",
    "zoom",
]

__version__ = VERSION

# A worker that only computes must not import a widget or a plotting library, nor what it does not compute.
_MEASURES = (
    "compare_methods",
    "deletion",
    "dissimilarity",
    "expected_change",
    "explain_failure",
    "failures",
    "insertion",
    "mod",
    "mu_fidelity",
    "nissim",
    "profile_changes",
    "profiles",
    "retention",
    "road",
    "sanity",
    "sufficiency",
    "vid",
    "zoom",
)
_LAZY = {
    "ComparisonExplorer": "wcam_widget.show.explorer.comparison",
    "Explorer": "wcam_widget.show.explorer.explorer",
    "explore": "wcam_widget.show.explorer.explore",
    "export_notebook": "wcam_widget.show.pages.export",
    "live": "wcam_widget.show.live",
    "plot": "wcam_widget.show.plots",
    "Study": "wcam_widget.study",
    **dict.fromkeys(_MEASURES, "wcam_widget.evaluate"),
    **dict.fromkeys(("CORRUPTIONS", "Threat", "corrupt", "fgsm", "pgd", "salient_pgd"), "wcam_widget.stress"),
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
