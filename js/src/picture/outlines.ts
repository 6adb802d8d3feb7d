/** Outlines of the places where a map of blocks lies above a level: they follow the blocks' own edges. */
import { runs } from "./runs";

/** Segments as y0, x0, y1, x1, one after another, in pixels; the border of the map is no edge. */
export function blockOutlines(map: Float32Array, height: number, width: number, level: number): number[] {
  const segments: number[] = [];
  const above = (y: number, x: number): boolean => (map[y * width + x] as number) > level;
  for (let y = 1; y < height; y++) {
    runs(
      0,
      width,
      (x) => above(y, x) !== above(y - 1, x),
      (from, to) => segments.push(y, from, y, to),
    );
  }
  for (let x = 1; x < width; x++) {
    runs(
      0,
      height,
      (y) => above(y, x) !== above(y, x - 1),
      (from, to) => segments.push(from, x, to, x),
    );
  }
  return segments;
}
