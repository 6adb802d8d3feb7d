"""Fingerprints of models, images and options: equal where the same numbers come of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from wcam_widget.model import BlackBox
from wcam_widget.model.batches import uncompiled

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_BYTES = 16
_EXIF_ORIENTATION = 0x0112


def fingerprint(*values: Any) -> str:
    """A short digest of values, the same in every process and on every machine.

    Tensors and arrays count by their values, networks by their modules and weights, functions by their code
    and what it holds on to, other things by their class and attributes.

    >>> fingerprint(1, "a") == fingerprint(1, "a"), fingerprint(torch.zeros(2)) == fingerprint(torch.ones(2))
    (True, False)
    """
    digest = hashlib.blake2b(digest_size=_BYTES)
    _Walk(digest.update).put(values)
    return digest.hexdigest()


def of_bytes(content: bytes) -> str:
    """The digest of a file's content."""
    return hashlib.blake2b(content, digest_size=_BYTES).hexdigest()


def model_fingerprint(model: BlackBox) -> dict[str, str]:
    """What tells a model from another: its network, its weights, its preprocessing and its settings.

    >>> sorted(model_fingerprint(BlackBox(nn.Linear(2, 2))))
    ['architecture', 'classes', 'preprocessing', 'settings', 'weights']
    """
    net: Any = uncompiled(model.net)
    is_module = isinstance(net, nn.Module)
    return {
        "architecture": f"{type(net).__qualname__} {fingerprint(_layers(net))}"
        if is_module
        else "a function",
        "weights": fingerprint(net.state_dict() if is_module else net),
        "preprocessing": fingerprint(model.preprocess, model.framing, model.input_size),
        "classes": fingerprint(model.class_names),
        "settings": fingerprint(model.precision, model.activation),
    }


def _layers(net: nn.Module) -> list[tuple[str, str, str]]:
    return [(name, type(each).__qualname__, each.extra_repr()) for name, each in net.named_modules()]


def in_words(value: Any) -> str:
    """A value for a reader, without addresses, and with a digest where its words do not say all.

    >>> in_words(3), in_words((1, 2))
    ('3', '(1, 2) 93c549be')
    """
    words = _ADDRESS.sub("", repr(value))
    return words if isinstance(value, int | float | str | None) else f"{words} {fingerprint(value)[:8]}"


class _Walk:
    """Puts values into a digest, part by part; what holds itself is put in once."""

    def __init__(self, update: Callable[[bytes], None]) -> None:
        self.update, self.seen = update, dict[int, Any]()

    def put(self, value: Any) -> None:
        self.update(f"<{type(value).__module__}.{type(value).__qualname__}>".encode())
        if value is None or isinstance(value, bool | int | float | complex | str | bytes):
            self.update(_ADDRESS.sub("", repr(value)).encode())
        elif isinstance(value, torch.Tensor | np.ndarray):
            self._put_numbers(value)
        elif isinstance(value, torch.device | torch.dtype | np.dtype | type):
            self.update(str(value).encode())
        elif id(value) not in self.seen:
            self.seen[id(value)] = value  # kept, so that no other value gets its place in memory
            self._put_parts(value)

    def _put_numbers(self, value: Any) -> None:
        if isinstance(value, torch.Tensor):
            flat = value.detach().cpu().contiguous()
            self.update(f"{flat.dtype}{tuple(flat.shape)}".encode())
            self.update(flat.reshape(-1).view(torch.uint8).numpy().tobytes() if flat.numel() else b"")
        else:
            self.update(f"{value.dtype}{value.shape}".encode())
            self.update(np.ascontiguousarray(value).tobytes())

    def _put_parts(self, value: Any) -> None:
        for part in _parts(value):
            self.put(part)
        self.update(b"</>")


def _parts(value: Any) -> Iterable[Any]:
    """What a value consists of, in an order that does not depend on the process."""
    for kind, parts in _PARTS.items():
        if isinstance(value, kind):
            return parts(value)
    if is_dataclass(value):
        return [getattr(value, field.name) for field in fields(value)]
    own = getattr(value, "__dict__", None)
    return [own] if own else [_ADDRESS.sub("", repr(value))]


def _function_parts(value: FunctionType) -> list[Any]:
    cells = [cell.cell_contents for cell in value.__closure__ or ()]
    return [value.__qualname__, value.__code__, value.__defaults__, value.__kwdefaults__, cells]


def _picture_parts(value: Image.Image) -> list[Any]:
    turned = value.getexif().get(_EXIF_ORIENTATION)
    hints = [value.info.get("transparency"), value.getpalette(), turned, value.format]
    return [value.mode, value.size, value.tobytes(), *map(str, hints)]


_PARTS: dict[Any, Callable[[Any], list[Any]]] = {
    Mapping: lambda value: [part for pair in value.items() for part in pair],
    set | frozenset: lambda value: sorted(map(repr, value)),
    Sequence: list,
    CodeType: lambda value: [value.co_code, value.co_names, value.co_consts],
    FunctionType: _function_parts,
    MethodType: lambda value: [value.__func__, value.__self__],
    partial: lambda value: [value.func, value.args, value.keywords],
    nn.Module: lambda value: [_layers(value), value.state_dict()],
    Image.Image: _picture_parts,
}
