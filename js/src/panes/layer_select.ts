/** The list to choose the map over the image from. */
import { element } from "../draw/dom";
import type { ViewContext } from "./context";

/** The list of layers; it is not there while there is nothing to choose. */
export function layerSelect(context: ViewContext): HTMLElement {
  const { session, scope, act, bind } = context;
  const { layers } = session;
  const select = element("select", { wcam: "layer" });
  const label = element("label", { title: "the map over the image" }, "layer", select);
  scope.listen(select, "change", () => act(() => layers.choose(select.value)));
  let current = "";
  bind(() => {
    const options = layers.options.value;
    label.hidden = options.length < 2;
    const next = options.map((each) => `${each.name}\n${each.label}`).join("\n");
    if (next === current) return; // an open list would close
    current = next;
    select.replaceChildren(...options.map((each) => element("option", { value: each.name }, each.label)));
  });
  bind(() => {
    void layers.options.value;
    const shown = layers.shown.value;
    select.value = shown === null || shown.main ? "" : shown.name;
  });
  return label;
}
