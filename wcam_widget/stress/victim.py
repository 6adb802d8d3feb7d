"""What an attack is made on: a model, images, and the log-odds that are raised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import torch
from jaxtyping import Float, Int
from torch import Tensor
from typing_extensions import override

from wcam_widget.model import (
    AbstractTarget,
    BlackBox,
    ImagesLike,
    Logit,
    ModelLike,
    TargetsLike,
    ensure_images,
)
from wcam_widget.model.head import BY_DEFAULT, Head
from wcam_widget.stress.threat import Ball, Threat


@final
@dataclass(frozen=True)
class LogOdds(AbstractTarget):
    """The log-odds against each image's own class, times ``sign``: the loss that attacks raise.

    Where the activation of the model is the sigmoid, they are against the label's own absence. With m these
    log-odds, the cross-entropy is log(1 + exp(m)): it rises with m, and its gradient points the same way. But
    that gradient is all but 0, and lost to rounding, where a network is certain; m's never is.

    >>> LogOdds((0, 0), 1.0)(torch.tensor([[0.0, 0.0, 0.0], [300.0, 0.0, 0.0]]))
    tensor([   0.6931, -299.3069])
    """

    classes: tuple[int, ...]
    sign: float
    head: Head = BY_DEFAULT  # type: ignore[misc] # a constant of other targets

    @override
    def __call__(self, logits: Float[Tensor, "n k"]) -> Float[Tensor, " n"]:
        return -self.sign * self.head.log_odds(logits, torch.tensor(self.classes))

    @override
    def for_rows(self, start: int, stop: int) -> LogOdds:
        return replace(self, classes=self.classes[start:stop])

    @override
    def resolve(self, count: int, class_names: Sequence[str] | None) -> AbstractTarget:
        return self

    @override
    def label(self, class_names: Sequence[str] | None) -> str:
        return "log-odds against each image's class"

    @property
    @override
    def unit(self) -> str:
        return "nat"


@final
@dataclass(frozen=True, eq=False)
class Victim:
    """A model, images on its device with their class scores, and what of them an attack raises."""

    model: BlackBox
    before: Float[Tensor, "n k"]
    loss: LogOdds
    ball: Ball

    @classmethod
    def prepare(
        cls, model: ModelLike, images: ImagesLike, targets: TargetsLike, epsilon: Any, threat: Threat
    ) -> Victim:
        """Check the arguments of an attack and score the clean images.

        Raises ValueError or TypeError naming the argument that does not fit.
        """
        network = BlackBox.ensure(model)
        batch = ensure_images(images, "images", network.fit)
        ball = threat.around(batch.to(network.device), epsilon)
        wanted = _ensure_length(targets, len(batch), threat)
        before = network.logits(batch)
        head = network.head.with_classes(before.shape[1])
        if not head.bounded:
            kind = "a single score per image" if head.classes == 1 else "scores that are no probabilities"
            raise ValueError(
                f"model: found {kind}; an attack needs classes, or labels (activation='sigmoid')"
            )
        labels = tuple(_label(number, each, before[number], network) for number, each in enumerate(wanted))
        return cls(network, before, LogOdds(labels, -1.0 if threat.targeted else 1.0, head), ball)

    def slope(self, change: Tensor) -> tuple[Tensor, Tensor]:
        """The loss (n,) and its gradient by every pixel, at a perturbation."""
        loss, slope = self.model.gradients(self.ball.settled(change), lambda batch: batch, self.loss)
        return loss.to(change.device), slope

    def part(self, rows: Int[Tensor, " m"]) -> Victim:
        """The victim of some of the images alone."""
        classes = tuple(self.loss.classes[row] for row in rows.tolist())
        return replace(
            self,
            before=self.before[rows.cpu()],
            loss=replace(self.loss, classes=classes),
            ball=replace(self.ball, images=self.ball.images[rows]),
        )


def _ensure_length(targets: Any, count: int, threat: Threat) -> list[Any]:
    if targets is None or isinstance(targets, int | AbstractTarget):
        wanted: list[Any] = [targets] * count
    elif isinstance(targets, str) or not hasattr(targets, "__len__"):
        raise TypeError(
            f"targets: found {type(targets).__qualname__}; accepted are None and one class per image"
        )
    else:
        wanted = list(targets)
    if len(wanted) != count:
        raise ValueError(f"targets: found {len(wanted)} entries for {count} images; one each is needed")
    if threat.targeted and any(each is None for each in wanted):
        raise ValueError(
            "targets: found None, but a targeted attack needs the class that each image should get"
        )
    return wanted


def _label(number: int, wanted: Any, logits: Tensor, model: BlackBox) -> int:
    """The class id of one entry of ``targets``; errors say which."""
    try:
        target = model.target(wanted, logits)
    except (TypeError, ValueError) as error:
        raise type(error)(f"targets[{number}]: {str(error).removeprefix('target: ')}") from None
    if isinstance(wanted, AbstractTarget) or not isinstance(target, Logit):
        raise TypeError(
            f"targets[{number}]: found {type(wanted).__qualname__}; "
            "accepted are a class id, a class name and None"
        )
    return int(target.class_id)
