"""How long a question waits while a run goes on, on a real network: a click is to be answered in 0.3 s.

Questions come at random moments of the default explanation, the first ones before any engine is ready. One
explanation for each engine; the machine should do nothing else.

    python tests/benchmarks/bench_click.py --threads 2
"""

from __future__ import annotations

import argparse
import random
import threading
import time

import numpy as np
import torch

from wcam_widget import Wcam, load_model, load_photos
from wcam_widget.show.explorer.session import Session
from wcam_widget.show.selection import Question


def waits(engine: str, photo: str, clicks: int) -> np.ndarray:
    """Seconds from each question to its answer."""
    model = load_model("efficientnet-lite0", engine=engine)
    session = Session(model, load_photos()[photo], None, Wcam(), lambda _snapshot: None)
    draw, taken = random.Random(0), []
    session.start()
    for number in range(clicks):
        time.sleep(draw.uniform(0.2, 1.0))
        answered = threading.Event()
        cells = tuple(draw.sample(range(len(session.probe.cells)), 20))
        started = time.perf_counter()
        session.ask(Question(cells, "keep"), "reader", number, answered.set, print)
        answered.wait()
        taken.append(time.perf_counter() - started)
    running = session.attribution is None or not session.attribution.complete
    session.close()
    if not running:
        raise RuntimeError("the run ended before the last question: ask fewer")
    return np.array(taken)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photo", default="cat", choices=list(load_photos()))
    parser.add_argument("--clicks", type=int, default=12)
    parser.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    for engine in ("auto", "torch"):
        taken = waits(engine, chosen.photo, chosen.clicks)
        print(
            f"engine={engine!r}: median {np.median(taken):.2f} s, longest {taken.max():.2f} s, "
            f"{(taken <= 0.3).sum()} of {len(taken)} questions answered within 0.3 s",
            flush=True,
        )


if __name__ == "__main__":
    main()
