"""How quickly the explorer answers: the first map, and a click to the repainted reconstruction in Chromium.

A click is measured from the event to the end of the last painting of the reconstruction it causes, with the
wait for the browser's next frame and without it.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from skimage import data, transform
from torch import from_numpy

sys.path.insert(0, str(Path(__file__).parents[2]))  # run as a script, beside the package and its tools

from tools import chromium
from wcam_widget import Sobol, Wcam, explore, load_demo
from wcam_widget.show.explorer.explorer import STATIC

CLICKS = 40
MEASURE = """
async (clicks) => {
  const dyadic = document.querySelector("[data-wcam=dyadic]");
  const target = document.querySelector("[data-wcam=reconstruction]");
  const context = target.getContext("2d");
  const put = context.putImageData.bind(context);
  let painted = null;
  context.putImageData = (...a) => { put(...a); painted = performance.now(); };
  const frame = () => new Promise((next) => requestAnimationFrame(next));
  const box = dyadic.getBoundingClientRect();
  const found = [];
  for (let i = 0; i < clicks; i++) {
    await frame(); await frame();
    const at = { bubbles: true, pointerId: 1, isPrimary: true, button: 0,
      clientX: box.left + box.width * (0.05 + 0.9 * ((i * 0.37) % 1)),
      clientY: box.top + box.height * (0.05 + 0.9 * ((i * 0.61) % 1)) };
    painted = null;
    const began = performance.now();
    dyadic.dispatchEvent(new PointerEvent("pointerdown", { ...at, buttons: 1 }));
    dyadic.dispatchEvent(new PointerEvent("pointerup", at));
    const handled = performance.now();
    const tick = await frame();
    await frame();
    if (painted !== null) found.push([painted - began, handled - began + Math.max(0, painted - tick)]);
  }
  return found;
}
"""


def first_map() -> None:
    demo = load_demo()
    demo.model.logits(demo.images[:1])
    for image in demo.images[:3]:
        started = time.perf_counter()
        with explore(demo.model, image) as explorer:
            while not explorer._frame:
                time.sleep(0.002)
            print(
                f"first map of the demo model: {time.perf_counter() - started:.2f} s after the call",
                flush=True,
            )


def clicks(page: Page, side: int, folder: Path) -> None:
    photograph = transform.resize(data.astronaut(), (side, side), anti_aliasing=True).astype("float32")
    image = from_numpy(photograph).permute(2, 0, 1).contiguous()
    method = Wcam(Sobol(rows=2), grid=8)
    with explore(lambda images: images.mean((2, 3)), image, method=method) as explorer:
        explorer.wait()
        path = explorer.to_html(folder / f"{side}.html")
    page.goto(path.as_uri())
    page.wait_for_selector("[data-wcam=reconstruction]")
    found = page.evaluate(MEASURE, CLICKS)
    whole, work = (statistics.median(column) for column in zip(*found, strict=True))
    print(
        f"click to repainted reconstruction, {side}x{side}, haar: {work:.1f} ms of work, "
        f"{whole:.1f} ms with the wait for the next frame (median of {len(found)}; "
        f"slowest {max(one[1] for one in found):.1f} ms of work)",
        flush=True,
    )


def main() -> None:
    first_map()
    for name in ("widget.js", "standalone.js", "widget.css"):
        print(f"{name}: {(STATIC / name).stat().st_size / 1000:.1f} kB minified", flush=True)
    path = chromium.ensure()
    with sync_playwright() as player, tempfile.TemporaryDirectory() as folder:
        browser = player.chromium.launch(executable_path=path, args=list(chromium.FLAGS))
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        for side in (224, 512):
            clicks(page, side, Path(folder))
        browser.close()


if __name__ == "__main__":
    main()
