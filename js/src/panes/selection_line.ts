/** The selection as a list of what can be taken out of it, the steps back and forth, and the selection as Python. */

import { button, element, setAttribute, setText } from "../draw/dom";
import { partWords, selectionParts, selectionWords } from "../picture/selection_parts";
import { selectionPython } from "../picture/words";
import type { Session } from "../state/session";
import type { ViewContext } from "./context";
import { saveMenu } from "./save_menu";

/** More would push what stands below out of sight. */
const MOST_CHIPS = 12;

export function selectionLine(context: ViewContext): HTMLElement {
  const { session, bind } = context;
  const { selection } = session;
  const words = element("p", { wcam: "selection", role: "status" });
  const undo = stepButton(context, "undo", () => selection.undo());
  const redo = stepButton(context, "redo", () => selection.redo());
  const clear = stepButton(context, "clear", () => selection.clear());
  bind(() => {
    const picture = session.picture.value;
    const cells = selection.cells.value;
    const nothing = picture === null ? "No picture yet" : "Nothing is selected";
    setText(words, picture && cells.length > 0 ? `Selected: ${selectionWords(picture, cells)}` : nothing);
    // The chips say the same to the eye.
    words.classList.toggle("wcam-unseen", cells.length > 0);
    enable(clear, cells.length > 0);
    enable(undo, selection.canUndo.value);
    enable(redo, selection.canRedo.value);
  });
  const buttons = [undo, redo, clear, ...copyAsPython(context), saveMenu(context)];
  return element("footer", { class: "wcam-selection" }, words, chipList(context), ...buttons);
}

interface Chip {
  readonly words: string;
  readonly cells: readonly number[];
}

/** The pieces of the selection; the most important cells are one piece. */
function chipsOf({ selection, picture, topLine }: Session): Chip[] {
  const [table, cells, count] = [picture.value, selection.cells.value, topLine.count.value];
  if (table === null || cells.length === 0) return [];
  const parts = selectionParts(table, cells);
  if (count !== null && parts.length > 1) return [{ words: `the top ${count} cells`, cells }];
  return parts.map((part) => ({ words: partWords(table, part), cells: part.cells }));
}

function chipList(context: ViewContext): HTMLElement {
  const { session, act, bind } = context;
  const list = element("ul", { class: "wcam-chips", "aria-label": "selection", wcam: "chips" });
  const remove = (cells: readonly number[], at: number): void => {
    act(() => session.selection.remove(cells));
    const buttons = list.querySelectorAll("button");
    (buttons[Math.min(at, buttons.length - 1)] ?? list.parentElement?.querySelector("button"))?.focus();
  };
  bind(() => {
    const chips = chipsOf(session);
    const shown = chips.slice(0, MOST_CHIPS).map(({ words, cells }, at) => {
      const button = element(
        "button",
        { type: "button", "aria-label": `take ${words} out of the selection` },
        "×",
      );
      button.addEventListener("click", () => context.scope.guard(() => remove(cells, at)));
      return element("li", { class: "wcam-piece" }, words, button);
    });
    const more = chips.length - shown.length;
    list.replaceChildren(...shown, ...(more > 0 ? [element("li", {}, `and ${more} more`)] : []));
    list.hidden = chips.length === 0;
  });
  return list;
}

/** Not `disabled`: a focused button that is disabled loses the focus, and the keys stop reaching the widget. */
function enable(button: HTMLButtonElement, on: boolean): void {
  setAttribute(button, "aria-disabled", on ? undefined : "true");
}

function stepButton(context: ViewContext, name: string, act: () => void): HTMLButtonElement {
  const made = button(name, name);
  context.scope.listen(made, "click", () => context.act(act));
  return made;
}

/** The button, and the box that holds the text where the page may not write to the clipboard. */
function copyAsPython(context: ViewContext): [HTMLElement, HTMLElement] {
  const { session, scope, bind } = context;
  const box = element("textarea", {
    wcam: "python",
    "aria-label": "selection as Python",
    hidden: true,
  });
  box.readOnly = true;
  const python = (): string =>
    [session.target.value.code, selectionPython(session.selection.cells.value, session.mode.value)]
      .filter(Boolean)
      .join("\n");
  const reveal = (): void => {
    box.hidden = false;
    box.value = python();
    box.select();
  };
  const copy = stepButton(context, "copy", () => {
    const clipboard = navigator.clipboard as Clipboard | undefined; // absent on pages without https
    if (!clipboard) return reveal();
    clipboard.writeText(python()).then(
      () => setText(copy, "copied"),
      () => scope.guard(reveal),
    );
  });
  bind(() => {
    box.value = python();
    setText(copy, "copy as Python");
  });
  return [copy, box];
}
