/** The frame that all panes have. */
import { element } from "../draw/dom";

/** A section with a heading, controls beside it, and its parts below. */
export function pane(
  name: string,
  title: string,
  controls: readonly Node[],
  ...children: readonly Node[]
): HTMLElement {
  const heading = element("h3", { class: "wcam-title" }, title);
  // Not a landmark: a notebook has many explorers, and each of them these panes.
  const look = { class: `wcam-pane wcam-pane-${name}`, wcam: `pane-${name}` };
  return element(
    "section",
    { ...look, role: "group", "aria-label": title },
    element("div", { class: "wcam-head" }, heading, ...controls),
    ...children,
  );
}
