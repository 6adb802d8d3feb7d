"""Derivatives of scores by what images are made of, and, where there are none, what cuts them."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wcam_widget.model.outputs import ModelError

INSTEAD = "Sobol needs no gradients"


def differentiated(values: Float[Tensor, " n"], leaf: Float[Tensor, "n ..."]) -> Tensor | None:
    """Differentiate each value by its own row of ``leaf``; None where no path leads there.

    Rows do not mix, so the gradient of the sum holds them all.

    >>> leaf = torch.ones(2, 3, requires_grad=True)
    >>> differentiated((leaf * torch.arange(3)).sum(1), leaf)
    tensor([[0., 1., 2.],
            [0., 1., 2.]])
    """
    if not values.requires_grad:
        return None
    (slope,) = torch.autograd.grad(values.sum(), leaf, allow_unused=True)
    return slope


def ensure_finite_slopes(slopes: Float[Tensor, "n ..."]) -> None:
    """Raise ModelError where a gradient is NaN or infinite."""
    finite = torch.isfinite(slopes).flatten(1).all(dim=1)
    if not bool(finite.all()):
        bad = int((~finite).sum())
        raise ModelError(f"net: the gradient is NaN or infinite for {bad} of {len(finite)} images; {INSTEAD}")


def cutting_module(net: nn.Module, network_input: Tensor) -> str | None:
    """Say which module of ``net`` ends the gradient: one whose output needs none although its input does.

    The network runs once more, its parameters frozen meanwhile so that they do not pass for a path from
    the input, and left as it was. None where every module passes the gradient on.

    >>> class Rounded(nn.Module):
    ...     def forward(self, x):
    ...         return x.detach().round()
    >>> cutting_module(nn.Sequential(nn.Linear(2, 2), Rounded(), nn.Linear(2, 1)), torch.ones(1, 2))
    "'1' (Rounded)"
    """
    ends: dict[str, nn.Module] = {}

    def watch(name: str, module: nn.Module) -> Any:
        def note(_module: nn.Module, given: Any, named: Any, answer: Any) -> None:
            came = any(tensor.requires_grad for tensor in _tensors((given, named)))
            left = list(_tensors(answer))
            if came and left and not any(tensor.requires_grad for tensor in left):
                ends[name] = module

        return module.register_forward_hook(note, with_kwargs=True)

    with ExitStack() as stack:
        stack.enter_context(_frozen(net))
        for name, module in net.named_modules():
            if isinstance(module, torch.jit.ScriptModule):  # takes no hooks
                continue
            stack.callback(watch(name, module).remove)
        stack.enter_context(torch.enable_grad())
        net(network_input.detach().clone().requires_grad_())
    # The modules around the one that cuts lose the gradient too; a side branch may have lost it before.
    inner = [name for name in ends if not any(_within(other, name) for other in ends)]
    if not inner:
        return None
    name = inner[-1]
    kind = type(ends[name]).__qualname__
    return f"{name!r} ({kind})" if name else f"{kind}.forward itself"


def _within(inner: str, outer: str) -> bool:
    return inner != outer and (not outer or inner.startswith(f"{outer}."))


def _tensors(answer: Any) -> Iterator[Tensor]:
    if isinstance(answer, Tensor):
        yield answer
    elif isinstance(answer, Mapping):
        for item in answer.values():
            yield from _tensors(item)
    elif isinstance(answer, tuple | list):
        for item in answer:
            yield from _tensors(item)


@contextmanager
def _frozen(net: nn.Module) -> Iterator[None]:
    learning = [parameter for parameter in net.parameters() if parameter.requires_grad]
    for parameter in learning:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in learning:
            parameter.requires_grad_()
