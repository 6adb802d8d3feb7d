/** From one number per cell to a heatmap in image pixels. */
import { SUPPORT_FIELDS } from "../frame/picture";

/**
 * Each cell spreads its value evenly over its support, pixels on a fractional edge taking the part that is
 * covered, so that the map's sum is the sum of the values. Cells without a number (NaN) spread nothing.
 */
export function spatial(
  values: Float32Array | Float64Array,
  support: Float32Array,
  height: number,
  width: number,
): Float32Array {
  if (support.length !== values.length * SUPPORT_FIELDS) {
    throw new RangeError(
      `support must have ${values.length} rows of ${SUPPORT_FIELDS}, found ${support.length} numbers`,
    );
  }
  const heat = new Float32Array(height * width);
  const covered = new Float64Array(width);
  for (let cell = 0; cell < values.length; cell++) {
    const value = values[cell] as number;
    if (!Number.isFinite(value) || value === 0) continue;
    const at = cell * SUPPORT_FIELDS;
    spread(heat, covered, value, support.subarray(at, at + SUPPORT_FIELDS));
  }
  return heat;
}

/** Height and width, in pixels, of the cell of median area: heat is counted per area of so large a cell. */
export function usualCell(support: Float32Array): readonly [number, number] {
  const sides = Array.from({ length: support.length / SUPPORT_FIELDS }, (_, cell) => {
    const [top = 0, left = 0, bottom = 0, right = 0] = support.subarray(cell * SUPPORT_FIELDS);
    return [bottom - top, right - left] as const;
  });
  sides.sort((a, b) => a[0] * a[1] - b[0] * b[1]);
  return sides[sides.length >> 1] ?? [1, 1];
}

/**
 * The heat over the image: at each pixel the sum of the cells over it, where a cell that is larger or smaller than
 * the usual one counts by its density. Where all have one size it is the plain sum of their values.
 */
export function heatMap(
  values: Float32Array,
  support: Float32Array,
  height: number,
  width: number,
): Float32Array {
  const [rows, columns] = usualCell(support);
  return spatial(values, support, height, width).map((density) => density * rows * columns);
}

function spread(heat: Float32Array, covered: Float64Array, value: number, rectangle: Float32Array): void {
  const [top = 0, left = 0, bottom = 0, right = 0] = rectangle;
  const width = covered.length;
  const [first, end] = [Math.max(0, Math.floor(left)), Math.min(width, Math.ceil(right))];
  for (let x = first; x < end; x++) covered[x] = Math.min(right, x + 1) - Math.max(left, x);
  const density = value / ((bottom - top) * (right - left));
  const lastRow = Math.min(heat.length / width, Math.ceil(bottom));
  for (let y = Math.max(0, Math.floor(top)); y < lastRow; y++) {
    const share = density * (Math.min(bottom, y + 1) - Math.max(top, y));
    const row = y * width;
    for (let x = first; x < end; x++) {
      heat[row + x] = (heat[row + x] as number) + share * (covered[x] as number);
    }
  }
}
