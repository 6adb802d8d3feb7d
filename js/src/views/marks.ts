/** Outlines that can be seen over any picture: a light line inside a dark one. */
import type { Rectangle, Segment } from "./geometry";

/** The accent on pictures. Neither cividis nor viridis holds a red, and photographs seldom hold this one. */
export const ACCENT = "#ff3b8d";
const CASING = "rgba(0, 0, 0, 0.7)";
const LIGHT = "#ffffff";

/** How a rectangle's coordinates become device pixels. */
export interface Mapping {
  readonly scaleY: number;
  readonly scaleX: number;
  readonly ratio: number;
}

function strokeTwice(context: CanvasRenderingContext2D, path: Path2D, colour: string, ratio: number): void {
  context.lineJoin = "miter";
  context.lineCap = "square";
  const dash = context.getLineDash();
  context.setLineDash([]);
  context.strokeStyle = CASING;
  context.lineWidth = 4 * ratio;
  context.stroke(path);
  context.setLineDash(dash);
  context.strokeStyle = colour;
  context.lineWidth = 2 * ratio;
  context.stroke(path);
}

/** Outlines rectangles; `dashed` for those that are only proposed. */
export function outline(
  context: CanvasRenderingContext2D,
  rectangles: readonly Rectangle[],
  mapping: Mapping,
  look: { readonly colour?: string; readonly dashed?: boolean; readonly fill?: string } = {},
): void {
  const path = new Path2D();
  for (const { top, left, bottom, right } of rectangles) {
    const y = Math.round(top * mapping.scaleY);
    const x = Math.round(left * mapping.scaleX);
    path.rect(x, y, Math.round(right * mapping.scaleX) - x, Math.round(bottom * mapping.scaleY) - y);
  }
  if (look.fill) {
    context.fillStyle = look.fill;
    context.fill(path);
  }
  context.setLineDash(look.dashed ? [4 * mapping.ratio, 4 * mapping.ratio] : []);
  strokeTwice(context, path, look.colour ?? LIGHT, mapping.ratio);
  context.setLineDash([]);
}

/** Draws the contour of the selection. */
export function drawContour(
  context: CanvasRenderingContext2D,
  segments: readonly Segment[],
  mapping: Mapping,
): void {
  const path = new Path2D();
  for (const { y0, x0, y1, x1 } of segments) {
    path.moveTo(Math.round(x0 * mapping.scaleX), Math.round(y0 * mapping.scaleY));
    path.lineTo(Math.round(x1 * mapping.scaleX), Math.round(y1 * mapping.scaleY));
  }
  strokeTwice(context, path, ACCENT, mapping.ratio);
}
