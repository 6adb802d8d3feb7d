"""A network by ONNX Runtime: exported by torch, run in a few threads beside torch's own."""

from __future__ import annotations

import io
import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.jit._trace import TracerWarning

from wcam_widget.model.device import ordinary_tensors
from wcam_widget.model.engines.scores import ClassScores
from wcam_widget.model.outputs import Choice

NEEDED = ("onnxruntime", "onnx", "onnxscript")
MOST_ROWS = 8  # more at once are no faster, and take more memory
_TRIES = 3
_TURN = 5e-4  # seconds until an export hands the interpreter over, ten times sooner than it would by itself
_INPUT, _OUTPUT = "rows", "scores"
_EXPORTING = threading.Lock()  # torch exports one network at a time: whether it does is a global of its own
# What exporters say of themselves and of traces; scores are compared instead.
_KINDS: tuple[dict[str, Any], ...] = (
    {"category": TracerWarning},
    {"message": "You are using the legacy TorchScript-based ONNX export", "category": DeprecationWarning},
    {"module": r"torch\.(onnx|export|_export|jit|fx)\b"},
    {"module": "copyreg", "category": FutureWarning},
)


def missing() -> str:
    """The package that an export needs and that is not installed; empty where there is none."""
    return next((name for name in NEEDED if find_spec(name) is None), "")


def exported(
    net: nn.Module, choice: Choice | None, rows: Float[Tensor, "n ..."]
) -> Callable[[Tensor], Tensor]:
    """Export ``net``, a private copy, for any number of rows of the size of ``rows``.

    torch's older exporter takes a tenth of the time of the newer one, which is tried where that fails.

    Raises:
        ImportError: Where a package is not installed.
        Exception: What the newer exporter or ONNX Runtime raises.
    """
    if name := missing():
        raise ImportError(f'{name} is not installed, pip install "wcam_widget[fast]"')
    scores, two = ClassScores(net, choice), rows[:1].repeat(2, *[1] * (rows.ndim - 1))
    two[: len(rows)] = rows[:2]  # one row may be taken for a size that never changes
    return _Session(written(scores, two, any_number=True))


def written(scores: nn.Module, rows: Float[Tensor, "n ..."], *, any_number: bool) -> bytes:
    """Write a module as an ONNX file, for any number of rows or for as many as ``rows`` has.

    Raises:
        Exception: What the newer exporter raises.
    """
    with _EXPORTING, ordinary_tensors(), _in_short_turns():
        return _written(scores, rows, any_number=any_number)


def _written(scores: nn.Module, rows: Tensor, *, any_number: bool) -> bytes:
    for _ in range(_TRIES):
        with _silently() as is_silent:
            try:
                return _traced(scores, rows, any_number=any_number)
            except Exception:  # noqa: BLE001 whatever it stumbles over
                if is_silent():
                    break  # else it may have been a warning that counts as an error
    with _silently():
        return _captured(scores, rows, any_number=any_number)


def _traced(scores: nn.Module, rows: Tensor, *, any_number: bool) -> bytes:
    file = io.BytesIO()
    torch.onnx.export(
        scores,
        (rows,),
        file,  # type: ignore[arg-type]
        input_names=[_INPUT],
        output_names=[_OUTPUT],
        dynamic_axes={_INPUT: {0: "n"}, _OUTPUT: {0: "n"}} if any_number else None,
        dynamo=False,
    )
    return file.getvalue()


def _captured(scores: nn.Module, rows: Tensor, *, any_number: bool) -> bytes:
    program = torch.onnx.export(
        scores,
        (rows,),
        input_names=[_INPUT],
        output_names=[_OUTPUT],
        dynamic_shapes=({0: torch.export.Dim.DYNAMIC},) if any_number else None,
        dynamo=True,
        verbose=False,
    )
    if program is None:
        raise RuntimeError("the exporter gave no program")
    written: bytes = program.model_proto.SerializeToString()
    return written


@final
class _Session:
    """An exported network in ONNX Runtime; its threads do not spin while torch's work."""

    def __init__(self, written: bytes) -> None:
        runtime = import_module("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors, which are raised besides
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = runtime.InferenceSession(written, options, providers=["CPUExecutionProvider"])

    def __call__(self, rows: Float[Tensor, "n ..."]) -> Float[Tensor, "n k"]:
        parts = [np.ascontiguousarray(part.numpy()) for part in torch.split(rows, MOST_ROWS)]
        return torch.from_numpy(
            np.concatenate([self._session.run([_OUTPUT], {_INPUT: part})[0] for part in parts])
        )


@contextmanager
def _in_short_turns() -> Iterator[None]:
    """With threads that take turns more often: a network asks for the interpreter at each of its layers."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(_TURN, before))
    mine = sys.getswitchinterval()
    try:
        yield
    finally:
        if sys.getswitchinterval() == mine:  # else somebody else has set it meanwhile
            sys.setswitchinterval(before)


@contextmanager
def _silently() -> Iterator[Callable[[], bool]]:
    """Without the exporters' warnings and without what torch logs from this thread.

    Filters are put in and taken out one by one: ``warnings.catch_warnings`` would give other threads'
    filters back at a time of its own. Theirs may do so to ours; whether that happened is what is given.
    """
    mine = threading.get_ident()

    def others(record: logging.LogRecord) -> bool:
        return record.thread != mine

    loggers = [logging.getLogger(name) for name in (None, *logging.root.manager.loggerDict)]
    handlers = list({id(each): each for logger in loggers for each in logger.handlers}.values())
    before = list(warnings.filters)
    for kind in _KINDS:
        warnings.filterwarnings("ignore", **kind)
    added = [each for each in warnings.filters if each not in before]
    for handler in handlers:
        handler.addFilter(others)
    try:
        yield lambda: all(each in warnings.filters for each in added)
    finally:
        for handler in handlers:
            handler.removeFilter(others)
        for each in added:
            if each in warnings.filters:
                warnings.filters.remove(each)  # type: ignore[attr-defined]
