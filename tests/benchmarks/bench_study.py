"""Studies: their cost over the bare method, what a kill leaves, memory, two workers of Ray.

    python tests/benchmarks/bench_study.py                    everything
    python tests/benchmarks/bench_study.py overhead kills     some of it: overhead, kills, memory, ray

Overhead is in seconds of the processor, which other programs on the machine change little; Ray against one
process is in seconds on the wall, each network on one thread, and says how busy the machine was.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from pyarrow import parquet

import wcam_widget as wcam
from wcam_widget.model import BlackBox
from wcam_widget.study import RayExecutor
from wcam_widget.study.executors_ray import cluster

NETWORK, ROWS, IMAGES, KILLS, FILES = "efficientnet-lite0", 4, 4, 10, 1500
os.environ |= {"RAY_worker_niceness": "0"}  # as one process; Ray's workers give way to others
ASK = {"profile": {"method": wcam.Wcam(wcam.Derivative(rows=ROWS))}}


def write_images(folder: Path, count: int, side: int = 256) -> None:
    """Crops of the bundled photographs as files."""
    folder.mkdir(parents=True)
    photos, generator = list(wcam.load_photos().values()), np.random.default_rng(0)
    for place in range(count):
        photo = photos[place % len(photos)].convert("RGB")
        left, top = (int(generator.integers(0, max(1, edge - side + 1))) for edge in photo.size)
        photo.crop((left, top, left + side, top + side)).save(folder / f"{place:05d}.png")


def overhead(folder: Path) -> None:
    """The processor's seconds for an image by the bare method and by a study, in turns."""
    model, method = wcam.load_model(NETWORK, engine="torch"), ASK["profile"]["method"]
    write_images(folder / "images", IMAGES)
    paths = sorted((folder / "images").iterdir())
    seconds = {"bare": [], "study": []}

    def bare(round_):
        for path in paths:
            method.last(model, model.fit(path), None).profile()

    def study(round_):
        wcam.Study(model, folder / "images", ASK, folder / f"out{round_}").run(progress=False)

    bare(-1)
    for round_ in range(5):
        for name, work in (("bare", bare), ("study", study))[:: 1 if round_ % 2 else -1]:
            start = time.process_time()
            work(round_)
            seconds[name].append((time.process_time() - start) / len(paths))
    ratio = np.array(seconds["study"]) / np.array(seconds["bare"]) - 1
    print(f"an image by the bare method   {np.median(seconds['bare']):8.3f} s of the processor")
    print(f"an image by a study           {np.median(seconds['study']):8.3f} s")
    median, low, high = (100 * value for value in (np.median(ratio), ratio.min(), ratio.max()))
    print(f"overhead, median of rounds    {median:8.2f} %  ({low:.2f} to {high:.2f})")
    tiny = np.array([_tiny(folder / f"tiny{i}", 300) for i in range(3)])
    print(
        f"of a study by itself          {1000 * np.median(tiny):8.3f} ms for an image (a network of no cost)"
    )


def _tiny(folder: Path, count: int) -> float:
    images = torch.rand(count, 3, 32, 32)
    study = wcam.Study(BlackBox(means), images, nothing, folder)
    start = time.process_time()
    study.run(progress=False)
    return (time.process_time() - start) / count


def means(images):
    """A network of no cost."""
    return images.mean((2, 3))


def nothing(model, image, label):
    """A task of no cost."""
    return {"value": 0.0}


def slowly(model, image, label):
    """A task of ten milliseconds."""
    time.sleep(0.01)
    return {"mean": float(image.mean())}


def kills(folder: Path) -> None:
    """A run killed at random moments, until it has ended: every row once, none damaged."""
    write_images(folder / "images", FILES, side=32)
    randomly, survived = random.Random(0), 0
    for _ in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, __file__, "--slowly", str(folder)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()  # its run begins
        time.sleep(randomly.uniform(0.0, 4.0))
        process.send_signal(signal.SIGKILL)
        process.wait()
        before, survived = survived, sum(_rows(folder / "out").values())
        print(f"  killed; {survived} rows, {survived - before} of them new")
    table = wcam.Study(BlackBox(means), folder / "images", slowly, folder / "out").run(progress=False).table()
    counts = _rows(folder / "out")
    print(
        f"{KILLS} kills: {len(table)} of {FILES} images, {sum(n > 1 for n in counts.values())} rows twice, ",
        end="",
    )
    print(f"{len(list((folder / 'out').glob('_damaged*')))} files damaged, {set(table['status'])}")


def _rows(folder: Path) -> Counter[str]:
    files = folder.glob("rows-*.parquet")
    return Counter(
        name for file in files for name in parquet.ParquetFile(file).read(["name"])["name"].to_pylist()
    )


def memory(folder: Path) -> None:
    """The most memory a process takes for a hundred images and for ten thousand."""
    for count in (100, 10_000):
        write_images(folder / f"images{count}", 100, side=32)
        for place in range(100, count):
            os.link(
                folder / f"images{count}/{place % 100:05d}.png", folder / f"images{count}/{place:05d}.png"
            )
        command = [sys.executable, __file__, "--memory", str(folder), str(count)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        print(f"{count:6d} images: {done.stdout}", end="")


def _memory(folder: Path, count: int) -> None:
    study = wcam.Study(BlackBox(means), folder / f"images{count}", "prediction", folder / f"out{count}")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    study.run(progress=False)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{before:.1f} MiB before, {after:.1f} MiB at most")


def ray(folder: Path) -> None:
    """Two workers of Ray against one process, each network on one thread."""
    torch.set_num_threads(1)
    write_images(folder / "images", 2 * IMAGES)
    with cluster(None):
        warm = wcam.Study(NETWORK, folder / "images", "prediction", folder / "warm", RayExecutor(2))
        warm.run(progress=False)
        seconds = {}
        for name, executor in (("one process", "serial"), ("two workers", RayExecutor(2))):
            study = wcam.Study(NETWORK, folder / "images", ASK, folder / name, executor)
            start, load = time.perf_counter(), os.getloadavg()[0]
            study.run(progress=False)
            seconds[name] = time.perf_counter() - start
            own = study.table()["seconds"].sum()
            print(f"{name}: {seconds[name]:.1f} s on the wall, {own:.1f} s in tasks; load before {load:.1f}")
    print(f"ratio {seconds['one process'] / seconds['two workers']:.2f}")


def main(names: list[str]) -> None:
    """Print the figures."""
    for name in names:
        print(f"--- {name}")
        with tempfile.TemporaryDirectory() as folder:
            PARTS[name](Path(folder))


PARTS = {"overhead": overhead, "kills": kills, "memory": memory, "ray": ray}
if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        _memory(Path(sys.argv[2]), int(sys.argv[3]))
    elif sys.argv[1:2] == ["--slowly"]:
        begun = wcam.Study(BlackBox(means), Path(sys.argv[2]) / "images", slowly, Path(sys.argv[2]) / "out")
        print("begins", flush=True)
        begun.run(progress=False)
    else:
        main(sys.argv[1:] or list(PARTS))
