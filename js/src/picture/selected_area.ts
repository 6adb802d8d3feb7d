/** Where in the image a selection lies. */
import { type CellTable, type Segment, supportRectangle } from "./geometry";
import { blockOutlines } from "./outlines";
import { selectionParts } from "./selection_parts";

const EVERYWHERE = 0.9;
/** Along a side: the outline of a larger image is as exact as the screen shows it. */
const MOST_STEPS = 256;

/**
 * The outline of the selected cells' supports, all together. Bands and levels that are selected completely are
 * everywhere, and say nothing of where: the others alone have an outline, unless they are almost everywhere too,
 * when it would show the few places where they are not.
 */
export function selectedOutline(
  table: CellTable,
  selection: readonly number[],
  height: number,
  width: number,
): Segment[] {
  const cells = selectionParts(table, selection).flatMap((part) => (part.complete ? [] : part.cells));
  if (cells.length === 0) return [];
  const step = Math.ceil(Math.max(height, width) / MOST_STEPS);
  const [rows, columns] = [Math.ceil(height / step), Math.ceil(width / step)];
  const covered = new Float32Array(rows * columns);
  for (const cell of cells) {
    const { top, left, bottom, right } = supportRectangle(table, cell);
    const [from, to, end] = [Math.floor(left / step), Math.ceil(right / step), Math.ceil(bottom / step)];
    for (let y = Math.floor(top / step); y < end; y++) covered.fill(1, y * columns + from, y * columns + to);
  }
  let places = 0;
  for (let at = 0; at < covered.length; at++) places += covered[at] as number;
  if (places > EVERYWHERE * covered.length) return [];
  const flat = blockOutlines(covered, rows, columns, 0.5).map((at) => at * step);
  return Array.from({ length: flat.length / 4 }, (_, at) => {
    const [y0 = 0, x0 = 0, y1 = 0, x1 = 0] = flat.slice(4 * at, 4 * at + 4);
    return { y0, x0, y1, x1 };
  });
}
