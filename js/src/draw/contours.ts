/** Draws contour lines. */
import type { ScreenCanvas } from "./canvas";
import { type Stroke, strokeCased } from "./marks";

const CASING: Stroke = { colour: "rgba(0, 0, 0, 0.6)", width: 3 };
const LINE: Stroke = { colour: "rgba(255, 255, 255, 0.95)", width: 1.25 };

/** A thin light line in a dark casing: it is seen on every colour of both maps and on any photograph. */
export function drawContourLines(
  { context, ratio }: ScreenCanvas,
  segments: number[],
  down: number,
  across: number,
): void {
  const path = new Path2D();
  for (let at = 0; at < segments.length; at += 4) {
    const [y0 = 0, x0 = 0, y1 = 0, x1 = 0] = segments.slice(at, at + 4);
    path.moveTo(x0 * across, y0 * down);
    path.lineTo(x1 * across, y1 * down);
  }
  context.lineCap = "round";
  strokeCased(context, [path], [CASING, LINE], ratio);
}
