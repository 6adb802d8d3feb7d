"""What CAMERAS costs at 224 pixels with its eight sizes on ResNet-18, over the bare passes, and its memory.

Bare are the same eight images through the network and back, nothing kept. CAMERAS needs less: its backward
passes end at the layer. Memory is compared with what activations and gradients of all sizes take when each is
stretched over the image. With an accelerator its map is compared with that of the CPU.
"""

from __future__ import annotations

import argparse
import copy
import time

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from transformers import ResNetConfig, ResNetForImageClassification

from tests.benchmarks.timing import cpu_clock, peak_megabytes
from wcam_widget import BlackBox, Cameras

SIDE, CHANNELS = 224, 512


def resnet18() -> nn.Module:
    torch.manual_seed(0)
    config = ResNetConfig(
        depths=[2, 2, 2, 2], hidden_sizes=[64, 128, 256, CHANNELS], layer_type="basic", num_labels=1000
    )
    return ResNetForImageClassification(config).eval()


def bare(net: nn.Module, image: Tensor) -> None:
    """Forward and backward at every size, as plain as can be."""
    for size in Cameras().input_sizes((SIDE, SIDE)):
        shown = image if size == (SIDE, SIDE) else interpolate(image, size, mode="bicubic")
        shown = shown.clone().requires_grad_()
        torch.autograd.grad(net(shown).logits.max(), shown)


def compare_devices(net: nn.Module, image: Tensor) -> str:
    if not torch.cuda.is_available():
        return "not measured: torch.cuda.is_available() is False"
    there = BlackBox(copy.deepcopy(net).cuda(), precision="float32")
    (far,), (near,) = Cameras()(there, image, [0]), Cameras()(BlackBox(net), image, [0])
    return f"{abs(far.values - near.values).max():.1e}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    net, image = resnet18(), torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    model, method = BlackBox(net), Cameras()
    memory = {
        "bare": peak_megabytes(lambda: bare(net, image)),
        "CAMERAS": peak_megabytes(lambda: method(model, image, [0])),
    }
    ratios = []
    for _ in range(asked.repeats):
        started = cpu_clock()
        bare(net, image)
        between = cpu_clock()
        method(model, image, [0])
        ratios.append((cpu_clock() - between) / (between - started))
    stacks = len(method.input_sizes((SIDE, SIDE))) * 2 * CHANNELS * SIDE**2 * 4 / 2**20
    wall = time.perf_counter()
    method(model, image, [0])
    wall = time.perf_counter() - wall
    middle = sorted(ratios)[len(ratios) // 2]
    print(f"time over that of the bare passes: median {middle:.2f} of {asked.repeats}, {wall:.1f} s a map")
    print(f"peak memory: {memory['CAMERAS']:.0f} MB, of the bare passes alone {memory['bare']:.0f} MB")
    print(f"all stretched stacks: {stacks:.0f} MB; the peak is {memory['CAMERAS'] / stacks:.2f} of that")
    print(f"largest difference between the maps of the CPU and of CUDA: {compare_devices(net, image)}")


if __name__ == "__main__":
    main()
