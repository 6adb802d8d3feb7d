/** The cell cursor of the dyadic view: where an arrow or a bracket key leads from a cell. */

import { type Band, NO_CELL } from "../frame/picture";
import { bandOf, type CellTable, cellAt, cellRectangle, supportRectangle } from "../picture/geometry";

export type Direction = "up" | "down" | "left" | "right";

const STEPS: Record<Direction, readonly [number, number]> = {
  up: [-1, 0],
  down: [1, 0],
  left: [0, -1],
  right: [0, 1],
};

/** The next cell in a direction, jumping over gaps of the packing; the same cell at the border of the picture. */
export function neighbour(table: CellTable, cell: number, direction: Direction): number {
  const { top, left, bottom, right } = cellRectangle(table, cell);
  const [dy, dx] = STEPS[direction];
  let y = dy < 0 ? top : dy > 0 ? bottom - 1 : (top + bottom - 1) / 2;
  let x = dx < 0 ? left : dx > 0 ? right - 1 : (left + right - 1) / 2;
  for (;;) {
    y += dy;
    x += dx;
    if (y < 0 || x < 0 || y >= table.pictureHeight || x >= table.pictureWidth) return cell;
    const next = cellAt(table, y, x);
    if (next !== NO_CELL && next !== cell) return next;
  }
}

/** The bands a cell of one of them can move through without changing its filter, coarse to fine. */
function bandsAcrossLevels(table: CellTable, own: Band): number[] {
  const filter = own.orientation === "A" ? "LH" : own.orientation;
  return table.bands.flatMap(({ orientation, part }, at) =>
    part === own.part && (orientation === "A" || orientation === filter) ? [at] : [],
  );
}

/** The cell over the same place one level coarser (-1) or finer (+1); the same cell where there is no further level. */
export function otherLevel(table: CellTable, cell: number, step: -1 | 1): number {
  const number = bandOf(table, cell);
  const band = table.bands[number];
  const bands = band ? bandsAcrossLevels(table, band) : [];
  const target = bands[bands.indexOf(number) + step];
  if (target === undefined) return cell;
  const own = supportRectangle(table, cell);
  const y = (own.top + own.bottom) / 2;
  const x = (own.left + own.right) / 2;
  return nearestInBand(table, target, y, x) ?? cell;
}

/** The cell of a band whose support's middle is nearest to an image point. */
function nearestInBand(table: CellTable, band: number, y: number, x: number): number | undefined {
  let best: number | undefined;
  let nearest = Number.POSITIVE_INFINITY;
  for (let cell = 0; cell < table.cellCount; cell++) {
    if (bandOf(table, cell) !== band) continue;
    const { top, left, bottom, right } = supportRectangle(table, cell);
    const distance = Math.hypot((top + bottom) / 2 - y, (left + right) / 2 - x);
    if (distance < nearest) {
      nearest = distance;
      best = cell;
    }
  }
  return best;
}
