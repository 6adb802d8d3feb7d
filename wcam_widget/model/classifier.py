"""What the class scores of a model mean: names of classes, probabilities, and targets among them."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from wcam_widget.model.head import Activation, Head
from wcam_widget.model.outputs import Choice, Reader
from wcam_widget.model.targets import AbstractTarget, TargetLike


class Classifier:
    """The half of `BlackBox` that reads class scores (n, k), whatever they come from."""

    class_names: tuple[str, ...] | None
    activation: Activation
    _reader: Reader

    @property
    def head(self) -> Head:
        """What the class scores mean: the activation, and how many scores there are once one was seen."""
        return Head(self.activation, self._reader.classes)

    @property
    def output(self) -> Choice | None:
        """Which part of the network's answer holds the scores, where that was said."""
        return self._reader.choice

    @property
    def unit(self) -> str:
        """What `model(images)` gives, in words: "probability, softmax", or "score" where it is none."""
        return self.head.unit

    def target(self, target: TargetLike, logits: Float[Tensor, " k"]) -> AbstractTarget:
        """Make a target of this model of what a caller wrote.

        Args:
            target: None for the top class of ``logits``, a class id, a class name, or a target.
            logits: Class scores of the explained image, (k,).

        Raises:
            ValueError: For a class the model does not have.
            TypeError: For anything that is not a target.

        Examples:
            >>> import torch
            >>> from wcam_widget.model import BlackBox
            >>> BlackBox(lambda images: images, class_names=("cat", "dog")).target("dog", torch.zeros(2))
            Logit(class_id=1)
        """
        return AbstractTarget.ensure(target, logits, self.class_names, self.head)

    def probabilities(self, logits: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        """Turn class scores into probabilities by the activation; where it gives none they stay as they are.

        Args:
            logits: Class scores, (n, k).

        Returns:
            Probabilities in [0, 1], (n, k), or the scores themselves (`unit` says which).

        Examples:
            >>> import torch
            >>> from wcam_widget.model import BlackBox
            >>> BlackBox(lambda images: images, activation="sigmoid").probabilities(torch.zeros(1, 2))
            tensor([[0.5000, 0.5000]])
        """
        return self.head.probabilities(logits)
