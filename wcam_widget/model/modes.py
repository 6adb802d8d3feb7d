"""Eval mode for the time of a batch, without undoing what others do to a network's modes meanwhile."""

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import nn

_TRAIN = "train"
_torchs_own: list[Callable[[nn.Module, bool], nn.Module]] = [nn.Module.train]


class _Called:
    """The modules, by identity, whose ``train`` was called."""

    def __init__(self) -> None:
        self.modules: set[int] = set()


# Weakly: one that an interrupt left behind goes with its batch.
_watching: weakref.WeakSet[_Called] = weakref.WeakSet()


@contextmanager
def eval_mode(net: object) -> Iterator[None]:
    """Put every submodule in eval mode, then give each its own flag back, also when the body raises.

    A flag is not given back where ``train()`` or ``eval()`` was called meanwhile, as from another thread: the
    later word counts. The flags are set directly, as both may be overridden and do more. An interrupt at any
    point leaves the modes as they were.

    >>> net = nn.Sequential(nn.Dropout())
    >>> with eval_mode(net):
    ...     net[0].training
    False
    >>> net[0].training
    True
    """
    changed: list[nn.Module] = []
    with _calls_of_train() as called:
        try:
            try:
                for module in net.modules() if isinstance(net, nn.Module) else ():
                    if getattr(module, "training", False):  # a frozen TorchScript module has no mode
                        changed.append(module)
                        module.training = False
                yield
            finally:
                _put_back(changed, called)
        finally:
            # Where an interrupt fell into the line above; else nothing is left to do.
            _put_back(changed, called)


def _put_back(changed: list[nn.Module], called: set[int]) -> None:
    while changed:
        module = changed[-1]
        if id(module) not in called:
            module.training = True
        changed.pop()


@contextmanager
def _calls_of_train() -> Iterator[set[int]]:
    """The modules whose ``train`` is called meanwhile, by identity; ``eval`` calls it too.

    A mode is a plain bool: that somebody set False where False was set already can be seen in no other way.
    No lock is held, which an interrupt might leave behind.
    """
    called = _Called()
    try:
        _watching.add(called)
        if nn.Module.train is not _noted:
            _torchs_own[0] = nn.Module.train
            setattr(nn.Module, _TRAIN, _noted)
        yield called.modules
    finally:
        _watching.discard(called)
        if not _watching and nn.Module.train is _noted:
            setattr(nn.Module, _TRAIN, _torchs_own[0])


def _noted(self: nn.Module, mode: bool = True) -> nn.Module:
    """``nn.Module.train``, noted by the batches that run."""
    for called in tuple(_watching):
        called.modules.add(id(self))
    return _torchs_own[0](self, mode)
