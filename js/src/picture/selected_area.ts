/** Where in the image a selection lies. */
import { type CellTable, type Segment, supportRectangle } from "./geometry";
import { blockOutlines } from "./outlines";
import { selectionParts } from "./selection_parts";

const EVERYWHERE = 0.9;

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
  const covered = new Float32Array(height * width);
  for (const cell of cells) {
    const { top, left, bottom, right } = supportRectangle(table, cell);
    const [from, to] = [Math.round(left), Math.round(right)];
    for (let y = Math.round(top); y < Math.round(bottom); y++)
      covered.fill(1, y * width + from, y * width + to);
  }
  if (covered.filter(Boolean).length > EVERYWHERE * covered.length) return [];
  const flat = blockOutlines(covered, height, width, 0.5);
  return Array.from({ length: flat.length / 4 }, (_, at) => {
    const [y0 = 0, x0 = 0, y1 = 0, x1 = 0] = flat.slice(4 * at, 4 * at + 4);
    return { y0, x0, y1, x1 };
  });
}
