"""What the benchmarks share: networks that tell the time of their own passes, and the memory of a process."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import ResNetConfig, ResNetForImageClassification, ViTConfig, ViTForImageClassification


def cpu_clock() -> float:
    """What this process has had of the processor, if it has one thread; else the clock on the wall."""
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def cuda_clock() -> torch.cuda.Event:
    """A mark among the device's work: reading a clock on the host would tell when the work was ordered."""
    mark = torch.cuda.Event(enable_timing=True)
    mark.record()
    return mark


class Timed(nn.Module):
    """A network that adds up what its own forward and backward passes take."""

    def __init__(self, net: nn.Module, clock: Callable[[], Any] = cpu_clock) -> None:
        super().__init__()
        self.net, self._clock = net, clock
        self.forget()

    def forget(self) -> None:
        self.images = self.backwards = 0
        self._marks: list[tuple[Any, Any]] = []

    def forward(self, images: Tensor) -> Tensor:
        started = self._clock()
        logits = self.net(images).logits
        self._marks.append((started, self._clock()))
        self.images += len(images)
        if logits.requires_grad and images.requires_grad:
            self.backwards += len(images)
            begun: list[Any] = []
            # The gradient passes the scores first and the network's input last.
            logits.register_hook(lambda _: begun.append(self._clock()))
            images.register_hook(lambda _: self._marks.append((begun.pop(), self._clock())))
        return logits

    @property
    def seconds(self) -> float:
        """Time inside the network since ``forget``."""
        if self._clock is cpu_clock:
            return sum(stop - start for start, stop in self._marks)
        torch.cuda.synchronize()
        return sum(start.elapsed_time(stop) for start, stop in self._marks) / 1000


def resnet50() -> nn.Module:
    torch.manual_seed(0)
    return ResNetForImageClassification(ResNetConfig(num_labels=1000)).eval()


def vit_b16() -> nn.Module:
    torch.manual_seed(0)
    return ViTForImageClassification(ViTConfig(num_labels=1000)).eval()


NETWORKS = {"ResNet-50": resnet50, "ViT-B/16": vit_b16}


def peak_megabytes(work: Callable[[], object]) -> float:
    """How far resident memory rises above where it stood; Linux lets a process forget its earlier peak."""
    status = Path("/proc/self/status")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _resident(status, "VmRSS")
    work()
    return _resident(status, "VmHWM") - before


def _resident(status: Path, line: str) -> float:
    (found,) = re.findall(rf"{line}:\s+(\d+) kB", status.read_text(encoding="ascii"))
    return int(found) / 1024
