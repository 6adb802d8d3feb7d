/** The keyboard: a cell cursor in the dyadic view, clear and undo anywhere in the widget. */

import type { Scope } from "../draw/scope";
import { cellFacts } from "../picture/cell_facts";
import { bandOf, type CellTable, cellsOfBand } from "../picture/geometry";
import type { Signal } from "../reactive/signal";
import type { Session } from "../state/session";
import { type Direction, neighbour, otherLevel } from "./cursor";

/** The part of a view that keys act on. */
export interface KeyContext {
  readonly session: Session;
  readonly scope: Scope;
  /** makes a change and paints what follows from it */
  act(change: () => void): void;
  /** announces a sentence to screen readers */
  announce(text: string): void;
}

export const KEY_HELP =
  "Arrow keys move from cell to cell, [ and ] to a coarser and a finer level. Space toggles the cell, " +
  "Shift and Space its band, Enter keeps only this band selected, Z shows only this band or all again, Escape clears the selection.";

const ARROWS: Record<string, Direction> = {
  ArrowUp: "up",
  ArrowDown: "down",
  ArrowLeft: "left",
  ArrowRight: "right",
};

/** Where a key leads from a cell, or undefined when it is no key of ours. */
function destination(table: CellTable, cell: number, key: string): number | undefined {
  const direction = ARROWS[key];
  if (direction) return neighbour(table, cell, direction);
  if (key === "[") return otherLevel(table, cell, -1);
  if (key === "]") return otherLevel(table, cell, 1);
  return undefined;
}

export interface CellActions {
  /** the cells as they are laid out; null while there are none */
  table(): CellTable | null;
  /** the cursor is on another cell */
  moved(cell: number, table: CellTable): void;
  /** lets the band of the cell fill the view, or shows all bands again */
  zoom(cell: number): void;
}

/** Moves `cursor` and chooses cells. */
export function bindCellKeys(
  context: KeyContext,
  canvas: HTMLElement,
  cursor: Signal<number>,
  actions: CellActions,
): void {
  const { session, scope, act } = context;
  scope.listen(canvas, "keydown", (event) => {
    const table = actions.table();
    if (table === null || event.altKey || event.ctrlKey || event.metaKey) return;
    const cell = cursor.peek();
    const next = destination(table, cell, event.key);
    if (next !== undefined) {
      cursor.value = next;
      actions.moved(next, table);
      context.announce(
        `${cellFacts(table, session.attribution.peek(), next).join(". ")}${chosenWords(next)}`,
      );
    } else if (event.key === " ") {
      act(() => session.selection.toggle(event.shiftKey ? cellsOfBand(table, bandOf(table, cell)) : [cell]));
    } else if (event.key.toLowerCase() === "z") {
      actions.zoom(cell);
    } else if (event.key === "Enter") {
      act(() => session.selection.replace(cellsOfBand(table, bandOf(table, cell))));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const chosenWords = (cell: number): string =>
    session.selection.members.peek().has(cell) ? ". Selected" : "";
}

/** Escape clears and Ctrl or Cmd with Z undoes, wherever in the widget the focus is. */
export function bindWidgetKeys(context: KeyContext, root: HTMLElement, cancelDrags: () => boolean): void {
  const { selection } = context.session;
  context.scope.listen(root, "keydown", (event) => {
    if (event.target instanceof HTMLTextAreaElement) return;
    const undo = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
    if (event.key === "Escape") {
      if (!cancelDrags()) context.act(() => selection.clear());
    } else if (undo && event.shiftKey) context.act(() => selection.redo());
    else if (undo) context.act(() => selection.undo());
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
