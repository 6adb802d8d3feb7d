/** Outlines that can be seen over any picture: a light line inside a dark one. */
import type { Rectangle, Segment } from "../picture/geometry";

/** The accent on pictures. Neither cividis nor viridis holds a red, and photographs seldom hold this one. */
export const ACCENT = "#ff3b8d";
const CASING = "rgba(0, 0, 0, 0.7)";
const LIGHT = "#ffffff";

/** How a rectangle's coordinates become device pixels: `top` and `left` stand in the corner of the canvas. */
export interface Mapping {
  readonly top: number;
  readonly left: number;
  readonly scaleY: number;
  readonly scaleX: number;
  readonly ratio: number;
}

/** The mapping that lets a window of the coordinates fill a canvas. */
export function fitting(
  window: Rectangle,
  canvas: { width: number; height: number; ratio: number },
): Mapping {
  return {
    top: window.top,
    left: window.left,
    scaleY: canvas.height / (window.bottom - window.top),
    scaleX: canvas.width / (window.right - window.left),
    ratio: canvas.ratio,
  };
}

/** A row and a column as device pixels. */
export function toPixels(mapping: Mapping, y: number, x: number): { readonly y: number; readonly x: number } {
  return {
    y: Math.round((y - mapping.top) * mapping.scaleY),
    x: Math.round((x - mapping.left) * mapping.scaleX),
  };
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A rectangle as device pixels. */
export function boxOf({ top, left, bottom, right }: Rectangle, mapping: Mapping): Box {
  const { y, x } = toPixels(mapping, top, left);
  const end = toPixels(mapping, bottom, right);
  return { x, y, width: end.x - x, height: end.y - y };
}

/** A stroke in a colour; its width in CSS pixels. */
export interface Stroke {
  readonly colour: string;
  readonly width: number;
}

/** Strokes paths with a wide casing, never dashed, and a line on it: they are seen on every background. */
export function strokeCased(
  context: CanvasRenderingContext2D,
  paths: readonly Path2D[],
  [casing, line]: readonly [Stroke, Stroke],
  ratio: number,
): void {
  const dash = context.getLineDash();
  for (const { colour, width, pattern } of [
    { ...casing, pattern: [] },
    { ...line, pattern: dash },
  ]) {
    context.setLineDash(pattern);
    context.strokeStyle = colour;
    context.lineWidth = width * ratio;
    for (const path of paths) context.stroke(path);
  }
}

function strokeOutline(context: CanvasRenderingContext2D, path: Path2D, colour: string, ratio: number): void {
  context.lineJoin = "miter";
  context.lineCap = "square";
  strokeCased(
    context,
    [path],
    [
      { colour: CASING, width: 4 },
      { colour, width: 2 },
    ],
    ratio,
  );
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
    const from = toPixels(mapping, top, left);
    const to = toPixels(mapping, bottom, right);
    path.rect(from.x, from.y, to.x - from.x, to.y - from.y);
  }
  if (look.fill) {
    context.fillStyle = look.fill;
    context.fill(path);
  }
  context.setLineDash(look.dashed ? [4 * mapping.ratio, 4 * mapping.ratio] : []);
  strokeOutline(context, path, look.colour ?? LIGHT, mapping.ratio);
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
    const from = toPixels(mapping, y0, x0);
    const to = toPixels(mapping, y1, x1);
    path.moveTo(from.x, from.y);
    path.lineTo(to.x, to.y);
  }
  strokeOutline(context, path, ACCENT, mapping.ratio);
}
