/** The switch between bands at one size and the transform's own layout. */

import { button, element } from "../draw/dom";
import type { ViewContext } from "./context";

const TITLES = {
  equal: "all bands at one size, coarse to fine",
  packed: "as the wavelet transform packs them, finer bands larger",
} as const;

export function arrangementSwitch(context: ViewContext): HTMLElement {
  const { session, scope, act, bind } = context;
  const buttons = ([false, true] as const).map((packed) => {
    const name = packed ? "packed" : "equal";
    const made = button(name, packed ? "packed" : "equal sizes", { title: TITLES[name] });
    scope.listen(made, "click", () =>
      act(() => {
        session.packed.value = packed;
      }),
    );
    bind(() => made.setAttribute("aria-pressed", String(session.packed.value === packed)));
    return made;
  });
  const group = element(
    "span",
    { class: "wcam-toggle", role: "group", "aria-label": "layout of the bands" },
    ...buttons,
  );
  bind(() => {
    // A picture of one band looks the same in both.
    group.hidden = (session.picture.value?.bands.length ?? 0) < 2;
  });
  return group;
}
