/** The cells around the cursor as rows and cells of the page: what a screen reader walks where others see a canvas. */
import { element, setAttribute, setText } from "../draw/dom";
import type { AttributionFrame } from "../frame/attribution";
import { NO_CELL } from "../frame/picture";
import { type BandGrid, gridsOf } from "../picture/band_grid";
import { cellFacts } from "../picture/cell_facts";
import { bandOf, type CellTable } from "../picture/geometry";
import { computed, type ReadonlySignal, type Signal, signal } from "../reactive/signal";
import type { Session } from "../state/session";

/** Rows and columns on each side of the cursor that are in the page: a band may have thousands of cells. */
const REACH = 8;

/** The cells near one of them, row by row from 0, each with its column. */
function cellsAround({ rows, columns, cells }: BandGrid, cell: number): [number, [number, number][]][] {
  const at = cells.indexOf(cell);
  const [row, column] = [Math.floor(at / columns), at % columns];
  const [first, last] = [Math.max(0, column - REACH), Math.min(columns, column + REACH + 1)];
  const around: [number, [number, number][]][] = [];
  for (let y = Math.max(0, row - REACH); y < Math.min(rows, row + REACH + 1); y++) {
    const own = [...cells.subarray(y * columns + first, y * columns + last)];
    around.push([y, own.flatMap((each, x) => (each === NO_CELL ? [] : [[each, first + x]]))]);
  }
  return around.filter(([, own]) => own.length > 0);
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
  const grid = computed(() => table.value && gridsOf(table.value)[bandOf(table.value, cursor.value)]);
  const nodes: Signal<ReadonlyMap<number, HTMLElement>> = signal(new Map());
  let shown: BandGrid | undefined;
  const makeNode = (cell: number, column: number): HTMLElement =>
    element("div", { id: `${id}-${cell}`, role: "gridcell", "aria-colindex": column + 1 });
  const fill = (now: BandGrid, cell: number): void => {
    const made = new Map<number, HTMLElement>();
    const lines = cellsAround(now, cell).map(([row, cells]) => {
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
