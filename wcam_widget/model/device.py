"""Where a network lives and how it runs there: device, autocast, gradient mode."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor, nn

P = ParamSpec("P")
R = TypeVar("R")


def ensure_device(net: object, device: str | torch.device | None) -> torch.device:
    """Return the device a network runs on: its own, or for one without tensors the caller's.

    Raises ValueError, naming `device`, where it cannot be used here and where it is not the module's own.

    >>> ensure_device(nn.Linear(2, 2), None)
    device(type='cpu')
    """
    own = _own_device(net)
    if device is None:
        return own or torch.device("cpu")
    try:
        # An empty tensor has the device in full, "cuda" as "cuda:0", and shows whether it can be used at all.
        wanted = torch.empty(0, device=device).device
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(f"device: {str(device)!r} cannot be used here: {error}") from error
    if own is not None and own != wanted:
        raise ValueError(
            f"device: found {str(device)!r}, but net is on {str(own)!r}; "
            f"move it yourself, net.to({str(device)!r}), or leave device out"
        )
    return wanted


def _own_device(net: object) -> torch.device | None:
    if not isinstance(net, nn.Module):
        return None
    return next((tensor.device for tensor in (*net.parameters(), *net.buffers())), None)


def is_quantised(net: nn.Module) -> bool:
    """Whether any part of a network computes in integers, which have no gradients.

    >>> is_quantised(nn.Linear(2, 2))
    False
    """
    return any("quantized" in type(module).__module__.split(".") for module in net.modules())


def moved(values: Tensor, device: torch.device) -> Tensor:
    """Bring a tensor to a device without waiting for what the device is doing.

    >>> moved(torch.ones(2), torch.device("cpu"))
    tensor([1., 1.])
    """
    if values.device == device:
        return values
    if device.type == "cuda" and values.device.type == "cpu" and not values.requires_grad:
        # Only from page-locked memory does a copy run beside the host.
        values = values.pin_memory()
    return values.to(device, non_blocking=device.type == "cuda")


def autocast(device: torch.device, *, reduced: bool) -> torch.autocast:
    """Run in bfloat16 where `reduced`, else in the tensors' own precision even inside a caller's autocast.

    Casts of weights are not cached: inside an autocast of the caller's, older torch gives those made in
    inference mode to a pass with gradients, which cannot use them. A network reads a weight about once.

    >>> with autocast(torch.device("cpu"), reduced=False):
    ...     (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
    torch.float32
    """
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=reduced, cache_enabled=False)


def of_compiler(error: BaseException) -> bool:
    """Whether torch's compiler raised an error, and not what it compiled.

    >>> of_compiler(ValueError("of the network"))
    False
    """
    return any(
        kind.__module__.startswith(("torch._dynamo", "torch._inductor")) for kind in type(error).__mro__
    )


@cache
def ensure_compiler(device_type: str) -> None:
    """Compile a small function; RuntimeError where torch.compile does not work for this kind of device."""
    try:
        torch.compile(torch.sin, dynamic=True)(torch.zeros(2, device=device_type))
    except Exception as error:
        needed = "Triton" if device_type == "cuda" else "a C++ compiler"
        cause = str(error).strip().splitlines() or [""]
        raise RuntimeError(
            f"compiled: torch.compile does not work for {device_type!r} here: {type(error).__name__}: "
            f"{cause[0]}; it needs {needed}; without it, use the BlackBox itself, which answers the same"
        ) from error


@contextmanager
def ordinary_tensors() -> Iterator[None]:
    """Without gradients, and without ``torch.inference_mode`` of the caller's, whose tensors can have none.

    >>> with torch.inference_mode(), ordinary_tensors():
    ...     torch.ones(2).is_inference(), torch.is_grad_enabled()
    (False, False)
    """
    with torch.inference_mode(mode=False), torch.no_grad():
        yield


def ordinary(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, with ``ordinary_tensors`` around it."""

    @wraps(function)
    def surrounded(*args: P.args, **named: P.kwargs) -> R:
        with ordinary_tensors():
            return function(*args, **named)

    return surrounded
