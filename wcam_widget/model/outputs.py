"""What a network answers with, read into one shape: class scores (n, k), float32."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, NamedTuple, cast, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

_ACCEPTED = (
    "accepted are a tensor or array (n, k) or (n,), and a tuple, list, mapping or dataclass that holds one "
    "such tensor, or one by the name 'logits'"
)
_ROWS_SHOWN = 5
_DEEPEST = 8  # containers inside of each other; deeper ones hold themselves

Choice = int | str | Callable[[Any], Any]


class ModelError(RuntimeError):
    """The network raised, or answered with something no score can be read from; the message says what."""


@dataclass(frozen=True)
class _Form:
    """What answers of one network have in common."""

    classes: int
    rank: int
    kind: str
    device: str

    def __str__(self) -> str:
        shape = "(n,)" if self.rank == 1 else f"(n, {self.classes})"
        return f"{self.kind} scores {shape} on {self.device}"


@final
class Reader:
    """Reads class scores out of a network's answers, which must be alike from the first to the last.

    ``choice`` says which of several tensors holds the scores: an index, a key, the name of an attribute, or a
    function of the answer; None where there is no choice.

    >>> Reader("b").read({"a": torch.zeros(2, 3), "b": torch.zeros(2, 4)}, 2).shape
    torch.Size([2, 4])
    """

    def __init__(self, choice: Choice | None = None) -> None:
        self.choice = choice
        self._first: _Form | None = None

    @property
    def classes(self) -> int | None:
        """How many scores an image has; None before the first answer."""
        return None if self._first is None else self._first.classes

    def read(self, output: Any, rows: int) -> Float[Tensor, "n k"]:
        """Class scores of ``rows`` images, as ``read_scores``.

        Raises ModelError, also where the number of classes, the rank, the kind of dtype or the device is not
        that of the first answer.
        """
        scores, form = _read(output, rows, self.choice)
        first = self._first = self._first or form
        if form != first:
            raise ModelError(
                f"net: returned {form}, but {first} before; one map cannot mix them: if the network was "
                "changed on purpose, make a new BlackBox of it"
            )
        return scores


def read_scores(output: Any, rows: int, choice: Choice | None = None) -> Float[Tensor, "n k"]:
    """Read class scores (n, k) in float32 from whatever a network returned for `rows` images.

    Keeps the gradient path and the device. Where there are several tensors, the one named "logits" counts, as
    in transformers; else of those with one or two dimensions there must be one. Raises ModelError, naming
    `net`, for an answer without scores or with more than one candidate, a wrong number of rows and a wrong
    rank. Values are not looked at: that would wait for the device.

    >>> read_scores({"logits": torch.zeros(2, 3), "hidden": torch.zeros(2, 8)}, 2).shape
    torch.Size([2, 3])
    >>> read_scores(np.ones(4), 4).shape
    torch.Size([4, 1])
    """
    return _read(output, rows, choice)[0]


def class_scores(output: Any, choice: Choice | None) -> Tensor:
    """Return the tensor of an answer that holds its class scores, as it is there.

    >>> class_scores({"logits": torch.zeros(2), "hidden": torch.zeros(2, 8)}, None)
    tensor([0., 0.])
    """
    return _scores_in(output if choice is None else _chosen(output, choice))


def ensure_choice(output: Any) -> Choice | None:
    """What says which tensor holds the scores; TypeError naming ``output`` for anything else."""
    if output is None or (isinstance(output, int | str) and not isinstance(output, bool)):
        return output
    if callable(output):
        return cast("Callable[[Any], Any]", output)
    raise TypeError(
        f"output: found {type(output).__qualname__}; accepted are None, an index, a key, the name of an "
        "attribute and a function of what net returns"
    )


def ensure_finite(scores: Float[Tensor, "n k"], first: int = 0) -> None:
    """Raise ModelError, saying which rows, where scores are NaN or infinite; ``first`` is that of row 0.

    >>> ensure_finite(torch.zeros(2, 3))
    """
    finite = torch.isfinite(scores).all(dim=1)
    if bool(finite.all()):
        return
    bad = [first + row for row in (~finite).nonzero().flatten().tolist()]
    shown = ", ".join(map(str, bad[:_ROWS_SHOWN])) + (", …" if len(bad) > _ROWS_SHOWN else "")
    kind = "NaN" if bool(torch.isnan(scores).any()) else "infinite"
    raise ModelError(
        f"net: returned {kind} scores for {len(bad)} of {len(scores)} images of a batch (images {shown})"
    )


@contextmanager
def blaming_scores(answers: Sequence[Tensor], first: int = 0) -> Iterator[None]:
    """Say that class scores are NaN or infinite, where that is why a target of them raises in the body."""
    try:
        yield
    except (TypeError, ValueError):
        for scores in answers:
            ensure_finite(scores.detach(), first)
        raise


def _read(output: Any, rows: int, choice: Choice | None) -> tuple[Tensor, _Form]:
    scores = class_scores(output, choice)
    kind = _kind(scores)
    if kind == "complex":
        raise ModelError(f"net: returned complex scores ({scores.dtype}); {_ACCEPTED}")
    if scores.device.type == "meta":
        raise ModelError("net: returned scores on the meta device, which holds no values; give it weights")
    rank = scores.ndim
    if rank == 1:
        scores = scores[:, None]
    if scores.ndim != 2 or scores.shape[1] == 0:
        kinds = f"scores of shape {tuple(scores.shape)} for {rows} images"
        raise ModelError(f"net: returned {kinds}; {_ACCEPTED}")
    if scores.shape[0] != rows:
        raise ModelError(f"net: returned {scores.shape[0]} rows of scores for {rows} images")
    return scores.float(), _Form(scores.shape[1], rank, kind, str(scores.device))


def _kind(scores: Tensor) -> str:
    if scores.dtype.is_complex:
        return "complex"
    if scores.dtype.is_floating_point:
        return "float"
    return "bool" if scores.dtype == torch.bool else "integer"


class _Leaf(NamedTuple):
    """A tensor inside of an answer, and how to get there, in Python."""

    path: str
    array: Tensor | np.ndarray

    @property
    def is_named(self) -> bool:
        return self.path.endswith((".logits", "['logits']"))

    @property
    def is_float(self) -> bool:
        dtype = self.array.dtype
        return dtype.is_floating_point if isinstance(dtype, torch.dtype) else dtype.kind == "f"

    def __str__(self) -> str:
        return f"{self.path} {tuple(self.array.shape)}"


def _scores_in(output: Any) -> Tensor:
    """The one tensor of an answer that can be its scores."""
    leaves = list(_leaves(output))
    named = [leaf for leaf in leaves if leaf.is_named]
    if len(named) == 1:
        return _tensor(named[0].array)
    flat = {id(leaf.array): leaf for leaf in leaves if leaf.array.ndim in (1, 2)}
    candidates = [leaf for leaf in flat.values() if leaf.is_float] or list(flat.values())
    if len(candidates) > 1:
        shown = ", ".join(map(str, candidates[:_ROWS_SHOWN]))
        raise ModelError(
            f"net: returned {type(output).__qualname__} with {len(candidates)} tensors that may be the class "
            f"scores: {shown}; choose one, e.g. BlackBox(net, output={_choice_of(candidates[-1].path)})"
        )
    candidates = candidates or leaves
    if len(candidates) != 1:
        shapes = f" (it holds {', '.join(map(str, leaves[:_ROWS_SHOWN]))})" if leaves else ""
        raise ModelError(f"net: returned {type(output).__qualname__} without scores{shapes}; {_ACCEPTED}")
    return _tensor(candidates[0].array)


def _leaves(answer: Any, path: str = "", depth: int = 0) -> Iterator[_Leaf]:
    if isinstance(answer, Tensor | np.ndarray):
        yield _Leaf(path, answer)
    elif depth < _DEEPEST:
        for step, part in _parts(answer):
            yield from _leaves(part, path + step, depth + 1)


def _parts(answer: Any) -> list[tuple[str, Any]]:
    """What a container holds, each with the step that leads there."""
    if isinstance(answer, Mapping):  # a ModelOutput of transformers is one too
        return [(f"[{key!r}]", answer[key]) for key in answer]
    if isinstance(answer, tuple) and hasattr(answer, "_fields"):
        return [(f".{name}", getattr(answer, name)) for name in answer._fields]
    if isinstance(answer, tuple | list):
        return [(f"[{index}]", part) for index, part in enumerate(answer)]
    if is_dataclass(answer):
        return [(f".{field.name}", getattr(answer, field.name)) for field in fields(answer)]
    named = getattr(answer, "logits", None)
    return [] if named is None else [(".logits", named)]


def _choice_of(path: str) -> str:
    """What to write for ``output`` to get at a path: an index, a key or a name, else a function.

    >>> _choice_of("[1]"), _choice_of("['scores']"), _choice_of(".scores"), _choice_of("[0]['a']")
    ('1', "'scores'", "'scores'", "lambda answer: answer[0]['a']")
    """
    if path.startswith("[") and path.count("[") == 1 and "." not in path:
        return path[1:-1]
    if path.startswith(".") and path[1:].isidentifier():
        return repr(path[1:])
    return f"lambda answer: answer{path}"


def _chosen(output: Any, choice: Choice) -> Any:
    """The part of an answer that the caller chose; ModelError naming ``output`` where there is no such."""
    if callable(choice):
        try:
            return choice(output)
        except Exception as error:
            raise ModelError(f"output: raised {type(error).__name__}: {error}") from error
    if isinstance(output, Tensor | np.ndarray):
        raise ModelError(
            f"output: found {choice!r}, but net returned a single tensor of shape {tuple(output.shape)}, of "
            "which nothing is to choose; leave output out"
        )
    try:
        return output[choice]
    except (KeyError, IndexError, TypeError):
        part = getattr(output, choice, None) if isinstance(choice, str) else None
    if part is None:
        held = ", ".join(map(str, _leaves(output))) or "no tensors"
        raise ModelError(
            f"output: {choice!r} is not in what net returned, {type(output).__qualname__} with {held}"
        )
    return part


def _tensor(array: Tensor | np.ndarray) -> Tensor:
    if isinstance(array, Tensor):
        return array
    if array.dtype.kind not in "biufc":
        raise ModelError(f"net: returned an array of dtype {array.dtype}; {_ACCEPTED}")
    return torch.from_numpy(np.ascontiguousarray(array))
