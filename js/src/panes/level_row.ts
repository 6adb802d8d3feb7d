/** The row that chooses levels: one tick for the heatmap and for the pointer on the image. */

import { element, setAttribute } from "../draw/dom";
import type { ViewContext } from "./context";

const LAST = "at least one level stays ticked";

export function levelRow(context: ViewContext): HTMLElement {
  const { session, scope, act, bind } = context;
  const { levels } = session;
  const row = element("div", {
    class: "wcam-row wcam-ticks",
    role: "group",
    "aria-label": "levels in the heatmap, and those that a point or a rectangle of the image chooses",
    wcam: "levels",
  });
  let boxes: { readonly name: string; readonly box: HTMLInputElement }[] = [];
  const mark = (): void => {
    const ticked = levels.ticked.value.map((level) => level.name);
    for (const { name, box } of boxes) {
      box.checked = ticked.includes(name);
      const last = box.checked && ticked.length === 1;
      // Not `disabled`, which would throw the focus out of the widget.
      setAttribute(box, "aria-disabled", last ? "true" : undefined);
      setAttribute(box, "title", last ? LAST : undefined);
    }
  };
  bind(() => {
    const all = levels.all.value;
    boxes = all.map(({ name }) => ({
      name,
      box: element("input", { type: "checkbox", wcam: "level", "data-level": name }),
    }));
    for (const { name, box } of boxes) {
      scope.listen(box, "change", () => {
        act(() => levels.toggle(name));
        mark(); // the last one keeps its tick, which changes no signal
      });
    }
    const ticks = boxes.map(({ name, box }) => {
      const short = name.replace("level ", "");
      if (short !== name) box.setAttribute("aria-label", name);
      return element("label", { title: name }, box, short);
    });
    row.replaceChildren("levels", ...ticks);
    row.hidden = all.length < 2;
  });
  bind(mark);
  return row;
}
