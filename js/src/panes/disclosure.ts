/** What is long and seldom wanted, behind a line that opens it. */
import { element } from "../draw/dom";

/** More is cut off: the end of it is nearest to where it went wrong. */
const LONGEST = 8000;

export interface Disclosure {
  readonly element: HTMLElement;
  /** shows a text, closed at first; nothing where it is empty */
  readonly show: (text: string) => void;
}

export function disclosure(name: string): Disclosure {
  const details = element("details", { class: "wcam-details", wcam: name, hidden: true });
  let shown = "";
  const show = (text: string): void => {
    if (text === shown) return; // one that is open stays so
    shown = text;
    details.open = false;
    details.hidden = text === "";
    const parts = [element("summary", {}, "details"), element("pre", {}, text.slice(-LONGEST))];
    details.replaceChildren(...(text ? parts : []));
  };
  return { element: details, show };
}
