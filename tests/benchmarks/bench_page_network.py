"""The network in a saved page: the bytes it adds, and the milliseconds of a forward pass in Chromium.

The thread of the page is started as the page starts it; random images are scored one after another. The first
passes, in which the browser compiles, are not counted.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2]))  # run as a script, beside the package and its tools

from tools import chromium
from wcam_widget import BlackBox, Sobol, Wcam, explore, load_demo, load_model

PASSES = {"demo": (60, 10), "efficientnet-lite0": (12, 3)}  # and how many before them
MEASURE = """async ([size, passes, warm]) => {
  const text = (id) => document.getElementById(id).textContent;
  const bytes = Uint8Array.from(atob(text("wcam-network-0")), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const network = await new Response(stream).arrayBuffer();
  const worker = new Worker(URL.createObjectURL(new Blob([text("wcam-network")])));
  const ask = (content) => new Promise((resolve) => {
    worker.onmessage = ({data}) => resolve(data);
    worker.postMessage(content);
  });
  await ask({id: 0, network});
  const times = [];
  for (let id = 1; id <= warm + passes; id++) {
    const image = Float32Array.from({length: size}, Math.random);
    const {milliseconds, error} = await ask({id, image});
    if (error) throw new Error(error);
    times.push(milliseconds);
  }
  return times.slice(warm);
}"""


def measure(name: str, model: BlackBox, image: torch.Tensor, page: Page, folder: Path) -> None:
    """Print what the network of one explorer adds to its page, and how long it takes there."""
    with explore(model, image, method=Wcam(Sobol(rows=2), levels=3, grid=4)) as explorer:
        explorer.wait()
        bare = explorer.to_html(folder / "bare.html").stat().st_size
        started = time.perf_counter()
        path = explorer.to_html(folder / "model.html", model=True)
        seconds = time.perf_counter() - started
    page.goto(path.as_uri())
    page.locator("[data-wcam=reconstruction]").wait_for()
    passes, warm = PASSES[name]
    times = sorted(page.evaluate(MEASURE, [image.numel(), passes, warm]))
    print(
        f"{name} at {image.shape[1]}x{image.shape[2]}: {statistics.median(times):.0f} ms a forward pass, "
        f"p95 {times[int(0.95 * (len(times) - 1))]:.0f} ms, fastest {times[0]:.0f} ms ({passes} passes); "
        f"page {bare / 1e6:.2f} MB, with the model {path.stat().st_size / 1e6:.2f} MB, "
        f"written in {seconds:.1f} s",
        flush=True,
    )


def main() -> None:
    demo = load_demo()
    image = demo.images[0]
    larger = torch.nn.functional.interpolate(image[None], (224, 224), mode="bilinear")[0]
    executable = chromium.ensure()
    with sync_playwright() as player, tempfile.TemporaryDirectory() as folder:
        browser = player.chromium.launch(executable_path=executable, args=list(chromium.FLAGS))
        page = browser.new_page()
        page.set_default_timeout(600_000)
        measure("demo", demo.model, image, page, Path(folder))
        measure("efficientnet-lite0", load_model("efficientnet-lite0"), larger, page, Path(folder))
        browser.close()


if __name__ == "__main__":
    main()
