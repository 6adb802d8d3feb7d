"""ROAD: what removing cells does to the score when nothing shows which cells were removed."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wcam_widget.evaluate import measures
from wcam_widget.evaluate.imputation import NoisyLinear
from wcam_widget.evaluate.result import Curve, Faithfulness, collect
from wcam_widget.evaluate.scoring_space import AttributionsLike, Case, Domain, DomainLike, MeasureInputs
from wcam_widget.model import ImagesLike, ModelLike, TargetsLike

NOISE = 0.01
TENTHS = 10  # removed are 1 to 9 tenths of the cells


def road(
    model: ModelLike,
    images: ImagesLike,
    attributions: AttributionsLike,
    targets: TargetsLike = None,
    domain: DomainLike = "own",
    noise: float = NOISE,
) -> Faithfulness:
    """Half of what the score is higher by with the least than with the most important cells gone; ROAD.

    A tenth to nine tenths of the cells are removed, the most important ones first (MoRF) or the least
    important ones first (LeRF); what was removed is imputed from its neighbours in the same band, with noise
    (``NoisyLinear``). Of single pixels this is the published measure; in bands it is the same on the
    coefficients of each band. Costs 18 forwards and linear systems an image, three times as many more for the
    null rankings; ``Domain(…, nulls=())`` leaves those out.

    Args:
        model: A ``BlackBox``, a torch module or a callable.
        images: (B, C, H, W) in [0, 1], or a list of images.
        attributions: One ``Attribution`` per image, or maps, (B, H, W).
        targets: One class or target for all images or for each; a class stands for its probability, None for
            the class that was explained.
        domain: Where cells are removed: "own", "pixels", "wavelet", a ``Wcam`` or a ``Domain``. Baseline: the
            image's mean colour unless given; it stands for bands that are removed in full.
        noise: Standard deviation of what is added to imputed coefficients, in the [0, 1] scale of pixels, at
            least 0. It is drawn once an image, from the domain's seed: the same for every share and map.

    Returns:
        ``curves``, (B, 9), of (LeRF - MoRF) / 2 at each share, and ``values``, their means, the combined
        score: higher is better, 0 for a flat map.

    Raises:
        ValueError: For an argument that does not fit the images, with its name first.
        TypeError: For an argument of another type, likewise.

    References:
        Rong et al. (2022), "A Consistent and Efficient Evaluation Strategy for Attribution Methods",
        section 4; the combined score is that of pytorch-grad-cam.

    Examples:
        >>> from wcam_widget import Logit
        >>> images = torch.zeros(1, 1, 8, 8)
        >>> images[..., 3:5, 3:5] = 1.0
        >>> total = lambda images: images.sum((2, 3))
        >>> road(total, images, images[:, 0], [Logit(0)], noise=0.0).mean > 1.0
        True
    """
    if not 0.0 <= noise < float("inf"):
        raise ValueError(f"noise: found {noise!r}; accepted is a standard deviation of at least 0")
    inputs = MeasureInputs(model, images, attributions, targets, Domain.ensure(domain, "mean"))
    return collect("ROAD", inputs, lambda case: _differences(case, noise))


def _differences(case: Case, noise: float) -> list[Curve]:
    """(LeRF - MoRF) / 2 of the map, and of each null ranking."""
    probe, cells = case.probe, len(case.values)
    removed = measures.counts(cells, TENTHS)[1:-1]
    orders = [measures.ranks(order) for values in case.rankings for order in (values, -values)]
    index, impute = probe.cells.index.numpy(), imputation(case, noise)

    def make(start: int, stop: int) -> Float[Tensor, "n c h w"]:
        pictures = []
        for row in range(start, stop):
            gone = orders[row // len(removed)] < removed[row % len(removed)]
            pictures.append(impute(np.append(gone, False)[index]))
        there = torch.from_numpy(np.stack(pictures)).to(probe.picture)
        made = probe.basis.unpack(there)
        return made.clamp(0.0, 1.0) if probe.perturbation.clip else made

    logits = probe.model.logits_of(make, len(orders) * len(removed))
    scores = probe.target(logits).double().numpy().reshape(-1, 2, len(removed))
    halves = (scores[:, 1] - scores[:, 0]) / 2
    return [Curve(removed / cells, half, float(half.mean())) for half in halves]


def imputation(case: Case, noise: float) -> NoisyLinear:
    """The imputation of one image's picture, with its noise."""
    probe = case.probe
    baseline = probe.baseline.cpu().double().numpy()
    drawn = case.random("noise").normal(scale=noise, size=baseline.shape)
    picture = baseline + probe.picture.cpu().double().numpy()
    return NoisyLinear(probe.cells.bands, picture, baseline, drawn)
