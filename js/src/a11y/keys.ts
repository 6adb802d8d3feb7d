/** The keyboard: a cell cursor in the dyadic view, clear and undo anywhere in the widget. */

import type { Scope } from "../draw/scope";
import {
  bandOf,
  type CellTable,
  cellRectangle,
  cellsOfBand,
  cellsTouched,
  type Rectangle,
  union,
} from "../picture/geometry";
import { selectionWords } from "../picture/selection_parts";
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
  "Shift and Space its band, Enter keeps only this band selected. Shift and arrow keys span a rectangle, which Space " +
  "toggles and Enter keeps alone. Z shows only this band or all again, Escape clears the selection.";

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
  /** a rectangle is being spanned from cell to cell, in steps of the table; null when there is none */
  span(rectangle: Rectangle | null): void;
  /** lets the band of the cell fill the view, or shows all bands again */
  zoom(cell: number): void;
}

/** Moves `cursor` and chooses cells. Returns a function that gives up a rectangle; it is false when there is none. */
export function bindCellKeys(
  context: KeyContext,
  canvas: HTMLElement,
  cursor: Signal<number>,
  actions: CellActions,
): () => boolean {
  const { session, scope, act } = context;
  /** the cell that a rectangle is spanned from */
  let anchor: number | null = null;
  const cancel = (): boolean => {
    const was = anchor !== null;
    anchor = null;
    if (was) actions.span(null);
    return was;
  };
  const spanned = (table: CellTable): Rectangle =>
    union(cellRectangle(table, anchor ?? cursor.peek()), cellRectangle(table, cursor.peek()));
  const move = (table: CellTable, next: number, spanning: boolean): void => {
    if (spanning) anchor ??= cursor.peek();
    else cancel();
    cursor.value = next;
    actions.moved(next, table);
    if (!spanning) return;
    actions.span(spanned(table));
    context.announce(`Rectangle: ${selectionWords(table, cellsTouched(table, spanned(table)))}`);
  };
  /** What Space and Enter choose: the rectangle if there is one, else the cell or its band. */
  const choose = (table: CellTable, ofBand: boolean): readonly number[] => {
    const rectangle = anchor === null ? null : spanned(table);
    cancel();
    if (rectangle !== null) return cellsTouched(table, rectangle);
    return ofBand ? cellsOfBand(table, bandOf(table, cursor.peek())) : [cursor.peek()];
  };
  scope.listen(canvas, "keydown", (event) => {
    const table = actions.table();
    if (table === null || event.altKey || event.ctrlKey || event.metaKey) return;
    const next = destination(table, cursor.peek(), event.key);
    if (next !== undefined) move(table, next, event.shiftKey && event.key in ARROWS);
    else if (event.key === " ") act(() => session.selection.toggle(choose(table, event.shiftKey)));
    else if (event.key === "Enter") act(() => session.selection.replace(choose(table, true)));
    else if (event.key.toLowerCase() === "z") actions.zoom(cursor.peek());
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  scope.listen(canvas, "blur", cancel);
  return cancel;
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
