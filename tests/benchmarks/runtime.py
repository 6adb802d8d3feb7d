"""Rows that need no gradient and that no hook listens to, by ONNX Runtime: three times as many a second."""

from __future__ import annotations

import io
import warnings
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tests.benchmarks.folding import TOLERANCE


def with_runtime(net: nn.Module, network_input: Tensor) -> nn.Module:
    """The network, its plain forward passes run by ONNX Runtime; as it is where that is not installed.

    Raises RuntimeError where scores on ``network_input`` (n, c, h, w) differ by more than 1e-4.
    """
    if find_spec("onnxruntime") is None:
        return net
    by_torch = net.forward
    session = _session(net, network_input)

    def forward(batch: Tensor) -> Tensor:
        if torch.is_grad_enabled() or _is_listened_to(net):
            return by_torch(batch)
        rows = np.ascontiguousarray(batch.numpy())
        return torch.from_numpy(session.run(None, {"rows": rows})[0])

    with torch.inference_mode():
        difference = float((forward(network_input) - by_torch(network_input)).abs().max())
    if not difference <= TOLERANCE:
        raise RuntimeError(f"ONNX Runtime differs by {difference:.2g}; accepted is {TOLERANCE:.0e}")
    net.forward = forward  # type: ignore[method-assign]
    return net


def _session(net: nn.Module, network_input: Tensor) -> Any:
    import onnxruntime  # noqa: PLC0415 - only where it is installed

    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net,
            (network_input[:1],),
            file,
            input_names=["rows"],
            output_names=["scores"],
            dynamic_axes={"rows": {0: "n"}, "scores": {0: "n"}},
            dynamo=False,
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    return onnxruntime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])


def _is_listened_to(net: nn.Module) -> bool:
    return any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())
