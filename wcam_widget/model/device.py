"""Where a network lives and how it runs there: device, autocast, eval mode."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch
from torch import Tensor, nn


def ensure_device(net: object, device: str | torch.device | None) -> torch.device:
    """Return the device a network is asked on: its own, or for one without tensors the device asked for.

    Raises ValueError, naming `device`, where it cannot be used here and where it is not the module's own.

    >>> ensure_device(nn.Linear(2, 2), None)
    device(type='cpu')
    """
    own = _own_device(net)
    if device is None:
        return own or torch.device("cpu")
    try:
        # An empty tensor has the device in full, "cuda" as "cuda:0", and shows whether it can be used at all.
        asked = torch.empty(0, device=device).device
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(f"device: {str(device)!r} cannot be used here: {error}") from error
    if own is not None and own != asked:
        raise ValueError(
            f"device: found {str(device)!r}, but net is on {str(own)!r}; "
            f"move it yourself, net.to({str(device)!r}), or leave device out"
        )
    return asked


def _own_device(net: object) -> torch.device | None:
    if not isinstance(net, nn.Module):
        return None
    return next((tensor.device for tensor in (*net.parameters(), *net.buffers())), None)


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
            f"{cause[0]}; it needs {needed}; without it, ask the BlackBox itself, which answers the same"
        ) from error


@contextmanager
def eval_mode(net: object) -> Iterator[None]:
    """Put every submodule in eval mode, then give each its own flag back, also when the body raises.

    The flags are set directly: `train()` and `eval()` may be overridden by a user's module and do more.

    >>> net = nn.Sequential(nn.Dropout())
    >>> with eval_mode(net):
    ...     net[0].training
    False
    >>> net[0].training
    True
    """
    training = [module for module in net.modules() if module.training] if isinstance(net, nn.Module) else []
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True
