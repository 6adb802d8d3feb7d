"""CAMERAS' attack enhancement: attacks that are free inside salient regions and pay for leaving them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wcam_widget.model import BlackBox, ensure_images
from wcam_widget.stress.attacks import Attack, Labels, higher
from wcam_widget.stress.threat import Threat
from wcam_widget.stress.victim import Victim

EPSILON = 12 / 255
ROUNDED = 1e-3  # of a step over the whole image, below which the penalty is quadratic
TOWARDS = Threat("linf", targeted=True)


@final
@dataclass(frozen=True)
class Enhancement:
    """How ``salient_pgd`` weighs the map and walks.

    weight: of the perturbation's l2 norm outside salient regions, in nats per unit of the [0, 1] scale; 0 is
    plain PGD. Above the l2 norm of the gradient of the log-odds (7 to 13 for the demo's networks) nothing
    outside is worth its price, and the confidence may be out of reach: a tenth of the published 50 is then a
    start. confidence: probability of the target, above 0.5 and below 1, at which an image stops. steps:
    gradients of an image at most. size: length of one step in linf; short ones stop near the confidence asked
    for. Raises ValueError naming what is out of range.

    >>> round(Enhancement().log_odds, 2)
    9.21
    """

    weight: float = 50.0
    confidence: float = 0.9999
    steps: int = 100
    size: float = 1 / 255

    def __post_init__(self) -> None:
        if not 0.0 <= self.weight < math.inf:
            raise ValueError(f"weight: found {self.weight!r}; accepted is a number of at least 0")
        if not 0.5 < self.confidence < 1.0:
            raise ValueError(f"confidence: found {self.confidence!r}; accepted is above 0.5 and below 1")
        if int(self.steps) != self.steps or self.steps < 1:
            raise ValueError(f"steps: found {self.steps!r}; accepted is an integer of at least 1")
        if not 0.0 < self.size < math.inf:
            raise ValueError(f"size: found {self.size!r}; accepted is a number above 0")

    @property
    def log_odds(self) -> float:
        """The log-odds of the target at the confidence."""
        return math.log(self.confidence / (1.0 - self.confidence))

    def step(
        self,
        change: Float[Tensor, "n c h w"],
        slope: Float[Tensor, "n c h w"],
        price: Float[Tensor, "n 1 h w"],
    ) -> Float[Tensor, "n c h w"]:
        """The step that raises the log-odds, of gradient ``slope``, less ``weight`` |change x price|.

        Every value goes up the sum of both gradients by ``size``, but not past the point where they cancel:
        it would only come back with the next step, and what is not salient would never be left alone. The
        norm's corner at 0 is rounded off at a thousandth of a step, so that it can be left and reached.
        """
        whole = torch.linalg.vector_norm(price, dim=(1, 2, 3), keepdim=True) * slope.shape[1] ** 0.5
        norm = torch.linalg.vector_norm(change * price, dim=(1, 2, 3), keepdim=True)
        norm = torch.maximum(norm, ROUNDED * self.size * whole)
        pull = self.weight * price**2 / norm.clamp(min=torch.finfo(norm.dtype).tiny)
        up = slope - pull * change
        return up.sign() * torch.where(pull > 0, up.abs() / pull, self.size).clamp(max=self.size)


def salient_pgd(
    model: Any,
    images: Any,
    maps: Any,
    targets: Labels | None = None,
    epsilon: float = EPSILON,
    enhancement: Enhancement = Enhancement(),
) -> Attack:
    """Lead images to a class by changing, above all, what their maps say is salient; linf.

    Raises the log-odds of the target less ``weight`` times the l2 norm of the perturbation times 1 - map. An
    image stops at ``confidence`` and keeps that point; where it is not reached within the steps, it keeps the
    point of highest confidence: ``Attack.reached(confidence)`` tells which. With weight 0 the map has no say:
    that is the baseline, and ``l2`` of both attacks is compared among the images where both reached it. Such
    a fall is no praise of a map by itself, since any penalty shortens perturbations: on the demo's networks,
    at weight 2, by 18 and 23 % with maps of CAMERAS, but by 23 and 28 % with flat maps of the same mean.
    Compare with flat maps, or with those of other images, at the same weight.

    Log-odds stand for the published cross-entropy: both grow together, but near a confidence of 0.9999 the
    gradient of the cross-entropy is 1e-4 of that of the log-odds, and the penalty would be all that is left.

    images (n, c, h, w) in [0, 1]. maps (n, h, w) in [0, 1], 1 where a change is free, such as
    ``attribution.spatial()`` of ``Cameras`` on the clean image. targets: one class id or name per image; None
    for the class each clean image is least likely to be. epsilon: largest change of a value, 0 to 1. The
    model is left as found. Raises ValueError or TypeError naming the argument that does not fit, ``maps[i]``
    where a map is zero everywhere, ModelError where the model has no gradients. Source: Jalwana et al.
    (2021), "CAMERAS", section 6; steps and their length, the norm and the rule to stop are not published.

    >>> net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 3))
    >>> images, maps = torch.full((2, 3, 4, 4), 0.5), torch.zeros(2, 4, 4)
    >>> maps[:, :2] = 1.0
    >>> attack = salient_pgd(net, images, maps, epsilon=0.1, enhancement=Enhancement(weight=1e6, steps=9))
    >>> inside, outside = (attack.images - 0.5).abs().split(2, dim=2)
    >>> bool(inside.mean() > 10 * outside.mean())
    True
    """
    network = BlackBox.ensure(model)
    asked = ensure_images(images, "images", network.fit)
    salience = _ensure_maps(maps, asked)
    wanted = network.logits(asked).argmin(1).tolist() if targets is None else targets
    victim = Victim.of(network, asked, wanted, epsilon, TOWARDS)
    price = 1.0 - salience.to(victim.ball.images)[:, None]
    change, best = (torch.zeros_like(victim.ball.images) for _ in range(2))
    highest = torch.full((len(best),), -torch.inf, device=best.device)
    walking, gradients = torch.arange(len(best), device=best.device), 0
    for _ in range(enhancement.steps):
        some, here = victim.part(walking), change[walking]
        odds, slope = some.slope(here)
        gradients += len(walking)
        best[walking], highest[walking] = higher((best[walking], highest[walking]), (here, odds))
        change[walking] = some.ball.fit(here + enhancement.step(here, slope, price[walking]))
        walking = walking[odds < enhancement.log_odds]
        if len(walking) == 0:
            break
    return Attack.of(victim, best, gradients)


def _ensure_maps(maps: Any, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n h w"]:
    """Maps in float32; errors name ``maps`` and the place in it."""
    if not isinstance(maps, Tensor | np.ndarray):
        raise TypeError(
            f"maps: found {type(maps).__qualname__}; accepted are a tensor and an array (n, h, w)"
        )
    found = torch.as_tensor(maps).detach().cpu().float()
    wanted = (len(images), *images.shape[2:])
    if tuple(found.shape) != wanted:
        raise ValueError(f"maps: found shape {tuple(found.shape)}; accepted for these images is {wanted}")
    for number, heat in enumerate(found):
        low, high = (float(value) for value in heat.aminmax())
        if not (low >= 0.0 and high <= 1.0):
            raise ValueError(
                f"maps[{number}]: found values from {low:.4g} to {high:.4g}; accepted are those from 0 to 1"
            )
        if high == 0.0:
            raise ValueError(f"maps[{number}]: zero everywhere: nothing is salient; leave that image out")
    return found
