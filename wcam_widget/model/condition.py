"""The condition of a network: whether its parameters and buffers are those of before."""

import weakref
from dataclasses import dataclass
from itertools import chain
from typing import Any, final

import torch
from torch import Tensor, nn

from wcam_widget.model.batches import uncompiled

_NAMED = 3  # of the tensors that changed


@dataclass(frozen=True)
class Version:
    """Which tensor, and which of its values: torch counts what is written into a tensor."""

    tensor: weakref.ReferenceType[Tensor]
    count: int
    place: int
    dtype: torch.dtype

    @classmethod
    def now(cls, tensor: Tensor) -> "Version":
        """The version of a tensor now."""
        try:
            count, place = tensor._version, tensor.data_ptr()  # noqa: SLF001 the only way to tell
        except RuntimeError:  # made in inference mode, or without a memory of its own: neither is counted
            count, place = 0, 0
        return cls(weakref.ref(tensor), count, place, tensor.dtype)


@final
@dataclass(frozen=True, eq=False)
class Condition:
    """The parameters and buffers of a network at one time, without their values.

    >>> net = nn.Linear(2, 2)
    >>> before = Condition.now(net)
    >>> with torch.no_grad():
    ...     _ = net.bias.add_(1)
    >>> before.changed()
    ['bias']
    """

    net: Any
    versions: dict[str, Version]

    @classmethod
    def now(cls, net: Any) -> "Condition":
        """The condition now; a plain callable has none."""
        return cls(net, versions_of(net))

    def changed(self) -> list[str]:
        """The names of the parameters and buffers that were written to, replaced, added or taken since."""
        now = versions_of(self.net)
        names = {**self.versions, **now}
        return [name for name in names if now.get(name) != self.versions.get(name)]

    def words(self) -> str:
        """What changed, for a reader; empty where nothing did."""
        names = self.changed()
        if not names:
            return ""
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        return f"the network changed while it was explained ({', '.join(names[:_NAMED])}{more})"


def versions_of(net: Any) -> dict[str, Version]:
    """The versions of a network's parameters and buffers, by name; none of a plain callable."""
    inner = uncompiled(net)
    if not isinstance(inner, nn.Module):
        return {}
    # A network's own passes may count themselves in a buffer of integers, which changes nothing; batch norm
    # counts where it moves its means, and these it writes without torch's notice.
    buffers = (
        (name, buffer)
        for name, buffer in inner.named_buffers()
        if buffer.is_floating_point() or name.endswith("num_batches_tracked")
    )
    return {name: Version.now(tensor) for name, tensor in chain(inner.named_parameters(), buffers)}
