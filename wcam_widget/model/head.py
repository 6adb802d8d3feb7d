"""What class scores mean: how they become probabilities, their log-odds, and the words for them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from wcam_widget.model.outputs import ModelError

SOFTMAX, SIGMOID, NONE = ACTIVATIONS = ("softmax", "sigmoid", "none")
Activation = str | Callable[[Tensor], Any]
CERTAIN = 1e-6  # a probability of a callable's is kept this far from 0 and 1 before its log-odds are taken


@final
@dataclass(frozen=True)
class Head:
    """The activation that turns class scores into probabilities.

    Args:
        activation: "softmax" for classes that exclude each other, "sigmoid" for independent labels, "none"
            for scores that are no probabilities, or a function from scores (n, k) to probabilities (n, k).
        classes: How many scores the network gives, None where that is not known. The softmax of a single
            score is 1 whatever the image: such a score is left as it is, like one of "none".

    >>> Head("sigmoid").probabilities(torch.zeros(1, 2))
    tensor([[0.5000, 0.5000]])
    >>> Head("softmax").with_classes(1).unit
    'score'
    """

    activation: Activation = SOFTMAX
    classes: int | None = None

    def with_classes(self, classes: int) -> "Head":
        """The head of a network with so many scores."""
        return replace(self, classes=classes)

    @property
    def named(self) -> bool:
        """Whether the activation is one of those known by name."""
        return isinstance(self.activation, str)

    @property
    def bounded(self) -> bool:
        """Whether there are probabilities, or only scores."""
        return self.activation != NONE and not (self.activation == SOFTMAX and self.classes == 1)

    @property
    def score(self) -> str:
        """The word for one class score."""
        return "logit" if self.bounded else "score"

    @property
    def unit(self) -> str:
        """The unit of ``probabilities``, in words for the screen."""
        if not self.bounded:
            return "score"
        if isinstance(self.activation, str):
            per_label = ", per label" if self.activation == SIGMOID and self.classes != 1 else ""
            return f"probability, {self.activation}{per_label}"
        return f"probability, {getattr(self.activation, '__name__', type(self.activation).__qualname__)}"

    def probabilities(self, logits: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        """Probabilities in [0, 1], differentiable; the scores themselves where there are none.

        Raises ModelError naming ``activation`` where a callable gives anything else.
        """
        if not self.with_classes(logits.shape[1]).bounded:
            return logits
        if self.activation == SOFTMAX:
            return logits.softmax(dim=1)
        if isinstance(self.activation, str):
            return logits.sigmoid()
        return _ensure_probabilities(self.activation(logits), logits)

    def log_odds(self, logits: Float[Tensor, "n k"], classes: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
        """Log p / (1 - p) of each row's class, where p is its probability.

        It orders as the probability does, but its gradient does not vanish where the network is certain; that
        of a callable activation does, beyond 1e-6 of certainty. Where there are no probabilities it is the
        score.

        >>> Head().log_odds(torch.tensor([[300.0, 0.0, 0.0]]), torch.tensor([0]))
        tensor([299.3069])
        >>> Head("sigmoid").log_odds(torch.tensor([[300.0, 0.0, 0.0]]), torch.tensor([0]))
        tensor([300.])
        """
        wanted = classes.to(logits.device)[:, None]
        if not self.named:
            own = self.probabilities(logits).gather(1, wanted)[:, 0]
            return own.clamp(CERTAIN, 1 - CERTAIN).logit()
        own = logits.gather(1, wanted)[:, 0]
        if self.activation != SOFTMAX or logits.shape[1] == 1:
            return own
        return own - logits.scatter(1, wanted, -torch.inf).logsumexp(1)


BY_DEFAULT = Head()


def ensure_activation(activation: Any) -> Activation:
    """An activation by its name or as a function; TypeError or ValueError naming it for anything else."""
    accepted = f"accepted are {', '.join(ACTIVATIONS)} and a function from scores (n, k) to probabilities"
    if isinstance(activation, str):
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation: found {activation!r}; {accepted}")
        return activation
    if not callable(activation):
        raise TypeError(f"activation: found {type(activation).__qualname__}; {accepted}")
    return cast("Callable[[Tensor], Any]", activation)


def _ensure_probabilities(shares: Any, logits: Tensor) -> Tensor:
    accepted = f"accepted are probabilities in [0, 1] of shape {tuple(logits.shape)}"
    if not isinstance(shares, Tensor):
        raise ModelError(f"activation: returned {type(shares).__qualname__}; {accepted}")
    if shares.shape != logits.shape:
        raise ModelError(f"activation: returned shape {tuple(shares.shape)}; {accepted}")
    low, high = (float(value) for value in shares.detach().aminmax())
    if not (low >= -CERTAIN and high <= 1 + CERTAIN):
        raise ModelError(f"activation: returned values in [{low:.4g}, {high:.4g}]; {accepted}")
    return shares.float()
