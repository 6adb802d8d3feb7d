/** A colour bar: the map, three ticks with their values, and the unit in words. */

import { context2d, element, setText } from "../draw/dom";
import { type Scale, scaleWords, valueAt } from "../picture/scale";
import { formatPercent, formatValue } from "../picture/words";
import type { ReadonlySignal } from "../reactive/signal";
import type { ViewContext } from "./context";

const TICKS = [0, 0.5, 1];
/** A bar beside the coarse image has no room for a longer number in its middle. */
const LONGEST_BESIDE = 6;

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
    ticks.forEach((label, at) => {
      const text = tickWords(now, TICKS[at] ?? 0);
      setText(label, text);
      label.dataset["long"] = String(text.length > LONGEST_BESIDE);
    });
    setText(unit, words() + scaleWords(now));
  });
  return element("div", { class: "wcam-colour-bar", wcam: "colour-bar" }, strip, ...ticks, unit);
}

/** The value at a tick; of levels with scales of their own its part of the largest, where they agree on it. */
export function tickWords(scale: Scale, at: number): string {
  const { top, kind, signed, levels } = scale;
  if (top === 0 && at > 0) return "–";
  // The lowest colour of a logarithm is that of all smaller values, too.
  const below = kind === "log" && !signed && at === 0 ? "≤ " : "";
  if (levels === undefined) return below + formatValue(valueAt(scale, at), kind === "log" ? undefined : top);
  if (kind === "rank") return at === 0 ? "lowest" : at === 1 ? "highest" : "middle";
  const [first, ...others] = levels.map((level) => level.kind);
  if (first === undefined || others.some((each) => each !== first))
    return at === 1 ? "100 %" : at === 0 ? "0" : "";
  const share = valueAt({ top: 1, kind: first, signed }, at);
  const small = share > 0 && share < 0.01;
  return (
    below + (small ? `${Number((100 * share).toPrecision(1))} %` : formatPercent(share).replace("-", "−"))
  );
}

function paintStrip(strip: HTMLCanvasElement, table: Uint8ClampedArray): void {
  const pixels = new ImageData(256, 1);
  for (let entry = 0; entry < 256; entry++) {
    pixels.data.set(table.subarray(entry * 3, entry * 3 + 3), entry * 4);
    pixels.data[entry * 4 + 3] = 255;
  }
  context2d(strip).putImageData(pixels, 0, 0);
}
