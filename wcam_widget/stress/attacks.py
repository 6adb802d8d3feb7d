"""Gradient attacks: small changes of images that change what a model says, at any scale or at chosen ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from wcam_widget.model.head import BY_DEFAULT, SIGMOID, Head
from wcam_widget.stress.threat import Threat
from wcam_widget.stress.victim import Victim

WHOLE_IMAGE = Threat()
EPSILON = 8 / 255
Labels = Sequence[Any] | Tensor | np.ndarray


@final
@dataclass(frozen=True)
class Schedule:
    """How ``pgd`` walks.

    steps: gradient steps of each walk. size: length of one step in the norm of the threat, or None for 2.5
    epsilon / steps. starts: walks; the first begins at the image itself, each other one at a random
    perturbation. seed: of those. Raises ValueError naming what is out of range.

    >>> Schedule(steps=10).length(0.02)
    0.005
    """

    steps: int = 20
    size: float | None = None
    starts: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "starts"):
            found = getattr(self, name)
            if int(found) != found or found < 1:
                raise ValueError(f"{name}: found {found!r}; accepted is an integer of at least 1")
        if self.size is not None and not 0.0 < self.size < float("inf"):
            raise ValueError(f"size: found {self.size!r}; accepted are None and a number above 0")

    def length(self, epsilon: float) -> float:
        """The length of one step."""
        return 2.5 * epsilon / self.steps if self.size is None else self.size


@final
@dataclass(frozen=True, eq=False)
class Attack:
    """What an attack made of images.

    images: the attacked images in [0, 1], on the CPU. linf, l2: sizes of their perturbations, in the [0, 1]
    scale; l2 over all channels and pixels. before, after: class scores (n, k) of the clean and of the
    attacked images. labels: the class each attack was to leave, or, where ``threat.targeted``, to reach.
    gradients: backward passes over one image, all images together.
    """

    images: Float[Tensor, "n c h w"]
    linf: Float[np.ndarray, " n"]
    l2: Float[np.ndarray, " n"]
    before: Float[Tensor, "n k"]
    after: Float[Tensor, "n k"]
    labels: Int[np.ndarray, " n"]
    epsilon: float
    threat: Threat
    gradients: int
    head: Head = BY_DEFAULT

    @classmethod
    def of(cls, victim: Victim, change: Float[Tensor, "n c h w"], gradients: int) -> Attack:
        """The result of a perturbation."""
        images = victim.ball.settled(change).cpu()
        moved = (images.double() - victim.ball.images.cpu().double()).flatten(1)
        return cls(
            images=images,
            linf=moved.abs().amax(1).numpy(),
            l2=moved.norm(dim=1).numpy(),
            before=victim.before,
            after=victim.model.logits(images),
            labels=np.array(victim.loss.classes),
            epsilon=victim.ball.epsilon,
            threat=victim.ball.threat,
            gradients=gradients,
            head=victim.loss.head,
        )

    @property
    def classes_before(self) -> Int[np.ndarray, " n"]:
        """The top class of each clean image."""
        return np.asarray(self.before.argmax(1).numpy())

    @property
    def classes_after(self) -> Int[np.ndarray, " n"]:
        """The top class of each attacked image."""
        return np.asarray(self.after.argmax(1).numpy())

    @property
    def scores_before(self) -> Float[np.ndarray, " n"]:
        """The probability of each label, by the model's activation, in the clean image."""
        return self._probability(self.before)

    @property
    def scores_after(self) -> Float[np.ndarray, " n"]:
        """The probability of each label, by the model's activation, in the attacked image."""
        return self._probability(self.after)

    @property
    def fooled(self) -> Bool[np.ndarray, " n"]:
        """Whether the top class is no longer the label or, where the attack was targeted, has become it.

        Labels of a sigmoid are independent: there it is whether the label is no longer, or has become,
        likelier than not.
        """
        reached = self.classes_after == self.labels
        if self.head.activation == SIGMOID:
            reached = self.scores_after > 0.5
        return np.asarray(reached if self.threat.targeted else ~reached)

    def reached(self, confidence: float) -> Bool[np.ndarray, " n"]:
        """Whether the probability of each label is at least ``confidence`` in the attacked image."""
        return np.asarray(self.scores_after >= confidence)

    def _probability(self, logits: Tensor) -> Float[np.ndarray, " n"]:
        shares = self.head.probabilities(logits.double())
        return np.asarray(shares.detach().numpy()[np.arange(len(logits)), self.labels])


def fgsm(
    model: Any,
    images: Any,
    targets: Labels | None = None,
    epsilon: float = EPSILON,
    threat: Threat = WHOLE_IMAGE,
) -> Attack:
    """One step of length epsilon along the steepest ascent of the cross-entropy, or descent where targeted.

    images (n, c, h, w) in [0, 1]; the model's own preprocessing comes after the perturbation. targets: one
    class id or class name per image, None for its own top class; the class to leave, or with
    ``threat.targeted`` to reach (then None is refused). epsilon: 0 to 1 in linf, 0 to sqrt(c h w) in l2.
    The step is made once, also where it does not raise the loss; images are clipped to [0, 1]. The model is
    left as it was found. Raises ValueError or TypeError naming the argument that does not fit, ModelError
    where the model has no gradients. Source: Goodfellow et al. (2015), "Explaining and Harnessing
    Adversarial Examples".

    >>> net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 3))
    >>> attack = fgsm(net, torch.full((2, 3, 2, 2), 0.5), epsilon=0.125)
    >>> attack.linf, bool((attack.scores_after < attack.scores_before).all())
    (array([0.125, 0.125]), True)
    """
    victim = Victim.of(model, images, targets, epsilon, threat)
    _, slope = victim.slope(torch.zeros_like(victim.ball.images))
    change = victim.ball.fit(victim.ball.epsilon * victim.ball.steepest(slope))
    return Attack.of(victim, change, gradients=len(change))


def pgd(
    model: Any,
    images: Any,
    targets: Labels | None = None,
    epsilon: float = EPSILON,
    threat: Threat = WHOLE_IMAGE,
    schedule: Schedule = Schedule(),
) -> Attack:
    """Projected gradient ascent of the cross-entropy, or descent where targeted; the best point is kept.

    Arguments and errors are those of ``fgsm``; ``schedule`` says how many steps, how long, from where. More
    steps of one length or more starts never lower the loss that is reached. Source: Madry et al. (2018),
    "Towards Deep Learning Models Resistant to Adversarial Attacks".

    >>> net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 3))
    >>> threat = Threat("l2", bands=("HH1",), levels=1)
    >>> attack = pgd(net, torch.full((2, 3, 4, 4), 0.5), [0, 2], 0.5, threat, Schedule(steps=5))
    >>> attack.gradients, bool((attack.l2 <= 0.5).all())
    (10, True)
    """
    victim = Victim.of(model, images, targets, epsilon, threat)
    ball, length = victim.ball, schedule.length(victim.ball.epsilon)
    best = torch.zeros_like(ball.images)
    highest = torch.full((len(best),), -torch.inf, device=best.device)
    generator = torch.Generator().manual_seed(schedule.seed)
    for start in range(schedule.starts):
        change = ball.random(generator) if start else torch.zeros_like(best)
        for _ in range(schedule.steps):
            loss, slope = victim.slope(change)
            best, highest = higher((best, highest), (change, loss))
            change = ball.fit(change + length * ball.steepest(slope))
        loss = victim.loss(victim.model.logits(ball.settled(change))).to(best.device)
        best, highest = higher((best, highest), (change, loss))
    return Attack.of(victim, best, gradients=len(best) * schedule.steps * schedule.starts)


def higher(known: tuple[Tensor, Tensor], found: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Of two sets of perturbations with their losses, for each image the one of higher loss."""
    (best, highest), (change, loss) = known, found
    higher = loss > highest
    return torch.where(higher[:, None, None, None], change, best), torch.where(higher, loss, highest)
