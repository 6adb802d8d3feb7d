/**
 * Products of matrices in blocks of four rows by two columns, the most that stays in the registers of a scalar
 * machine. Both sides are packed as doubles: in JavaScript, single ones are converted each time they are read.
 */

const ROWS = 4;
/** how many columns are packed side by side */
export const COLUMNS = 2;
/** Doubles of packed columns that a processor keeps near while it goes through all rows. */
const NEAR = 24_576;

/** A matrix whose rows are packed four by four. */
export interface Packed {
  readonly rows: number;
  readonly depth: number;
  readonly panels: Float64Array;
}

/** Packs a matrix (rows x depth) that stands in `weights` from `start` on; rows that lack are zero. */
export function pack(weights: Float32Array, start: number, rows: number, depth: number): Packed {
  const panels = new Float64Array(Math.ceil(rows / ROWS) * ROWS * depth);
  for (let row = 0; row < rows; row++) {
    const panel = (row - (row % ROWS)) * depth + (row % ROWS);
    for (let k = 0; k < depth; k++) panels[panel + k * ROWS] = weights[start + row * depth + k] as number;
  }
  return { rows, depth, panels };
}

/** How many columns are worth packing at once. */
export function columnsAtOnce(depth: number): number {
  return Math.max(COLUMNS, Math.floor(NEAR / depth / COLUMNS) * COLUMNS);
}

/**
 * Writes rows x count numbers to `out`, each row `stride` after the last, from `start` on. `columns` holds pairs:
 * depth numbers of two columns in turn. `bias` has a number for each row from `first` on; null adds none.
 */
export function multiply(
  { rows, depth, panels }: Packed,
  columns: Float64Array,
  count: number,
  bias: Float32Array | null,
  first: number,
  out: Float32Array,
  start: number,
  stride: number,
): void {
  for (let row = 0; row < rows; row += ROWS) {
    const left = Math.min(ROWS, rows - row);
    for (let column = 0; column < count; column += COLUMNS) {
      block(panels, row * depth, columns, column * depth, depth);
      const at = start + row * stride + column;
      const both = column + 1 < count;
      for (let r = 0; r < left; r++) {
        const added = bias === null ? 0 : (bias[first + row + r] as number);
        out[at + r * stride] = (sums[2 * r] as number) + added;
        if (both) out[at + r * stride + 1] = (sums[2 * r + 1] as number) + added;
      }
    }
  }
}

const sums = new Float64Array(ROWS * COLUMNS);

/** Four rows times two columns, to `sums`. */
function block(rows: Float64Array, row: number, columns: Float64Array, column: number, depth: number): void {
  let [a0, a1, b0, b1, c0, c1, d0, d1] = [0, 0, 0, 0, 0, 0, 0, 0];
  const end = row + ROWS * depth;
  for (let r = row, c = column; r < end; r += ROWS, c += COLUMNS) {
    const x = columns[c] as number;
    const y = columns[c + 1] as number;
    const a = rows[r] as number;
    const b = rows[r + 1] as number;
    const d = rows[r + 2] as number;
    const e = rows[r + 3] as number;
    a0 += a * x;
    a1 += a * y;
    b0 += b * x;
    b1 += b * y;
    c0 += d * x;
    c1 += d * y;
    d0 += e * x;
    d1 += e * y;
  }
  sums[0] = a0;
  sums[1] = a1;
  sums[2] = b0;
  sums[3] = b1;
  sums[4] = c0;
  sums[5] = c1;
  sums[6] = d0;
  sums[7] = d1;
}
