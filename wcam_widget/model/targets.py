"""What is explained: a number per image, read from the scores of the classes."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, SupportsIndex, TypeAlias, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from wcam_widget.model.class_ids import ClassId, index_of, name_of, resolved
from wcam_widget.model.head import BY_DEFAULT, NONE, Head

if TYPE_CHECKING:
    TargetLike: TypeAlias = "AbstractTarget | SupportsIndex | str | None"
    TargetsLike: TypeAlias = "TargetLike | Sequence[TargetLike] | Tensor | np.ndarray"
else:
    # Checks at run time are our own: their errors name the argument as the caller wrote it.
    TargetLike = TargetsLike = Any


class AbstractTarget(ABC):
    """A number per image, made from the network's class scores; differentiable wherever torch can be."""

    head: ClassVar[Head] = BY_DEFAULT
    """What the scores mean; a target that is resolved for a model has that model's."""

    @abstractmethod
    def __call__(self, logits: Float[Tensor, "n k"]) -> Float[Tensor, " n"]:
        """Turn class scores (n, k) into one score per image (n,)."""

    @abstractmethod
    def resolve(self, count: int, class_names: Sequence[str] | None) -> "AbstractTarget":
        """This target with integer class ids, checked against the network's classes.

        Args:
            count: Classes of the network.
            class_names: Their names, in the order of their ids; None where they have none.

        Returns:
            A target without names.
        """

    @abstractmethod
    def label(self, class_names: Sequence[str] | None) -> str:
        """What is explained in words, e.g. "logit of brick-disc".

        Args:
            class_names: Names in the order of class ids; None where there are none.

        Returns:
            A few words.
        """

    @property
    @abstractmethod
    def unit(self) -> str:
        """What one unit of the score is, e.g. "logit"."""

    @staticmethod
    def ensure(
        target: "TargetLike",
        logits: Float[Tensor, " k"],
        class_names: Sequence[str] | None = None,
        head: Head = BY_DEFAULT,
    ) -> "AbstractTarget":
        """Make a target with integer class ids of what a caller may write.

        Args:
            target: None (the class with the highest score), a class id 0 to k-1, a class name, or a target.
            logits: Class scores of the explained image, (k,).
            class_names: The k names, in order; None where classes have numbers alone.
            head: What the scores mean.

        Returns:
            The target, its class ids checked against k; a plain class is a ``Logit``.

        Raises:
            ValueError: For an id outside 0 to k-1 and for an unknown name (close names are suggested).
            TypeError: For anything else; all messages begin with ``target``.

        Examples:
            >>> AbstractTarget.ensure("dog", torch.zeros(2), ("cat", "dog"))
            Logit(class_id=1)
            >>> AbstractTarget.ensure("dgo", torch.zeros(2), ("cat", "dog"))
            Traceback (most recent call last):
            ValueError: target: 'dgo' is not a class name; did you mean 'dog'?
        """
        count = logits.shape[0]
        if target is None:
            target = Logit(int(logits.argmax()))
        if not isinstance(target, AbstractTarget):
            if isinstance(target, bool) or not isinstance(target, str | SupportsIndex):
                raise TypeError(
                    f"target: found {type(target).__qualname__}; accepted are None, a class id, a class "
                    "name, Logit, Probability, Margin or Custom"
                )
            target = Logit(target)
        return target.resolve(count, class_names).under(head.with_classes(count))

    def under(self, head: Head) -> "AbstractTarget":
        """This target for a network whose class scores mean something else than the softmax's."""
        made = copy.copy(self)
        object.__setattr__(made, "head", head)
        return made

    def for_rows(self, start: int, stop: int) -> "AbstractTarget":
        """The target of images `start` to `stop` of a pass, where each image has a class of its own."""
        del start, stop
        return self


@final
@dataclass(frozen=True)
class Logit(AbstractTarget):
    """The score of one class as the network gives it, before any activation.

    Args:
        class_id: 0 to k-1, or a class name, which ``AbstractTarget.ensure`` replaces by its number.

    Examples:
        >>> Logit(1)(torch.tensor([[0.0, 2.0, -1.0]]))
        tensor([2.])
    """

    class_id: ClassId

    @override
    def __call__(self, logits: Float[Tensor, "n k"]) -> Float[Tensor, " n"]:
        return logits[:, resolved(self.class_id)]

    @override
    def resolve(self, count: int, class_names: Sequence[str] | None) -> "AbstractTarget":
        return replace(self, class_id=index_of(self.class_id, count, class_names))

    @override
    def label(self, class_names: Sequence[str] | None) -> str:
        return _named(self.head.score, self, class_names)

    def as_probability(self) -> AbstractTarget:
        """The probability of the class; this score itself where the model gives none."""
        return Probability(self.class_id).under(self.head) if self.head.bounded else self

    @property
    @override
    def unit(self) -> str:
        return self.head.score


@final
@dataclass(frozen=True)
class Probability(AbstractTarget):
    """The probability of one class, in [0, 1], by the model's activation, the softmax where it names none.

    Args:
        class_id: 0 to k-1, or a class name, which ``AbstractTarget.ensure`` replaces by its number.

    Raises:
        ValueError: Naming ``target``, where the model has no probabilities.

    Examples:
        >>> Probability(0)(torch.zeros(1, 4))
        tensor([0.2500])
        >>> Probability(0).under(Head("sigmoid"))(torch.zeros(1, 4))
        tensor([0.5000])
    """

    class_id: ClassId

    @override
    def __call__(self, logits: Float[Tensor, "n k"]) -> Float[Tensor, " n"]:
        return self.head.probabilities(logits)[:, resolved(self.class_id)]

    @override
    def resolve(self, count: int, class_names: Sequence[str] | None) -> "AbstractTarget":
        return replace(self, class_id=index_of(self.class_id, count, class_names))

    @override
    def label(self, class_names: Sequence[str] | None) -> str:
        return _named("probability", self, class_names)

    @property
    @override
    def unit(self) -> str:
        return "probability"

    @override
    def under(self, head: Head) -> AbstractTarget:
        if not head.bounded:
            why = "activation='none'" if head.activation == NONE else "the softmax of its single score is 1"
            raise ValueError(
                f"target: the model gives scores and no probabilities ({why}); accepted are Logit, Margin "
                "and Custom, or BlackBox(..., activation='sigmoid')"
            )
        return AbstractTarget.under(self, head)


@final
@dataclass(frozen=True)
class Margin(AbstractTarget):
    """How far the score of one class is above that of `other`, or of the best other class where it is None.

    Of logits, or of probabilities where the activation of the model is a function.

    Args:
        class_id: 0 to k-1, or a class name.
        other: Another class; None for the best other one of each image.

    Examples:
        >>> Margin(1)(torch.tensor([[0.0, 2.0, 1.5]]))
        tensor([0.5000])
        >>> Margin(1, other=0)(torch.tensor([[0.0, 2.0, 1.5]]))
        tensor([2.])
    """

    class_id: ClassId
    other: ClassId | None = None

    @override
    def __call__(self, logits: Float[Tensor, "n k"]) -> Float[Tensor, " n"]:
        wanted, values = resolved(self.class_id), logits
        if not self.head.named:  # it may order classes otherwise than their scores do
            values = self.head.probabilities(logits)
        if self.other is not None:
            return values[:, wanted] - values[:, resolved(self.other)]
        others = torch.cat((values[:, :wanted], values[:, wanted + 1 :]), dim=1)
        return values[:, wanted] - others.amax(dim=1)

    @override
    def resolve(self, count: int, class_names: Sequence[str] | None) -> "AbstractTarget":
        if count < 2:
            raise ValueError("target: Margin needs at least two classes, but net gives a single score")
        wanted = index_of(self.class_id, count, class_names)
        other = None if self.other is None else index_of(self.other, count, class_names)
        if other == wanted:
            raise ValueError(f"target: Margin compares class {wanted} with itself; give another `other`")
        return replace(self, class_id=wanted, other=other)

    @override
    def label(self, class_names: Sequence[str] | None) -> str:
        other = "the best other class" if self.other is None else name_of(self.other, class_names)
        return f"margin of {name_of(self.class_id, class_names)} over {other}"

    @property
    @override
    def unit(self) -> str:
        return f"{self.head.score if self.head.named else 'probability'} difference"


def _named(quantity: str, target: Logit | Probability, class_names: Sequence[str] | None) -> str:
    """A quantity of a class; of a network's only score where that has no name."""
    if class_names is None and target.head.classes == 1:
        return quantity
    return f"{quantity} of {name_of(target.class_id, class_names)}"


ensure_target = AbstractTarget.ensure
