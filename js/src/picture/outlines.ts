/** Outlines of the places where a map of blocks lies above a level: they follow the blocks' own edges. */
/** Segments as y0, x0, y1, x1, one after another, in pixels; the border of the map is no edge. */
export function blockOutlines(map: Float32Array, height: number, width: number, level: number): number[] {
  const segments: number[] = [];
  // Row by row for the edges of both directions: down the columns of a large map every step waits for memory.
  const tops = new Int32Array(width).fill(-1); // where the edge to the left of each column began
  for (let y = 0, at = 0; y < height; y++) {
    let left = -1; // where the edge above the row began
    for (let x = 0; x < width; x++, at++) {
      const above = (map[at] as number) > level;
      if (y > 0 && above !== (map[at - width] as number) > level) {
        if (left < 0) left = x;
      } else if (left >= 0) {
        segments.push(y, left, y, x);
        left = -1;
      }
      const top = tops[x] as number;
      if (x > 0 && above !== (map[at - 1] as number) > level) {
        if (top < 0) tops[x] = y;
      } else if (top >= 0) {
        segments.push(top, x, y, x);
        tops[x] = -1;
      }
    }
    if (left >= 0) segments.push(y, left, y, width);
  }
  tops.forEach((top, x) => {
    if (top >= 0) segments.push(top, x, height, x);
  });
  return segments;
}
