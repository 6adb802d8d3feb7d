"""What Sobol and Derivative add to the network's own passes in bfloat16 on an accelerator, and its speed.

Ratios are as on the CPU: the time of the whole analysis, on the clock on the wall, over the time the device
spends between the beginning and the end of the network's own passes in that same run. Then evaluations per
second, a whole map of 28x28 cells a band and 8 rows on ResNet-50, and how far bfloat16 is from float32.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr

from tests.benchmarks.timing import NETWORKS, Timed, cuda_clock
from wcam_widget import Attribution, BlackBox, Derivative, Sobol, Wcam

ASKED = 1.10


def clocked(model: BlackBox, method: Wcam, image: torch.Tensor) -> tuple[Attribution, float]:
    torch.cuda.synchronize()
    started = time.perf_counter()
    *_, attribution = method.steps(model, image, 0)
    torch.cuda.synchronize()
    return attribution, time.perf_counter() - started


def overhead(name: str, model: BlackBox, net: Timed, method: Wcam) -> None:
    image = torch.rand(3, 224, 224)
    clocked(model, method, image)  # learns the batch size, chooses kernels, compiles
    net.forget()
    attribution, whole = clocked(model, method, image)
    asked = attribution.evaluations + attribution.gradients
    ratio = whole / net.seconds
    print(
        f"{name}, {method.wavelet}, {type(method.analysis).__name__}: {ratio:.3f} times the bare passes "
        f"(asked: at most {ASKED}); {asked / whole:.0f} passes a second, {net.backwards} of them backward",
        flush=True,
    )


def whole_map(model: BlackBox, chosen: Any) -> None:
    method = Wcam(Sobol(chosen.rows), grid=chosen.grid)
    attribution, seconds = clocked(model, method, torch.rand(3, 224, 224))
    print(
        f"ResNet-50, haar, {chosen.grid}x{chosen.grid} cells a band, {chosen.rows} rows: {seconds:.1f} s for "
        f"{attribution.evaluations} evaluations, {attribution.evaluations / seconds:.0f} a second",
        flush=True,
    )


def precision(name: str) -> None:
    image, method = torch.rand(3, 224, 224), Wcam(Derivative(32))
    net = NETWORKS[name]().to("cuda")
    exact, fast = (BlackBox(net, precision=kind) for kind in ("float32", "bfloat16"))
    images = image * torch.linspace(0.5, 1.0, 64).reshape(-1, 1, 1, 1)
    wanted, near = exact.logits(images), fast.logits(images)
    (slow_map,), (fast_map,) = method(exact, image[None], [0]), method(fast, image[None], [0])
    print(
        f"{name}, bfloat16 against float32: scores differ by at most "
        f"{float((near - wanted).abs().max() / wanted.abs().max()):.1e} of the largest; Derivative maps by "
        f"{np.abs(fast_map.values - slow_map.values).max() / slow_map.values.max():.1e}, "
        f"Spearman {spearmanr(fast_map.values, slow_map.values)[0]:.4f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=8, help="rows of the whole map")
    parser.add_argument("--grid", type=int, default=28, help="cells per side of a band of the whole map")
    parser.add_argument("--compiled", action="store_true", help="ask the networks through torch.compile")
    chosen = parser.parse_args()
    if not torch.cuda.is_available():
        print("no accelerator here: torch.cuda.is_available() is False; nothing was measured")
        return
    how = "compiled" if chosen.compiled else "eager"
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, 224x224, bfloat16, {how}")
    for name, make in NETWORKS.items():
        bare = make().to("cuda")
        # Compiled inside the clock, so that the time inside is that of the compiled passes.
        net = Timed(torch.compile(bare, dynamic=True) if chosen.compiled else bare, cuda_clock)
        model = BlackBox(net)
        for wavelet in ("haar", "db4", "sym4"):
            overhead(name, model, net, Wcam(Sobol(4), wavelet=wavelet))
            overhead(name, model, net, Wcam(Derivative(32), wavelet=wavelet))
        if name == "ResNet-50":
            whole_map(BlackBox(make().to("cuda")), chosen)
        precision(name)


if __name__ == "__main__":
    main()
