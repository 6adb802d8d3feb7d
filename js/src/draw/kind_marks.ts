/** Marks for cells that are not simply estimated: small, in the lower right corner, so that the colour stays seen. */
import { KIND } from "../frame/attribution";
import { type CellTable, cellRectangle } from "../picture/geometry";
import { boxOf, type Mapping, type Stroke, strokeCased } from "./marks";

// Light in a dark casing: seen on every colour, and quiet on all.
const CASING: Stroke = { colour: "rgba(0, 0, 0, 0.3)", width: 2 };
const LINE: Stroke = { colour: "rgba(255, 255, 255, 0.6)", width: 1 };

/** A mark takes this share of a cell's side, within these CSS pixels. */
const SHARE = 0.2;
const [SMALLEST, LARGEST] = [2, 5];
/** Cells with a shorter side than this many CSS pixels have no room for a mark; the legend has them still. */
const LEAST_SIDE = 7;

/** A frame for cells that differ for certain, on maps of differences alone, which are light where they are near 0. */
const FRAME = "rgba(27, 31, 36, 0.75)";

/** A dot for cells that are not resolved, a stroke for bounded ones unless that is all the others. */
export function markKinds(
  context: CanvasRenderingContext2D,
  table: CellTable,
  kinds: Uint8Array | null,
  mapping: Mapping,
): void {
  if (kinds === null) return;
  const stroked = kinds.includes(KIND.estimated) || kinds.includes(KIND.pooled);
  const [strokes, dots, frames] = [new Path2D(), new Path2D(), new Path2D()];
  const { ratio } = mapping;
  for (let cell = 0; cell < table.cellCount; cell++) {
    const kind = kinds[cell];
    if (kind === KIND.estimated || kind === KIND.pooled || kind === KIND.open) continue;
    const { x, y, width, height } = boxOf(cellRectangle(table, cell), mapping);
    const side = Math.min(width, height);
    if (side < LEAST_SIDE * ratio) continue;
    if (kind === KIND.certain) {
      frames.rect(x + ratio, y + ratio, width - 2 * ratio, height - 2 * ratio);
      continue;
    }
    const size = Math.min(LARGEST * ratio, Math.max(SMALLEST * ratio, SHARE * side));
    const [right, bottom] = [x + width - 1.5 * ratio, y + height - 1.5 * ratio];
    if (kind === KIND.unresolved) {
      const radius = size / 3;
      dots.moveTo(right, bottom - radius);
      dots.arc(right - radius, bottom - radius, radius, 0, 2 * Math.PI);
    } else if (stroked) {
      strokes.moveTo(right - size, bottom);
      strokes.lineTo(right, bottom - size);
    }
  }
  context.strokeStyle = FRAME;
  context.lineWidth = ratio;
  context.stroke(frames);
  context.lineCap = "round";
  strokeCased(context, [strokes, dots], [CASING, LINE], ratio);
}
