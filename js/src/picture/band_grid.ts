/** A band as rows and columns of cells. */
import { CELL_FIELDS, NO_CELL } from "../frame/picture";
import { bandOf, type CellTable } from "./geometry";

export interface BandGrid {
  readonly rows: number;
  readonly columns: number;
  /** the cells row by row; cells of several sizes stand where their upper left corners do, and leave gaps: NO_CELL */
  readonly cells: Int32Array;
  readonly hasGaps: boolean;
}

const grids = new WeakMap<CellTable, readonly BandGrid[]>();

/** The grid of every band. */
export function gridsOf(table: CellTable): readonly BandGrid[] {
  const known = grids.get(table);
  if (known !== undefined) return known;
  const ofBands: number[][] = table.bands.map(() => []);
  for (let cell = 0; cell < table.cellCount; cell++) ofBands[bandOf(table, cell)]?.push(cell);
  const made = ofBands.map((cells) => gridOf(table, cells));
  grids.set(table, made);
  return made;
}

function gridOf(table: CellTable, cells: readonly number[]): BandGrid {
  const fieldOf = (cell: number, field: 1 | 2): number => table.cells[cell * CELL_FIELDS + field] ?? 0;
  const places = (field: 1 | 2): Map<number, number> => {
    const lines = Int32Array.from(new Set(cells.map((cell) => fieldOf(cell, field)))).sort();
    return new Map([...lines].map((line, at) => [line, at]));
  };
  const [tops, lefts] = [places(1), places(2)];
  const grid = new Int32Array(tops.size * lefts.size).fill(NO_CELL);
  for (const cell of cells) {
    grid[(tops.get(fieldOf(cell, 1)) ?? 0) * lefts.size + (lefts.get(fieldOf(cell, 2)) ?? 0)] = cell;
  }
  return { rows: tops.size, columns: lefts.size, cells: grid, hasGaps: grid.includes(NO_CELL) };
}
