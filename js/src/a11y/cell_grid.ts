/** The cells around the cursor as rows and cells of the page: what a screen reader walks where others see a canvas. */
import { element, setAttribute, setText } from "../draw/dom";
import type { AttributionFrame } from "../frame/attribution";
import { cellFacts } from "../picture/cell_facts";
import { bandOf, type CellTable, cellRectangle, cellsOfBand, gridLines } from "../picture/geometry";
import { computed, type ReadonlySignal, type Signal, signal } from "../reactive/signal";
import type { Session } from "../state/session";

/** Rows and columns on each side of the cursor that are in the page: a band may have thousands of cells. */
const REACH = 8;

/** A band as rows and columns. Cells of several sizes stand where their upper left corners do. */
export interface BandGrid {
  readonly rows: number;
  readonly columns: number;
  /** row and column of each cell, both from 0 */
  readonly places: ReadonlyMap<number, readonly [number, number]>;
}

/** The rows and columns of the band of a cell. */
export function gridOfBand(table: CellTable, band: number): BandGrid {
  const cells = cellsOfBand(table, band);
  const [tops, lefts] = [gridLines(table, cells, "top"), gridLines(table, cells, "left")];
  const [rowOf, columnOf] = [tops, lefts].map((lines) => new Map(lines.map((line, at) => [line, at])));
  const places = cells.map((cell) => {
    const { top, left } = cellRectangle(table, cell);
    return [cell, [rowOf?.get(top) ?? 0, columnOf?.get(left) ?? 0]] as const;
  });
  return { rows: tops.length, columns: lefts.length, places: new Map(places) };
}

/** The cells near one of them, row by row, each with its column. */
export function cellsAround(
  { places }: BandGrid,
  cell: number,
): ReadonlyMap<number, (readonly [number, number])[]> {
  const [row, column] = places.get(cell) ?? [0, 0];
  const rows = new Map<number, (readonly [number, number])[]>();
  for (const [each, [y, x]] of places) {
    if (Math.abs(y - row) > REACH || Math.abs(x - column) > REACH) continue;
    rows.set(y, [...(rows.get(y) ?? []), [each, x]]);
  }
  return rows;
}

/** "level 2. HL2: detail along x (vertical edges), 4–8 px. 0.031 (0.02 to 0.04), estimated. image rows …". */
function wordsOf(table: CellTable, map: AttributionFrame | null, cell: number): string {
  const level = table.bands[bandOf(table, cell)]?.level ?? 0;
  return [...(level > 0 ? [`level ${level}`] : []), ...cellFacts(table, map, cell)].join(". ");
}

/** Keeps rows and cells inside a canvas, where browsers show them to screen readers alone; the cursor is the active one. */
export function mirrorCells(
  { session, bind }: { readonly session: Session; bind(work: () => void): void },
  canvas: HTMLElement,
  table: ReadonlySignal<CellTable | null>,
  cursor: ReadonlySignal<number>,
): void {
  const id = `wcam-cell-${Math.random().toString(36).slice(2)}`;
  const band = computed(() => (table.value ? bandOf(table.value, cursor.value) : -1));
  const grid = computed(() => (table.value ? gridOfBand(table.value, band.value) : null));
  const nodes: Signal<ReadonlyMap<number, HTMLElement>> = signal(new Map());
  let shown: BandGrid | null = null;
  const makeNode = (cell: number, column: number): HTMLElement =>
    element("div", { id: `${id}-${cell}`, role: "gridcell", "aria-colindex": column + 1 });
  const fill = (now: BandGrid, cell: number): void => {
    const made = new Map<number, HTMLElement>();
    const rows = [...cellsAround(now, cell)].sort(([a], [b]) => a - b);
    const lines = rows.map(([row, cells]) => {
      for (const [each, column] of cells) made.set(each, makeNode(each, column));
      const own = cells.flatMap(([each]) => made.get(each) ?? []);
      return element("div", { role: "row", "aria-rowindex": row + 1 }, ...own);
    });
    canvas.replaceChildren(...lines);
    shown = now;
    nodes.value = made;
  };
  bind(() => {
    const [now, cell] = [grid.value, cursor.value];
    if (now && (now !== shown || !nodes.peek().has(cell))) fill(now, cell);
    setAttribute(canvas, "aria-rowcount", now?.rows);
    setAttribute(canvas, "aria-colcount", now?.columns);
    setAttribute(canvas, "aria-activedescendant", now ? `${id}-${cell}` : undefined);
  });
  bind(() => {
    const [cells, map, chosen] = [table.value, session.attribution.value, session.selection.members.value];
    for (const [cell, node] of nodes.value) {
      setText(node, cells ? wordsOf(cells, map, cell) : "");
      setAttribute(node, "aria-selected", String(chosen.has(cell)));
    }
  });
}
