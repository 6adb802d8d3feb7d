"""Hooks on a network for the time of one pass: what modules answered, and how scores change with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.graph import get_gradient_edge


@final
@dataclass(frozen=True, eq=False)
class ModuleOutput:
    """What one module answered, as it was before anything was done to it in place.

    ``edge`` is its place in the graph of gradients, None where it has none. ``single`` says that the module
    answered with this tensor alone, not with several things of which it is the first. ``given`` is the shape
    of the first tensor the module was given, empty where there was none.
    """

    name: str
    module: nn.Module
    answer: Tensor
    edge: Any
    single: bool
    given: tuple[int, ...]


@contextmanager
def listening(module: nn.Module, seen: list[ModuleOutput], name: str | None = None) -> Iterator[None]:
    """Note the answers of one module, or of all modules of a network where no name is given."""
    watched = [(name, module)] if name is not None else list(module.named_modules())
    watched = [each for each in watched if not isinstance(each[1], torch.jit.ScriptModule)]  # take no hooks

    def listen(label: str, watched_module: nn.Module) -> Any:
        def note(_module: nn.Module, given: Any, named: Any, answer: Any) -> Tensor | None:
            tensor = _first_tensor(answer)
            if tensor is None or not tensor.is_floating_point():
                return None
            # The edge stands for the value as it is now, whatever is done to it in place afterwards.
            edge = get_gradient_edge(tensor) if tensor.requires_grad else None
            # What follows gets a copy, so that nothing it does in place reaches what was noted. A copy inside
            # of a larger answer cannot be put back into every kind of it: there the note is the copy.
            single = tensor is answer
            noted = tensor.detach() if single else tensor.detach().clone()
            first = next((each for each in map(_first_tensor, (given, named)) if each is not None), None)
            shape = () if first is None else tuple(first.shape)
            seen.append(ModuleOutput(label, watched_module, noted, edge, single, shape))
            return tensor.clone() if single else None

        return watched_module.register_forward_hook(note, with_kwargs=True)

    with ExitStack() as stack:
        for label, each in watched:
            if label:
                stack.callback(listen(label, each).remove)
        yield


@contextmanager
def listening_to(modules: Sequence[tuple[str, nn.Module]]) -> Iterator[list[list[ModuleOutput]]]:
    """Note the answers of several modules under their names: a list for each, in their order."""
    runs = [list[ModuleOutput]() for _ in modules]
    with ExitStack() as stack:
        for (name, module), run in zip(modules, runs, strict=True):
            stack.enter_context(listening(module, run, name=name))
        yield runs


def _first_tensor(answer: Any) -> Tensor | None:
    if isinstance(answer, Tensor):
        return answer
    if isinstance(answer, tuple | list):
        return next((item for item in answer if isinstance(item, Tensor)), None)
    values = answer.values() if hasattr(answer, "values") else ()
    return next((item for item in values if isinstance(item, Tensor)), None)


def slopes_of(scores: Float[Tensor, " m"], seen: Sequence[ModuleOutput]) -> list[Tensor | None]:
    """Derivatives of each score by what was noted for its own image; None where no path leads there."""
    edges = [each.edge for each in seen if each.edge is not None]
    if not edges or not scores.requires_grad:
        return [None] * len(seen)
    slopes = iter(torch.autograd.grad(scores.sum(), edges, allow_unused=True))
    return [None if each.edge is None else next(slopes) for each in seen]
