/** The image rebuilt from the cells that are kept, in the browser. */

import { element, setAttribute, setText } from "../draw/dom";
import { paintChannels, sizeTo } from "../draw/pixels";
import type { AttributionFrame } from "../frame/attribution";
import { formatPercent } from "../picture/words";
import { computed, type ReadonlySignal, type Signal, signal } from "../reactive/signal";
import type { Mode } from "../state/selection";
import { Rebuilder } from "../wavelet/inverse";
import type { ViewContext } from "./context";
import { pane } from "./pane";
import { radioToggle } from "./radio_toggle";
import { differenceLayer } from "./rebuilt_difference";
import { wipeLayer } from "./wipe";

type Look = "rebuilt" | "wipe" | "difference";

const WARM_UP_ROUNDS = 3;
/** How long a selection stays before the finest details follow, in milliseconds. */
const REST_MS = 120;
const MODES: readonly Mode[] = ["keep", "remove"];
const LOOKS: readonly Look[] = ["rebuilt", "wipe", "difference"];
const LOOK_TITLES = {
  wipe: "the image on the left of a line, the reconstruction on its right",
  difference: "what the reconstruction adds, orange, and what it lacks, blue",
};

/** "12 % of cells kept · 83 % of importance"; values below zero count as zero. */
export function keptWords(
  kept: Uint8Array,
  map: Pick<AttributionFrame, "values" | "signed"> | null,
  nothingChosen: boolean,
): string {
  if (nothingChosen) return "everything is kept: this is the image itself";
  let [cells, keptSum, sum] = [0, 0, 0];
  kept.forEach((keep, cell) => {
    const value = Math.max(0, map?.values[cell] ?? 0) || 0;
    sum += value;
    if (keep === 0) return;
    cells++;
    keptSum += value;
  });
  const share = `${formatPercent(cells / Math.max(1, kept.length))} of cells kept`;
  const importance = map?.signed ? "what counts for the target" : "importance";
  return sum > 0 ? `${share} · ${formatPercent(keptSum / sum)} of ${importance}` : share;
}

/** Lets the engine compile the transform before the first click waits for it. */
function warmUp(rebuild: Rebuilder, cells: number): void {
  const half = Uint8Array.from({ length: cells }, (_, cell) => cell % 2);
  for (let round = 0; round < WARM_UP_ROUNDS; round++) rebuild.preview(half) ?? rebuild.rebuild(half);
}

export function reconstructionPane(context: ViewContext): HTMLElement {
  const { session, scope, bind } = context;
  const canvas = element("canvas", { wcam: "reconstruction", role: "img" });
  const plate = element("div", { class: "wcam-plate" }, canvas);
  const words = element("p", { wcam: "kept", role: "status" });
  const rebuilder = computed(() => session.picture.value && new Rebuilder(session.picture.value));
  const look: Signal<Look> = signal("rebuilt");
  bind(() => {
    const picture = session.picture.value;
    plate.style.aspectRatio = picture ? `${picture.width} / ${picture.height}` : "";
    plate.dataset["look"] = look.value;
  });
  bindRebuilt(context, canvas, rebuilder);
  wipeLayer(
    context,
    plate,
    computed(() => look.value === "wipe"),
  );
  const bar = differenceLayer(context, plate, {
    shown: computed(() => look.value === "difference"),
    rebuilder,
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
  const looks = { label: "what is shown", name: "look", options: LOOKS, value: look, titles: LOOK_TITLES };
  const modes = { label: "selected cells", name: "mode", options: MODES, value: session.mode };
  const head = [radioToggle(context, modes)];
  return pane("reconstruction", "Reconstruction", head, plate, radioToggle(context, looks), bar, words);
}

/** Paints what is kept; of a large image first what is quickly there, and the rest when the hand rests. */
function bindRebuilt(
  { session, scope, repaint, bind }: ViewContext,
  canvas: HTMLCanvasElement,
  rebuilder: ReadonlySignal<Rebuilder | null>,
): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = (): void => clearTimeout(timer);
  scope.add(stop);
  const paint = (complete: boolean): void => {
    stop();
    const [picture, rebuild, kept] = [session.picture.peek(), rebuilder.peek(), session.kept.peek()];
    if (picture === null || rebuild === null) return;
    const preview = complete ? null : rebuild.preview(kept);
    const { height, width } = preview ?? picture;
    sizeTo(canvas, height, width);
    paintChannels(canvas, preview?.values ?? rebuild.rebuild(kept), picture.channels);
    if (preview) timer = setTimeout(() => scope.guard(() => paint(true)), REST_MS);
  };
  const start = (): void => paint(false);
  bind(() => {
    void [rebuilder.value, session.kept.value];
    repaint.request(start);
  });
}
