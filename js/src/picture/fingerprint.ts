/** The scale fingerprint of a point: the importance of the cells over it, band by band. */
import { bandOf, type CellTable, cellsOver, supportRectangle } from "./geometry";

/** A place in the image, in pixels. */
export interface ImagePoint {
  readonly y: number;
  readonly x: number;
}

/** The middle of a cell's support. */
export function middleOf(table: CellTable, cell: number): ImagePoint {
  const { top, left, bottom, right } = supportRectangle(table, cell);
  return { y: (top + bottom) / 2, x: (left + right) / 2 };
}

/** For each band the value of its cell over a point, summed where several are; NaN where none is known. */
export function fingerprint(table: CellTable, values: Float32Array, { y, x }: ImagePoint): Float64Array {
  const bands = new Float64Array(table.bands.length).fill(Number.NaN);
  for (const cell of cellsOver(table, y, x)) {
    const value = values[cell] ?? Number.NaN;
    const band = bandOf(table, cell);
    if (!Number.isNaN(value)) bands[band] = (bands[band] || 0) + value;
  }
  return bands;
}
