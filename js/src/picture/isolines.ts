/** Lines of equal value over a map, by marching squares (Lorensen and Cline, 1987, in two dimensions). */

const BLURS = 3;

/** The map after three box blurs of the given radius, close to a Gaussian; the border is held. */
export function smoothed(map: Float32Array, height: number, width: number, radius: number): Float32Array {
  let [from, to] = [Float32Array.from(map), new Float32Array(map.length)];
  for (let round = 0; round < BLURS; round++) {
    for (let y = 0; y < height; y++) blurLine(from, to, { start: y * width, step: 1, length: width }, radius);
    [from, to] = [to, from];
    for (let x = 0; x < width; x++) blurLine(from, to, { start: x, step: width, length: height }, radius);
    [from, to] = [to, from];
  }
  return from;
}

interface Line {
  readonly start: number;
  readonly step: number;
  readonly length: number;
}

/** A running mean along one row or column. */
function blurLine(from: Float32Array, to: Float32Array, line: Line, radius: number): void {
  const { start, step, length } = line;
  const at = (i: number): number => from[start + Math.min(length - 1, Math.max(0, i)) * step] as number;
  let sum = 0;
  for (let i = -radius; i <= radius; i++) sum += at(i);
  for (let i = 0; i < length; i++) {
    to[start + i * step] = sum / (2 * radius + 1);
    sum += at(i + radius + 1) - at(i - radius);
  }
}

/** Sides of a square of four pixel centres, in the order top, right, bottom, left. */
type Side = 0 | 1 | 2 | 3;

/**
 * Which sides a line joins, by the corners that lie above it (1 upper left, 2 upper right, 4 lower right, 8 lower
 * left). Where two opposite corners do, the table has the squares whose middle lies below.
 */
const JOINED: readonly (readonly (readonly [Side, Side])[])[] = [
  [],
  [[3, 0]],
  [[0, 1]],
  [[3, 1]],
  [[1, 2]],
  [
    [3, 0],
    [1, 2],
  ],
  [[0, 2]],
  [[3, 2]],
  [[2, 3]],
  [[0, 2]],
  [
    [0, 1],
    [2, 3],
  ],
  [[1, 2]],
  [[3, 1]],
  [[0, 1]],
  [[3, 0]],
  [],
];
const [FALLING, RISING] = [5, 10]; // two opposite corners above

/** Segments of the line at `level` as y0, x0, y1, x1, one after another; a pixel's value stands at its middle. */
export function isolines(map: Float32Array, height: number, width: number, level: number): number[] {
  const segments: number[] = [];
  for (let y = 0; y + 1 < height; y++) {
    for (let x = 0; x + 1 < width; x++) {
      const at = y * width + x;
      const [a, b] = [map[at] as number, map[at + 1] as number];
      const [d, c] = [map[at + width] as number, map[at + width + 1] as number];
      const corners = +(a > level) | (+(b > level) << 1) | (+(c > level) << 2) | (+(d > level) << 3);
      if (corners === 0 || corners === 15) continue;
      const saddle = (corners === FALLING || corners === RISING) && (a + b + c + d) / 4 > level;
      const joined = JOINED[saddle ? FALLING + RISING - corners : corners] ?? [];
      for (const pair of joined)
        for (const side of pair) addCrossing(segments, side, y, x, [a, b, c, d], level);
    }
  }
  return segments;
}

/** Adds the place where a side of the square is crossed. */
function addCrossing(
  segments: number[],
  side: Side,
  y: number,
  x: number,
  corners: readonly [number, number, number, number],
  level: number,
): void {
  const [a, b, c, d] = corners;
  const part = (from: number, to: number): number => (level - from) / (to - from);
  if (side === 0) segments.push(y + 0.5, x + 0.5 + part(a, b));
  else if (side === 1) segments.push(y + 0.5 + part(b, c), x + 1.5);
  else if (side === 2) segments.push(y + 1.5, x + 0.5 + part(d, c));
  else segments.push(y + 0.5 + part(a, d), x + 0.5);
}
