"""What Sobol and Derivative add to the network's own passes, on the CPU: ratios within one run.

The time of the whole analysis stands over the time spent inside the network in that same run, on the same
images in the same batches: forwards for Sobol, forwards and backwards for Derivative. Few cells are asked,
which is the harder case: a larger part of the evaluations then needs a whole inverse transform. With one
thread time is the processor's, so that other programs on the machine do not count.
"""

from __future__ import annotations

import argparse

import torch

from tests.benchmarks.timing import NETWORKS, Timed, cpu_clock
from wcam_widget import BlackBox, Derivative, Sobol, Wcam

BATCH = 32
GRIDS = {"ResNet-50": 2, "ViT-B/16": 1}  # cells per side of a band: few, as these are minutes of forwards
WAVELETS = {"haar": 1.03, "db4": 1.10, "sym4": 1.10}
GRADIENTS = 1.10


def overhead(name: str, method: Wcam, asked: float) -> None:
    net = Timed(NETWORKS[name]())
    model, image = BlackBox(net, batch_size=BATCH, engine="torch"), torch.rand(3, 224, 224)
    model.logits(image.expand(2, -1, -1, -1))
    net.forget()
    started = cpu_clock()
    list(method.steps(model, image, 0))
    whole, inside = cpu_clock() - started, net.seconds
    passes = f"{net.images} forwards" + (f", {net.backwards} backwards" if net.backwards else "")
    title, each = f"{name}, {method.wavelet}, {type(method.analysis).__name__}", inside / net.images * 1e3
    print(
        f"{title}: {whole / inside:.3f} times the bare passes (asked: at most {asked}; {passes}, "
        f"{each:.0f} ms an image)",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", choices=NETWORKS, help="only this one")
    parser.add_argument("--rows", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    print(f"CPU, threads: {torch.get_num_threads()}, torch {torch.__version__}, 224x224, batches of {BATCH}")
    for name in [chosen.network] if chosen.network else NETWORKS:
        for wavelet, asked in WAVELETS.items():
            overhead(name, Wcam(Sobol(chosen.rows), wavelet=wavelet, grid=GRIDS[name]), asked)
        for wavelet in ("haar", "db4"):
            overhead(name, Wcam(Derivative(2 * chosen.rows), wavelet=wavelet, grid=8), GRADIENTS)


if __name__ == "__main__":
    main()
