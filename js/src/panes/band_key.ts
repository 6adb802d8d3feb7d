/** What colours and marks of the bands mean. It stands beside or below the coarse image where there is room. */
import { element, setText } from "../draw/dom";
import type { Scale } from "../picture/scale";
import { bandLabel, kindLegend, unitOnly } from "../picture/words";
import type { ReadonlySignal } from "../reactive/signal";
import { colourBar } from "./colour_bar";
import type { ViewContext } from "./context";
import type { DyadicLayout } from "./dyadic_layout";

export function bandKey(
  context: ViewContext,
  layout: DyadicLayout,
  scale: ReadonlySignal<Scale>,
): HTMLElement {
  const { session, bind } = context;
  const unit = (): string => {
    const { value: map } = session.attribution;
    const added = context.scales?.words("dyadic") ?? "";
    return map ? `${unitOnly(map.unit)}, per cell${added}` : "no value yet";
  };
  const kinds = element("p", { class: "wcam-note", wcam: "kinds" });
  const key = element("div", { class: "wcam-key" }, colourBar(context, scale, unit), kinds);
  bind(() => {
    const bands = session.picture.value?.bands ?? [];
    const { spaced, wide, zoomed } = layout;
    // Each part of the colour has a coarse image of its own, and no room beside it.
    // Beside fewer than three rows of details there is none below it, either.
    const inside = spaced.value && bands[0]?.part === "" && (bands[0].level > 2 || !wide.value);
    key.dataset["inside"] = inside ? (wide.value ? "below" : "beside") : "false";
    const band = bands[zoomed.value ?? -1];
    const only = band ? `only ${bandLabel(band)} is shown, double-click to go back` : "";
    const legend = kindLegend(session.attribution.value?.kind ?? null);
    setText(kinds, [only, legend].filter(Boolean).join(" · "));
  });
  return key;
}
