/** The selection in words, the steps back and forth, and the selection as Python. */

import { element, setAttribute, setText } from "../draw/dom";
import { selectionPython, selectionWords } from "../picture/words";
import type { ViewContext } from "./context";

export function selectionLine(context: ViewContext): HTMLElement {
  const { session, bind } = context;
  const { selection } = session;
  const words = element("p", { "data-wcam": "selection", role: "status" });
  const undo = button(context, "undo", () => selection.undo());
  const redo = button(context, "redo", () => selection.redo());
  const clear = button(context, "clear", () => selection.clear());
  bind(() => {
    const picture = session.picture.value;
    const cells = selection.cells.value;
    const nothing = picture === null ? "No picture yet" : "Nothing is selected";
    setText(words, picture && cells.length > 0 ? `Selected: ${selectionWords(picture, cells)}` : nothing);
    enable(clear, cells.length > 0);
    enable(undo, selection.canUndo.value);
    enable(redo, selection.canRedo.value);
  });
  return element("footer", { class: "wcam-selection" }, words, undo, redo, clear, ...copyAsPython(context));
}

/** Not `disabled`: a focused button that is disabled loses the focus, and the keys stop reaching the widget. */
function enable(button: HTMLButtonElement, on: boolean): void {
  setAttribute(button, "aria-disabled", on ? undefined : "true");
}

function button(context: ViewContext, name: string, act: () => void): HTMLButtonElement {
  const made = element("button", { type: "button", "data-wcam": name }, name);
  context.scope.listen(made, "click", () => context.act(act));
  return made;
}

/** The button, and the box that holds the text where the page may not write to the clipboard. */
function copyAsPython(context: ViewContext): [HTMLElement, HTMLElement] {
  const { session, scope, bind } = context;
  const box = element("textarea", {
    "data-wcam": "python",
    "aria-label": "selection as Python",
    hidden: true,
  });
  box.readOnly = true;
  const python = (): string => selectionPython(session.selection.cells.value, session.mode.value);
  const reveal = (): void => {
    box.hidden = false;
    box.value = python();
    box.select();
  };
  const copy = button(context, "copy", () => {
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
