"""What a reader's gestures cost a page: the work of its main thread up to the frame that shows it."""

from __future__ import annotations

import base64
from typing import Any, NamedTuple

import numpy as np
from playwright.sync_api import Page

from wcam_widget import Explorer
from wcam_widget.show.traits import NAMES

# A gesture is measured from its event to the end of the frame after it, layout and painting included. Work
# leaves out the wait for that frame. Whatever a gesture leaves for later is done before the next one.
MEASURE = """
(() => {
  const part = name => document.querySelector(`[data-wcam=${name}]`);
  const frame = work => new Promise(next => requestAnimationFrame(() => next(work?.())));
  const shown = () => new Promise(next => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => next(performance.now());
    port2.postMessage(0);
  });
  const rest = async () => {
    await new Promise(next => setTimeout(next, 300)); // the finest details wait for 120 ms
    await frame();
    await new Promise(next => requestIdleCallback(next, { timeout: 2000 }));
    await frame();
    await shown();
  };
  let painted = 0;
  for (const name of ["putImageData", "drawImage"]) {
    const { prototype } = CanvasRenderingContext2D, own = prototype[name];
    prototype[name] = function (...all) {
      own.apply(this, all);
      if (this.canvas.dataset.wcam === "reconstruction") painted = performance.now();
    };
  }
  const step = async gesture => {
    const opens = frame(() => performance.now());
    const began = performance.now();
    gesture();
    const handled = performance.now();
    await frame();
    const end = await shown();
    return { began, work: handled - began + end - await opens, shown: end - began };
  };
  const at = (canvas, x, y, more) => {
    const box = canvas.getBoundingClientRect();
    return { bubbles: true, pointerId: 1, isPrimary: true, button: 0,
      clientX: box.left + box.width * x, clientY: box.top + box.height * y, ...more };
  };
  const send = (canvas, type, ...place) => canvas.dispatchEvent(new PointerEvent(type, at(canvas, ...place)));
  const spread = index => [0.05 + 0.9 * ((index * 0.37) % 1), 0.05 + 0.9 * ((index * 0.61) % 1)];
  const click = index => {
    const place = spread(index);
    send(part("dyadic"), "pointerdown", ...place, { buttons: 1 });
    send(part("dyadic"), "pointerup", ...place);
  };
  const hover = index => send(part("dyadic"), "pointermove", ...spread(index));

  globalThis.measure = {
    async clicks(times) {
      const steps = [];
      for (let index = 0; index < times; index++) {
        await rest();
        painted = 0;
        const one = await step(() => click(index));
        if (painted === 0) continue; // it fell between bands
        await rest();
        steps.push({ ...one, complete: painted - one.began });
      }
      return steps;
    },
    async hovers(times) {
      const steps = [];
      for (let index = 0; index < times; index++) {
        await rest();
        steps.push(await step(() => hover(index)));
      }
      return steps;
    },
    async drag(times) {
      const slider = part("retention"), steps = [];
      HTMLElement.prototype.setPointerCapture = () => {}; // a made-up pointer cannot be captured
      send(slider, "pointerdown", 0.15, 0.5, { buttons: 1 });
      let before = await frame(() => performance.now());
      for (let index = 0; index < times; index++) {
        const place = 0.15 + 0.8 * index / times;
        const one = await step(() => send(slider, "pointermove", place, 0.5, { buttons: 1 }));
        const now = performance.now();
        steps.push({ ...one, frame: now - before });
        before = now;
      }
      send(slider, "pointerup", 0.95, 0.5);
      return steps;
    },
  };
})()
"""


class Times(NamedTuple):
    """Milliseconds: the median and the 95th percentile."""

    median: float
    p95: float

    @classmethod
    def of(cls, values: list[float]) -> Times:
        return cls(*(float(np.quantile(values, share)) for share in (0.5, 0.95)))

    def __str__(self) -> str:
        return f"{self.median:.0f} / {self.p95:.0f}"


def measured(page: Page, gesture: str, times: int) -> dict[str, Times]:
    """Times of a gesture ("clicks", "hovers" or "drag") by what they are of; MEASURE has run on the page."""
    steps: list[dict[str, float]] = page.evaluate(f"times => measure.{gesture}(times)", times)
    return {name: Times.of([one[name] for one in steps]) for name in steps[0] if name != "began"}


def live_state(explorer: Explorer) -> dict[str, Any]:
    """The traits of an explorer as the tests' own page takes them: bytes as base64 text."""
    state = {name: getattr(explorer, name) for name in (*NAMES, "_proto")}
    return {
        name: base64.b64encode(value).decode() if isinstance(value, bytes) else value
        for name, value in state.items()
    }
