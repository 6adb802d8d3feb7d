"""Gradient attacks: small changes of images that change what a model says, at any scale or at chosen ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from wcam_widget.model import ImagesLike, ModelLike, TargetsLike
from wcam_widget.model.head import BY_DEFAULT, SIGMOID, Head
from wcam_widget.stress.threat import Threat
from wcam_widget.stress.victim import Victim

WHOLE_IMAGE = Threat()
EPSILON = 8 / 255


@final
@dataclass(frozen=True)
class Schedule:
    """How ``pgd`` walks.

    Args:
        steps: Gradient steps of each walk, at least 1.
        size: Length of one step in the norm of the threat, above 0; None for 2.5 epsilon / steps.
        starts: Walks, at least 1; the first begins at the image itself, each other one at a random
            perturbation.
        seed: Of those.

    Raises:
        ValueError: Naming what is out of range.

    Examples:
        >>> Schedule(steps=10).length(0.02)
        0.005
    """

    steps: int = 20
    size: float | None = None
    starts: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "starts"):
            count = getattr(self, name)
            if int(count) != count or count < 1:
                raise ValueError(f"{name}: found {count!r}; accepted is an integer of at least 1")
        if self.size is not None and not 0.0 < self.size < float("inf"):
            raise ValueError(f"size: found {self.size!r}; accepted are None and a number above 0")

    def length(self, epsilon: float) -> float:
        """The length of one step."""
        return 2.5 * epsilon / self.steps if self.size is None else self.size


@final
@dataclass(frozen=True, eq=False)
class Attack:
    """What an attack made of images.

    Attributes:
        images: The attacked images, (n, c, h, w) in [0, 1], on the CPU.
        linf: Largest change of a value of each image, (n,), in the [0, 1] scale.
        l2: Euclidean size of each perturbation, (n,), over all channels and pixels.
        before: Class scores of the clean images, (n, k).
        after: Class scores of the attacked images, (n, k).
        labels: The class each attack was to leave, or, where ``threat.targeted``, to reach, (n,).
        epsilon: The bound of the perturbations, in the norm of the threat.
        threat: Its norm, aim and bands.
        gradients: Backward passes over one image, all images together.
        head: What the class scores mean.
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
    def from_change(cls, victim: Victim, change: Float[Tensor, "n c h w"], gradients: int) -> Attack:
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
        """Whether the probability of each label is at least ``confidence`` in the attacked image.

        Args:
            confidence: In (0, 1].

        Returns:
            (n,), one for each image.
        """
        return np.asarray(self.scores_after >= confidence)

    def _probability(self, logits: Tensor) -> Float[np.ndarray, " n"]:
        shares = self.head.probabilities(logits.double())
        return np.asarray(shares.detach().numpy()[np.arange(len(logits)), self.labels])


def fgsm(
    model: ModelLike,
    images: ImagesLike,
    targets: TargetsLike = None,
    epsilon: float = EPSILON,
    threat: Threat = WHOLE_IMAGE,
) -> Attack:
    """One step of length epsilon along the steepest ascent of the cross-entropy, or descent where targeted.

    The step is made once, also where it does not raise the loss; images are clipped to [0, 1]. The model is
    left as it was.

    Args:
        model: A ``BlackBox`` or a torch module; its own preprocessing comes after the perturbation.
        images: (n, c, h, w) in [0, 1], or a list of images.
        targets: One class id or class name per image; the class to leave, or with ``threat.targeted`` to
            reach. None for each image's own top class, refused where targeted.
        epsilon: 0 to 1 in linf, 0 to sqrt(c h w) in l2.
        threat: Norm, aim and bands.

    Returns:
        The attacked images with their sizes and class scores.

    Raises:
        ValueError: Naming the argument that does not fit.
        TypeError: Naming the argument, for another type.
        ModelError: Where the model has no gradients.

    References:
        Goodfellow, Shlens and Szegedy (2015), "Explaining and Harnessing Adversarial Examples", section 4.

    Examples:
        >>> net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 3))
        >>> attack = fgsm(net, torch.full((2, 3, 2, 2), 0.5), epsilon=0.125)
        >>> attack.linf, bool((attack.scores_after < attack.scores_before).all())
        (array([0.125, 0.125]), True)
    """
    victim = Victim.prepare(model, images, targets, epsilon, threat)
    _, slope = victim.slope(torch.zeros_like(victim.ball.images))
    change = victim.ball.fit(victim.ball.epsilon * victim.ball.steepest(slope))
    return Attack.from_change(victim, change, gradients=len(change))


def pgd(
    model: ModelLike,
    images: ImagesLike,
    targets: TargetsLike = None,
    epsilon: float = EPSILON,
    threat: Threat = WHOLE_IMAGE,
    schedule: Schedule = Schedule(),
) -> Attack:
    """Projected gradient ascent of the cross-entropy, or descent where targeted; the best point is kept.

    More steps of one length or more starts never lower the loss that is reached. The model is left as it was.

    Args:
        model: A ``BlackBox`` or a torch module; its own preprocessing comes after the perturbation.
        images: (n, c, h, w) in [0, 1], or a list of images.
        targets: One class id or class name per image; the class to leave, or with ``threat.targeted`` to
            reach. None for each image's own top class, refused where targeted.
        epsilon: 0 to 1 in linf, 0 to sqrt(c h w) in l2.
        threat: Norm, aim and bands.
        schedule: How many steps, how long, and from where.

    Returns:
        The attacked images with their sizes and class scores.

    Raises:
        ValueError: Naming the argument that does not fit.
        TypeError: Naming the argument, for another type.
        ModelError: Where the model has no gradients.

    References:
        Madry et al. (2018), "Towards Deep Learning Models Resistant to Adversarial Attacks", section 2.

    Examples:
        >>> net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 3))
        >>> threat = Threat("l2", bands=("HH1",), levels=1)
        >>> attack = pgd(net, torch.full((2, 3, 4, 4), 0.5), [0, 2], 0.5, threat, Schedule(steps=5))
        >>> attack.gradients, bool((attack.l2 <= 0.5).all())
        (10, True)
    """
    victim = Victim.prepare(model, images, targets, epsilon, threat)
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
    return Attack.from_change(victim, best, gradients=len(best) * schedule.steps * schedule.starts)


def higher(kept: tuple[Tensor, Tensor], tried: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Of two sets of perturbations with their losses, for each image the one of higher loss."""
    (best, highest), (change, loss) = kept, tried
    higher = loss > highest
    return torch.where(higher[:, None, None, None], change, best), torch.where(higher, loss, highest)
