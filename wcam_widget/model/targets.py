"""What is explained: a number per image, read from the scores of the classes."""

import difflib
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, SupportsIndex, final

import torch
from jaxtyping import Float, Int
from torch import Tensor
from typing_extensions import override

from wcam_widget.text import printable

ClassId = SupportsIndex | str


class AbstractTarget(ABC):
    """A number per image, made from the network's class scores; differentiable wherever torch can be."""

    @abstractmethod
    def __call__(self, logits: Float[Tensor, "n k"]) -> Float[Tensor, " n"]:
        """Turn class scores (n, k) into one score per image (n,)."""

    @abstractmethod
    def resolve(self, count: int, class_names: Sequence[str] | None) -> "AbstractTarget":
        """Return this target with integer class ids, checked against `count` classes."""

    @abstractmethod
    def label(self, class_names: Sequence[str] | None) -> str:
        """Say in words what is explained, e.g. "logit of brick-disc"."""

    @property
    @abstractmethod
    def unit(self) -> str:
        """What one unit of the score is, e.g. "logit"."""

    def of_rows(self, start: int, stop: int) -> "AbstractTarget":
        """The target of images `start` to `stop` of a pass, where each image has a class of its own."""
        del start, stop
        return self


@final
@dataclass(frozen=True)
class Logit(AbstractTarget):
    """The score of one class as the network gives it, before any softmax.

    `class_id` is an int in 0 .. k-1, or a class name that `ensure_target` replaces by its int.

    >>> Logit(1)(torch.tensor([[0.0, 2.0, -1.0]]))
    tensor([2.])
    """

    class_id: ClassId

    @override
    def __call__(self, logits: Float[Tensor, "n k"]) -> Float[Tensor, " n"]:
        return logits[:, _resolved(self.class_id)]

    @override
    def resolve(self, count: int, class_names: Sequence[str] | None) -> "AbstractTarget":
        return replace(self, class_id=_class_index(self.class_id, count, class_names))

    @override
    def label(self, class_names: Sequence[str] | None) -> str:
        return f"logit of {_name(self.class_id, class_names)}"

    @property
    @override
    def unit(self) -> str:
        return "logit"


@final
@dataclass(frozen=True)
class Probability(AbstractTarget):
    """The softmax probability of one class, in [0, 1]; the sigmoid where the network has a single score.

    `class_id` is an int in 0 .. k-1, or a class name that `ensure_target` replaces by its int.

    >>> Probability(0)(torch.zeros(1, 4))
    tensor([0.2500])
    >>> Probability(0)(torch.zeros(1, 1))
    tensor([0.5000])
    """

    class_id: ClassId

    @override
    def __call__(self, logits: Float[Tensor, "n k"]) -> Float[Tensor, " n"]:
        wanted = _resolved(self.class_id)
        if logits.shape[1] == 1:
            return torch.sigmoid(logits[:, wanted])
        return torch.softmax(logits, dim=1)[:, wanted]

    @override
    def resolve(self, count: int, class_names: Sequence[str] | None) -> "AbstractTarget":
        return replace(self, class_id=_class_index(self.class_id, count, class_names))

    @override
    def label(self, class_names: Sequence[str] | None) -> str:
        return f"probability of {_name(self.class_id, class_names)}"

    @property
    @override
    def unit(self) -> str:
        return "probability"


@final
@dataclass(frozen=True)
class Margin(AbstractTarget):
    """How far the score of one class is above that of `other`, or of the best other class where it is None.

    Positive exactly where the network prefers `class_id`. Both ids are ints in 0 .. k-1 or class names.

    >>> Margin(1)(torch.tensor([[0.0, 2.0, 1.5]]))
    tensor([0.5000])
    >>> Margin(1, other=0)(torch.tensor([[0.0, 2.0, 1.5]]))
    tensor([2.])
    """

    class_id: ClassId
    other: ClassId | None = None

    @override
    def __call__(self, logits: Float[Tensor, "n k"]) -> Float[Tensor, " n"]:
        wanted = _resolved(self.class_id)
        if self.other is not None:
            return logits[:, wanted] - logits[:, _resolved(self.other)]
        others = torch.cat((logits[:, :wanted], logits[:, wanted + 1 :]), dim=1)
        return logits[:, wanted] - others.amax(dim=1)

    @override
    def resolve(self, count: int, class_names: Sequence[str] | None) -> "AbstractTarget":
        if count < 2:
            raise ValueError("target: Margin needs at least two classes, but net gives a single score")
        wanted = _class_index(self.class_id, count, class_names)
        other = None if self.other is None else _class_index(self.other, count, class_names)
        if other == wanted:
            raise ValueError(f"target: Margin compares class {wanted} with itself; give another `other`")
        return replace(self, class_id=wanted, other=other)

    @override
    def label(self, class_names: Sequence[str] | None) -> str:
        other = "the best other class" if self.other is None else _name(self.other, class_names)
        return f"margin of {_name(self.class_id, class_names)} over {other}"

    @property
    @override
    def unit(self) -> str:
        return "logit difference"


@final
@dataclass(frozen=True)
class Custom(AbstractTarget):
    """Any function from class scores (n, k) to one score per image (n,), row by row.

    For gradients the function must be made of torch operations. Calling raises TypeError where it returns no
    tensor and ValueError where it returns anything but n finite numbers.

    >>> Custom(lambda logits: logits.logsumexp(dim=1), "evidence").label(None)
    'evidence'
    """

    function: Callable[[Tensor], Any]
    name: str

    @override
    def __call__(self, logits: Float[Tensor, "n k"]) -> Float[Tensor, " n"]:
        scores = self.function(logits)
        if not isinstance(scores, Tensor):
            raise TypeError(
                f"target: Custom function {self.name!r} returned {type(scores).__qualname__}; "
                f"accepted is a tensor ({logits.shape[0]},), one score per image"
            )
        if scores.shape != logits.shape[:1]:
            raise ValueError(
                f"target: Custom function {self.name!r} returned shape {tuple(scores.shape)} "
                f"for class scores of shape {tuple(logits.shape)}; "
                f"accepted is ({logits.shape[0]},), one score per image"
            )
        if not bool(torch.isfinite(scores).all()):
            raise ValueError(f"target: Custom function {self.name!r} returned NaN or infinite scores")
        return scores.float()

    @override
    def resolve(self, count: int, class_names: Sequence[str] | None) -> "AbstractTarget":
        return self

    @override
    def label(self, class_names: Sequence[str] | None) -> str:
        return printable(self.name)

    @property
    @override
    def unit(self) -> str:
        return "score"


def ensure_target(
    target: Any, logits: Float[Tensor, " k"], class_names: Sequence[str] | None = None
) -> AbstractTarget:
    """Make a target with integer class ids of what a caller may write.

    `target` is None (the class with the highest score in `logits`), a class id, a class name, or a target.
    `logits` (k,) are the scores of the image that is explained.

    Raises ValueError for an id outside 0 .. k-1 and for a name that is not a class (close names are
    suggested), TypeError for anything else; messages begin with `target`.

    >>> ensure_target("dog", torch.zeros(2), ("cat", "dog"))
    Logit(class_id=1)
    >>> ensure_target("dgo", torch.zeros(2), ("cat", "dog"))
    Traceback (most recent call last):
    ValueError: target: 'dgo' is not a class name; did you mean 'dog'?
    """
    if target is None:
        return Logit(int(logits.argmax()))
    if isinstance(target, AbstractTarget):
        return target.resolve(logits.shape[0], class_names)
    if isinstance(target, bool) or not isinstance(target, str | SupportsIndex):
        raise TypeError(
            f"target: found {type(target).__qualname__}; accepted are None, a class id, a class name, "
            "Logit, Probability, Margin or Custom"
        )
    return Logit(target).resolve(logits.shape[0], class_names)


def _class_index(class_id: ClassId, count: int, class_names: Sequence[str] | None) -> int:
    if isinstance(class_id, str):
        return _index_of_name(class_id, count, class_names)
    try:
        index = operator.index(class_id)
    except TypeError:
        raise TypeError(
            f"target: found a class id of type {type(class_id).__qualname__}; "
            "accepted are an int and a class name"
        ) from None
    if not 0 <= index < count:
        raise ValueError(f"target: class id {index} is out of range; net has classes 0 to {count - 1}")
    return index


def _index_of_name(name: str, count: int, class_names: Sequence[str] | None) -> int:
    if class_names is None:
        raise ValueError(
            f"target: {name!r} is a class name, but the model has none; "
            "give class_names to BlackBox, or a class id"
        )
    found = [index for index, known in enumerate(class_names) if known == printable(name)]
    if len(found) > 1:
        raise ValueError(f"target: {name!r} is the name of classes {found}; give the class id")
    if not found:
        close = difflib.get_close_matches(name, class_names, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(map(repr, close))}?" if close else f"the model has {count} classes"
        raise ValueError(f"target: {name!r} is not a class name; {hint}")
    return _class_index(found[0], count, class_names)


def log_odds(logits: Float[Tensor, "n k"], classes: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
    """Log p / (1 - p) of each row's class, where p is its probability.

    It orders as the probability does, but its gradient does not vanish where the network is certain.

    >>> log_odds(torch.tensor([[300.0, 0.0, 0.0]]), torch.tensor([0]))
    tensor([299.3069])
    """
    wanted = classes.to(logits.device)[:, None]
    own = logits.gather(1, wanted)[:, 0]
    if logits.shape[1] == 1:  # its probability is the sigmoid of the only score
        return own
    return own - logits.scatter(1, wanted, -torch.inf).logsumexp(1)


def _resolved(class_id: ClassId) -> int:
    if isinstance(class_id, str):
        raise ValueError(  # noqa: TRY004 - a name is a valid type, it only comes too early
            f"target: {class_id!r} has no class id yet; pass the target through ensure_target"
        )
    return operator.index(class_id)


def _name(class_id: ClassId, class_names: Sequence[str] | None) -> str:
    if isinstance(class_id, str):
        return class_id
    index = operator.index(class_id)
    return f"class {index}" if class_names is None else class_names[index]
