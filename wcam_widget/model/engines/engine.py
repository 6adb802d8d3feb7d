"""`Engine`: what runs the passes of a network, and why."""

from dataclasses import dataclass
from typing import final

ENGINES = ("auto", "torch", "onnx", "compiled")
LABELS = {
    "torch": "PyTorch",
    "fused": "PyTorch, fused",
    "onnx": "ONNX Runtime",
    "compiled": "torch.compile",
    "callable": "plain callable",
}


@final
@dataclass(frozen=True)
class Engine:
    """What runs the forward passes of a network that need no gradient, and why.

    Args:
        name: "torch", "fused" for torch with normalisation fused into convolutions, "onnx", "compiled", or
            "callable" for a plain callable, which runs as it is.
        reason: Why, in one line.
        gradients: What runs the passes that do need one, "PyTorch, fused"; empty for the network itself.

    Examples:
        >>> print(Engine("onnx", "checked on 9 images"))
        ONNX Runtime: checked on 9 images
    """

    name: str
    reason: str
    gradients: str = ""

    @property
    def label(self) -> str:
        """Its name for a reader, a short phrase."""
        return LABELS[self.name]

    @property
    def phrase(self) -> str:
        """Its name, and that of what runs the passes with gradients where that is another.

        >>> Engine("onnx", "chosen", LABELS["fused"]).phrase
        'ONNX Runtime; gradients by PyTorch, fused'
        """
        own = self.gradients in {"", self.label}
        return self.label if own else f"{self.label}; gradients by {self.gradients}"

    @property
    def is_plain(self) -> bool:
        """Whether it is the network itself, as it was given."""
        return self.name in {"torch", "callable"}

    def __str__(self) -> str:
        return f"{self.phrase}: {self.reason}"


def ensure_engine(engine: object) -> str:
    """Return the name of an engine to choose; ValueError naming ``engine`` for any other.

    >>> ensure_engine("auto")
    'auto'
    """
    if not isinstance(engine, str) or engine not in ENGINES:
        raise ValueError(f"engine: found {engine!r}; accepted are {', '.join(ENGINES)}")
    return engine
