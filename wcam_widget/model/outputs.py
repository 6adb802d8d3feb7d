"""What a network answers with, read into one shape: class scores (n, k), float32."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

_ACCEPTED = (
    "accepted are a tensor or array (n, k) or (n,), a tuple or list that holds one first, "
    "a mapping with 'logits' or with a single tensor, and an object with .logits"
)
_ROWS_SHOWN = 5


class ModelError(RuntimeError):
    """The network raised, or answered with something no score can be read from; the message says what."""


def read_scores(output: Any, rows: int) -> Float[Tensor, "n k"]:
    """Read class scores (n, k) in float32 from whatever a network returned for `rows` images.

    Keeps the gradient path and the device. Raises ModelError, naming `net`, for an answer without scores, a
    wrong number of rows and a wrong rank. Values are not looked at: that would wait for the device.

    >>> read_scores({"logits": torch.zeros(2, 3), "hidden": torch.zeros(2, 8)}, 2).shape
    torch.Size([2, 3])
    >>> read_scores(np.ones(4), 4).shape
    torch.Size([4, 1])
    """
    scores = _scores_in(output)
    if not (scores.dtype.is_floating_point or scores.dtype.is_complex):
        scores = scores.float()
    if scores.dtype.is_complex:
        raise ModelError(f"net: returned complex scores ({scores.dtype}); {_ACCEPTED}")
    if scores.ndim == 1:
        scores = scores[:, None]
    if scores.ndim != 2 or scores.shape[1] == 0:
        found = f"scores of shape {tuple(scores.shape)} for {rows} images"
        raise ModelError(f"net: returned {found}; {_ACCEPTED}")
    if scores.shape[0] != rows:
        raise ModelError(f"net: returned {scores.shape[0]} rows of scores for {rows} images")
    return scores.float()


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


def _scores_in(output: Any) -> Tensor:
    if isinstance(output, Tensor):
        return output
    if isinstance(output, np.ndarray):
        if output.dtype.kind not in "biufc":
            raise ModelError(f"net: returned an array of dtype {output.dtype}; {_ACCEPTED}")
        return torch.from_numpy(np.ascontiguousarray(output))
    # A ModelOutput of transformers is a mapping too; .logits says which entry holds the scores.
    named = getattr(output, "logits", None)
    if named is None and isinstance(output, Mapping):
        named = output["logits"] if "logits" in output else _only_array(list(output.values()), list(output))
    if named is None and isinstance(output, tuple | list) and output:
        named = next((item for item in output if isinstance(item, Tensor | np.ndarray)), None)
    if not isinstance(named, Tensor | np.ndarray):
        raise ModelError(f"net: returned {type(output).__qualname__} without scores; {_ACCEPTED}")
    return _scores_in(named)


def _only_array(items: list[Any], keys: list[Any]) -> Any:
    arrays = [item for item in items if isinstance(item, Tensor | np.ndarray)]
    if len(arrays) != 1:
        raise ModelError(
            f"net: returned a mapping with keys {keys}, no 'logits' and {len(arrays)} tensors; {_ACCEPTED}"
        )
    return arrays[0]
