"""The class scores in a network's answer as a module, which can be exported with it."""

from typing import final

from jaxtyping import Float
from torch import Tensor, nn

from wcam_widget.model.outputs import Choice, class_scores


@final
class ClassScores(nn.Module):
    """A network that gives its class scores alone, (n, k) in float32, whatever else it answers.

    >>> import torch
    >>> ClassScores(nn.Identity(), None)(torch.ones(2)).shape
    torch.Size([2, 1])
    """

    def __init__(self, net: nn.Module, choice: Choice | None) -> None:
        super().__init__()
        self.net = net
        self.choice = choice
        self.training = False

    def forward(self, rows: Float[Tensor, "n ..."]) -> Float[Tensor, "n k"]:
        """The class scores of rows of the network's input."""
        scores = class_scores(self.net(rows), self.choice)
        return (scores[:, None] if scores.ndim == 1 else scores).float()
