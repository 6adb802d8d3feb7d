"""CAMERAS' attack enhancement: attacks that are free inside salient regions and pay for leaving them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wcam_widget.model import BlackBox, ImagesLike, ModelLike, TargetsLike, ensure_images
from wcam_widget.stress.attacks import Attack, higher
from wcam_widget.stress.threat import Threat
from wcam_widget.stress.victim import Victim

if TYPE_CHECKING:
    MapsLike: TypeAlias = np.ndarray | Tensor
else:
    # Checks at run time are our own: their errors name the argument as the caller wrote it.
    MapsLike = Any

EPSILON = 12 / 255
ROUNDED = 1e-3  # of a step over all pixels, below which the penalty is quadratic
TOWARDS = Threat("linf", targeted=True)


@final
@dataclass(frozen=True)
class Enhancement:
    """How ``salient_pgd`` weighs the map and walks.

    Args:
        weight: Of the perturbation's l2 norm outside salient regions, in nats per unit of the [0, 1] scale,
            at least 0; 0 is plain PGD. Above the l2 norm of the gradient of the log-odds (7 to 13 for the
            demo's networks) nothing outside is worth its price, and the confidence may be out of reach: a
            tenth of the published 50 is then a start.
        confidence: Probability of the target, above 0.5 and below 1, at which an image stops.
        steps: Gradients of an image at most, at least 1.
        size: Length of one step in linf, above 0; short ones stop near the confidence.

    Raises:
        ValueError: Naming what is out of range.

    Examples:
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
        image_norm = torch.linalg.vector_norm(price, dim=(1, 2, 3), keepdim=True) * slope.shape[1] ** 0.5
        norm = torch.linalg.vector_norm(change * price, dim=(1, 2, 3), keepdim=True)
        norm = torch.maximum(norm, ROUNDED * self.size * image_norm)
        pull = self.weight * price**2 / norm.clamp(min=torch.finfo(norm.dtype).tiny)
        up = slope - pull * change
        return up.sign() * torch.where(pull > 0, up.abs() / pull, self.size).clamp(max=self.size)


def salient_pgd(
    model: ModelLike,
    images: ImagesLike,
    maps: MapsLike,
    targets: TargetsLike = None,
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

    Args:
        model: A ``BlackBox`` or a torch module.
        images: (n, c, h, w) in [0, 1], or a list of images.
        maps: (n, h, w) in [0, 1], 1 where a change is free, such as ``attribution.spatial()`` of ``Cameras``
            on the clean image.
        targets: One class id or name per image; None for the class each clean image is least likely to be.
        epsilon: Largest change of a value, 0 to 1.
        enhancement: Weight of the map, confidence, steps and their length.

    Returns:
        The attacked images with their sizes and class scores.

    Raises:
        ValueError: Naming the argument that does not fit, ``maps[i]`` where a map is zero everywhere.
        TypeError: Naming the argument, for another type.
        ModelError: Where the model has no gradients.

    References:
        Jalwana et al. (2021), "CAMERAS", section 6; steps and their length, the norm and the rule to stop are
        not published.

    Examples:
        >>> net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 3))
        >>> images, maps = torch.full((2, 3, 4, 4), 0.5), torch.zeros(2, 4, 4)
        >>> maps[:, :2] = 1.0
        >>> attack = salient_pgd(net, images, maps, epsilon=0.1, enhancement=Enhancement(weight=1e6, steps=9))
        >>> inside, outside = (attack.images - 0.5).abs().split(2, dim=2)
        >>> bool(inside.mean() > 10 * outside.mean())
        True
    """
    network = BlackBox.ensure(model)
    batch = ensure_images(images, "images", network.fit)
    salience = _ensure_maps(maps, batch)
    wanted = network.logits(batch).argmin(1).tolist() if targets is None else targets
    victim = Victim.prepare(network, batch, wanted, epsilon, TOWARDS)
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
    return Attack.from_change(victim, best, gradients)


def _ensure_maps(maps: MapsLike, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n h w"]:
    """Maps in float32; errors name ``maps`` and the place in it."""
    if not isinstance(maps, Tensor | np.ndarray):
        raise TypeError(
            f"maps: found {type(maps).__qualname__}; accepted are a tensor and an array (n, h, w)"
        )
    heats = torch.as_tensor(maps).detach().cpu().float()
    wanted = (len(images), *images.shape[2:])
    if tuple(heats.shape) != wanted:
        raise ValueError(f"maps: found shape {tuple(heats.shape)}; accepted for these images is {wanted}")
    for number, heat in enumerate(heats):
        low, high = (float(value) for value in heat.aminmax())
        if not (low >= 0.0 and high <= 1.0):
            raise ValueError(
                f"maps[{number}]: found values from {low:.4g} to {high:.4g}; accepted are those from 0 to 1"
            )
        if high == 0.0:
            raise ValueError(f"maps[{number}]: zero everywhere: nothing is salient; leave that image out")
    return heats
