"""What Sobol adds to the network's own forwards, in time and in memory.

Times are ratios within one run: the time of the whole analysis over the time spent inside the network on the
same images in the same batches. Memory is the peak of the analysis less that of one batch through the model.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import ResNetConfig, ResNetForImageClassification

from wcam_widget import BlackBox, Sobol, Wcam

BATCH = 32


class Timed(nn.Module):
    """A network that adds up the time its own forwards take."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net, self.seconds, self.images = net, 0.0, 0

    def forward(self, images: Tensor) -> Tensor:
        started = time.perf_counter()
        logits = self.net(images).logits
        self.seconds += time.perf_counter() - started
        self.images += len(images)
        return logits


def resnet50() -> Timed:
    torch.manual_seed(0)
    return Timed(ResNetForImageClassification(ResNetConfig()).eval())


def overhead(wavelet: str, grid: int, rows: int) -> None:
    net = resnet50()
    model, image = BlackBox(net, batch_size=BATCH), torch.rand(3, 224, 224)
    model.logits(image[None])
    net.seconds, net.images = 0.0, 0
    started = time.perf_counter()
    list(Wcam(Sobol(rows=rows), wavelet=wavelet, grid=grid).steps(model, image))
    whole = time.perf_counter() - started
    print(
        f"Sobol, {wavelet}, 224x224, ResNet-50, {net.images} forwards in batches of {BATCH}: "
        f"{whole / net.seconds:.3f} times the bare forwards ({net.seconds / net.images * 1e3:.0f} ms each)",
        flush=True,
    )


def peak(work: Callable[[], object]) -> float:
    """Peak resident memory in MB while ``work`` runs; Linux lets a process forget its earlier peaks."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    work()
    (line,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(line) / 1024


def memory(wavelet: str, rows: int) -> None:
    """Print how much more the analysis takes than its batches alone; run in a process of its own."""
    net = resnet50()
    model = BlackBox(net, batch_size=BATCH)
    batch, image = torch.rand(BATCH, 3, 224, 224), torch.rand(3, 224, 224)
    method = Wcam(Sobol(rows=rows), wavelet=wavelet, grid=4)
    alone = max(peak(lambda: model.logits(batch)) for _ in range(5))
    more = peak(lambda: list(method.steps(model, image))) - alone
    print(f"peak memory above model and one batch, {wavelet}, {rows} rows: {more:.0f} MB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--memory", nargs=2, metavar=("WAVELET", "ROWS"))
    parser.add_argument("--rows", type=int, default=2)
    chosen = parser.parse_args()
    if chosen.memory:
        memory(chosen.memory[0], int(chosen.memory[1]))
        return
    for wavelet in ("haar", "db4"):
        overhead(wavelet, grid=4, rows=chosen.rows)
        for rows in (2, 6):
            subprocess.run([sys.executable, __file__, "--memory", wavelet, str(rows)], check=True)


if __name__ == "__main__":
    main()
