/** The image rebuilt from the cells that are kept, in the browser. */

import { element, setAttribute, setText } from "../draw/dom";
import { paintChannels, sizeTo } from "../draw/pixels";
import type { AttributionFrame } from "../frame/attribution";
import { formatPercent } from "../picture/words";
import { computed } from "../reactive/signal";
import type { Mode } from "../state/selection";
import { Rebuilder } from "../wavelet/inverse";
import type { ViewContext } from "./context";
import { pane } from "./pane";

const WARM_UP_ROUNDS = 3;
const MODES: readonly Mode[] = ["keep", "remove"];

/** "12 % of cells kept · 83 % of the summed importance"; values below zero count as zero. */
export function keptWords(
  kept: Uint8Array,
  map: Pick<AttributionFrame, "values" | "signed"> | null,
  nothingChosen: boolean,
): string {
  if (nothingChosen) return "Nothing is selected: everything is kept, this is the image itself";
  let [cells, keptSum, sum] = [0, 0, 0];
  kept.forEach((keep, cell) => {
    const value = Math.max(0, map?.values[cell] ?? 0) || 0;
    sum += value;
    if (keep === 0) return;
    cells++;
    keptSum += value;
  });
  const share = `${formatPercent(cells / Math.max(1, kept.length))} of cells kept`;
  const importance = map?.signed ? "sum of what counts for the target" : "summed importance";
  return sum > 0 ? `${share} · ${formatPercent(keptSum / sum)} of the ${importance}` : share;
}

/** Lets the engine compile the transform before the first click waits for it. */
function warmUp(rebuild: Rebuilder, cells: number): void {
  const half = Uint8Array.from({ length: cells }, (_, cell) => cell % 2);
  for (let round = 0; round < WARM_UP_ROUNDS; round++) rebuild.rebuild(half);
}

export function reconstructionPane(context: ViewContext): HTMLElement {
  const { session, scope, repaint, bind } = context;
  const canvas = element("canvas", { "data-wcam": "reconstruction", role: "img" });
  const plate = element("div", { class: "wcam-plate" }, canvas);
  const words = element("p", { "data-wcam": "kept", role: "status" });
  const rebuilder = computed(() => session.picture.value && new Rebuilder(session.picture.value));
  const paint = (): void => {
    const [picture, rebuild] = [session.picture.peek(), rebuilder.peek()];
    if (picture === null || rebuild === null) return;
    sizeTo(canvas, picture.height, picture.width);
    paintChannels(canvas, rebuild.rebuild(session.kept.peek()), picture.channels);
  };
  bind(() => {
    const picture = session.picture.value;
    plate.style.aspectRatio = picture ? `${picture.width} / ${picture.height}` : "";
  });
  bind(() => {
    void [rebuilder.value, session.kept.value];
    repaint.request(paint);
  });
  bind(() => {
    const rebuild = rebuilder.value;
    if (rebuild !== null) scope.whenIdle(() => warmUp(rebuild, session.kept.peek().length));
  });
  bind(() => {
    if (session.picture.value === null) return;
    const nothingChosen = session.selection.cells.value.length === 0;
    const text = keptWords(session.kept.value, session.attribution.value, nothingChosen);
    setText(words, text);
    setAttribute(canvas, "aria-label", `Reconstruction. ${text}`);
  });
  return pane("reconstruction", "Reconstruction", [modeToggle(context)], plate, words);
}

/** Two buttons of which one is on: arrows move between them, as in any radio group. */
function modeToggle(context: ViewContext): HTMLElement {
  const { session, scope, act, bind } = context;
  const choose = (mode: Mode): void =>
    act(() => {
      session.mode.value = mode;
    });
  const buttons = MODES.map((mode) => {
    const made = element("button", { type: "button", role: "radio", "data-wcam": `mode-${mode}` }, mode);
    scope.listen(made, "click", () => choose(mode));
    return made;
  });
  const toggle = element(
    "span",
    { class: "wcam-toggle", role: "radiogroup", "aria-label": "selected cells" },
    ...buttons,
  );
  scope.listen(toggle, "keydown", (event) => {
    if (!/^Arrow(Left|Right|Up|Down)$/.test(event.key)) return;
    event.preventDefault();
    choose(session.mode.peek() === "keep" ? "remove" : "keep");
    buttons[MODES.indexOf(session.mode.peek())]?.focus();
  });
  bind(() => {
    buttons.forEach((made, at) => {
      const on = MODES[at] === session.mode.value;
      made.setAttribute("aria-checked", String(on));
      made.tabIndex = on ? 0 : -1;
    });
  });
  return toggle;
}
