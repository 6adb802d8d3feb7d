"""How much a network computes for an image, counted, so that it is the same on a busy machine."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


def most_operations(net: nn.Module, row: Tensor) -> int:
    """A bound of the floating-point operations for one row (1, ...): every weight used at every place.

    >>> most_operations(nn.Conv2d(3, 4, 1, bias=False), torch.zeros(1, 3, 8, 8))
    1536
    """
    places = row.numel() // max(1, row.shape[1]) if row.ndim > 2 else 1
    return 2 * places * sum(parameter.numel() for parameter in net.parameters())


def operations(forward: Callable[[Tensor], Any], row: Tensor) -> int:
    """Count the floating-point operations of convolutions and matrix products for one row (1, ...).

    Random numbers that the network draws are given back.

    >>> operations(nn.Conv2d(3, 4, 1), torch.zeros(1, 3, 8, 8))
    1536
    """
    # In inference mode operations that consist of others are not taken apart, and pass unseen.
    counter = _Counter()
    with torch.inference_mode(mode=False), torch.no_grad(), torch.random.fork_rng(devices=()), counter:
        forward(row.clone())
    return counter.count


@final
class OperationCount:
    """The operations of one network for one row, counted once while it has the same modules."""

    def __init__(self) -> None:
        self._modules: list[int] = []
        self._count = 0

    def of(self, net: nn.Module, copied: nn.Module, row: Tensor) -> int:
        """Count those of a network in a copy of it; what the copy raises goes through.

        Args:
            net: The network.
            copied: A copy, which is run.
            row: Of its input, (1, ...).
        """
        modules = [id(module) for module in net.modules()]
        if modules != self._modules:
            self._count = operations(copied, row)
            self._modules = modules
        return self._count


@final
class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Only operations of this thread are seen, unlike by torch's FlopCounterMode, which hooks all modules."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        named = kwargs or {}
        answer = func(*args, **named)
        formula = flop_registry.get(getattr(func, "_overloadpacket", None))
        if formula is not None:
            self.count += int(formula(*args, **named, out_val=answer))
        return answer
