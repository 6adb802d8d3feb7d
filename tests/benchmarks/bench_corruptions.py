"""Images per second of `corrupt`, and of `imagecorruptions-imaug` where it is installed, as ratios.

Both on one core, images of 224x224, severity 3; the reference takes one image at a time.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import torch

from tests.stress.corruptions.agreement import cat
from wcam_widget import CORRUPTIONS, corrupt

REFERENCE = "imagecorruptions"
SEVERITY = 3


def seconds(work: Callable[[], object], rounds: int) -> float:
    """The least time of a few rounds, after one that is not counted."""
    work()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=16, help="images in a batch")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    images = cat().expand(given.count, -1, -1, -1)
    pixels = (cat().permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    reference = import_module(REFERENCE).corrupt if find_spec(REFERENCE) else None
    if reference is None:
        print("pip install imagecorruptions-imaug for the ratios")
    print("| corruption | images/s | reference | ratio |\n| --- | ---: | ---: | ---: |")
    ratios = []
    for name in CORRUPTIONS:
        rate = given.count / seconds(lambda name=name: corrupt(images, name, SEVERITY), given.rounds)
        theirs = ratio = ""
        if reference is not None:
            one = seconds(
                lambda name=name: reference(pixels, corruption_name=name, severity=SEVERITY), given.rounds
            )
            ratios.append(rate * one)
            theirs, ratio = f"{1 / one:.0f}", f"{rate * one:.2f}"
        print(f"| {name} | {rate:.0f} | {theirs} | {ratio} |")
    if ratios:
        print(f"| geometric mean | | | {np.exp(np.mean(np.log(ratios))):.2f} |")


if __name__ == "__main__":
    main()
