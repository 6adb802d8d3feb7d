"""A target of the caller's own: any function of the scores of the classes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from wcam_widget.model.targets import AbstractTarget
from wcam_widget.text import printable


@final
@dataclass(frozen=True)
class Custom(AbstractTarget):
    """Any function from class scores (n, k) to one score per image (n,), row by row.

    Args:
        function: From class scores (n, k) to a tensor (n,); of torch operations where gradients are needed.
        name: What is explained, in words, for titles and files.

    Raises:
        TypeError, ValueError: When called, where the function returns anything but n finite numbers.

    Examples:
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
