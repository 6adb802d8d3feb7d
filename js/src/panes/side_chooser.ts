/** Where the sides to show are chosen: small images in a row, and at the places of their profiles. */
import { element, setText } from "../draw/dom";
import { paintBytes, sizeTo } from "../draw/pixels";
import type { Scope } from "../draw/scope";
import type { Thumbnails } from "../frame/thumbnails";
import { effect } from "../reactive/signal";
import type { Comparison } from "../state/comparison";
import type { SidePoint } from "../state/sides";

const HELP = "Click: show this one. Shift-click: show it beside the first.";
/** How much of the map stays free around the points, in percent, so that no image is cut. */
const MARGIN = 12;

/** The row and the map; nothing where there are two sides, which are both shown. */
export function sideChooser(comparison: Comparison, scope: Scope): HTMLElement[] {
  const { names } = comparison.sides.peek();
  if (names.length <= 2) return [];
  const row = element("div", {
    class: "wcam-strip",
    role: "group",
    "aria-label": "images",
    wcam: "strip",
  });
  const map = element("div", {
    class: "wcam-side-map",
    role: "group",
    "aria-label": "images by their profiles over scales",
    wcam: "side-map",
  });
  const words = element("p", { class: "wcam-note", wcam: "side-words" });
  const [inRow, onMap] = [row, map].map((place) => {
    const buttons = names.map((name, side) => button(comparison, scope, name, side));
    place.append(...buttons);
    return buttons;
  });
  watch(scope, () => {
    const { points, words: explained } = comparison.sides.value;
    map.hidden = points === null;
    place(onMap ?? [], points ?? []);
    setText(words, [HELP, explained].filter(Boolean).join(" "));
  });
  watch(scope, () => {
    const [shown, thumbnails] = [comparison.shown.value, comparison.thumbnails.value];
    for (const buttons of [inRow ?? [], onMap ?? []]) {
      buttons.forEach((each, side) => {
        each.setAttribute("aria-pressed", String(shown.includes(side)));
        paint(each, thumbnails, side);
      });
    }
  });
  return [element("div", { class: "wcam-chooser" }, row, map, words)];
}

function watch(scope: Scope, work: () => void): void {
  scope.add(
    effect(() => {
      scope.guard(work);
      return undefined;
    }),
  );
}

function button(comparison: Comparison, scope: Scope, name: string, side: number): HTMLButtonElement {
  const canvas = element("canvas", { width: 1, height: 1, "aria-hidden": "true" });
  const made = element(
    "button",
    { type: "button", class: "wcam-thumb", title: name, "aria-label": name, "data-side": side },
    canvas,
  );
  scope.listen(made, "click", (event) => {
    const [first = 0] = comparison.shown.peek();
    comparison.show(event.shiftKey && side !== first ? [first, side] : [side]);
  });
  return made;
}

function paint(button: HTMLElement, thumbnails: Thumbnails | null, at: number): void {
  const canvas = button.querySelector("canvas");
  if (canvas === null || thumbnails === null || at >= thumbnails.count) return;
  const { side, images } = thumbnails;
  if (canvas.width === side) return; // it is painted
  sizeTo(canvas, side, side);
  paintBytes(canvas, images.subarray(at * side * side * 3, (at + 1) * side * side * 3));
}

/** Puts every side where its profile lies; both axes have one scale, so that distances are true. */
function place(buttons: readonly HTMLElement[], points: readonly (SidePoint | null)[]): void {
  const known = points.filter((point) => point !== null);
  const reach = Math.max(1e-9, ...known.flatMap(({ x, y }) => [Math.abs(x), Math.abs(y)]));
  buttons.forEach((button, side) => {
    const point = points[side];
    button.hidden = !point;
    if (!point) return;
    button.style.left = `${50 + (50 - MARGIN) * (point.x / reach)}%`;
    button.style.top = `${50 - (50 - MARGIN) * (point.y / reach)}%`;
  });
}
