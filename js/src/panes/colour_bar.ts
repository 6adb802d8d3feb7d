/** A colour bar: the map, three ticks with their values, and the unit in words. */

import { context2d, element, setText } from "../draw/dom";
import { type Scale, valueAt } from "../picture/scale";
import { formatValue } from "../picture/words";
import type { ReadonlySignal } from "../reactive/signal";
import type { ViewContext } from "./context";

const TICKS = [0, 0.5, 1];

export function colourBar(
  context: ViewContext,
  scale: ReadonlySignal<Scale>,
  words: () => string,
): HTMLElement {
  const strip = element("canvas", { width: 256, height: 1, "aria-hidden": "true" });
  const ticks = TICKS.map(() => element("span"));
  const unit = element("p");
  const colours = context.colours(scale);
  context.bind(() => {
    const { table } = colours.value;
    context.repaint.request(() => paintStrip(strip, table));
  });
  context.bind(() => {
    const now = scale.value;
    TICKS.forEach((tick, at) => {
      const value = valueAt(now, tick);
      const text = now.top === 0 && tick > 0 ? "–" : formatValue(value, now.top);
      if (ticks[at]) setText(ticks[at], text);
    });
    setText(unit, words() + (now.root ? " (square-root scale)" : ""));
  });
  return element("div", { class: "wcam-colour-bar", "data-wcam": "colour-bar" }, strip, ...ticks, unit);
}

function paintStrip(strip: HTMLCanvasElement, table: Uint8ClampedArray): void {
  const pixels = new ImageData(256, 1);
  for (let entry = 0; entry < 256; entry++) {
    pixels.data.set(table.subarray(entry * 3, entry * 3 + 3), entry * 4);
    pixels.data[entry * 4 + 3] = 255;
  }
  context2d(strip).putImageData(pixels, 0, 0);
}
