/** Lines of equal heat over the image: along the edges of cells, smooth over the maps of other methods. */
import { type Picture, SUPPORT_FIELDS } from "../frame/picture";
import { isolines, smoothed } from "./isolines";
import { blockOutlines } from "./outlines";

/** Where the lines stand, as shares of the largest value. */
const SHARES = [0.25, 0.5, 0.75];
export const CONTOUR_WORDS = "lines at 25, 50 and 75 % of the largest value";
/** A map whose values differ by less than this share of the largest is constant: its lines would show rounding. */
const CONSTANT = 1e-3;
/** The heat is smoothed over at least this share of the image's shorter side. */
const LEAST_RADIUS = 1 / 32;

/** The radius over which a map of another method is smoothed: half the side of the usual cell. */
export function smoothingRadius(support: Float32Array, height: number, width: number): number {
  const sides = new Float32Array(support.length / SUPPORT_FIELDS);
  for (let cell = 0; cell < sides.length; cell++) {
    const [top = 0, left = 0, bottom = 0, right = 0] = support.subarray(cell * SUPPORT_FIELDS);
    sides[cell] = Math.min(bottom - top, right - left);
  }
  const usual = sides.sort()[sides.length >> 1] ?? 0;
  return Math.max(1, Math.round(Math.max(usual / 2, LEAST_RADIUS * Math.min(height, width))));
}

/** Segments of the lines as y0, x0, y1, x1; none where the map is constant. Maps of cells keep their edges. */
export function contourLines(
  heat: Float32Array,
  picture: Pick<Picture, "support" | "height" | "width">,
  ofCells: boolean,
): number[] {
  const { support, height, width } = picture;
  const positive = heat.map((value) => Math.max(0, value));
  const map = ofCells ? positive : smoothed(positive, height, width, smoothingRadius(support, height, width));
  let [least, largest] = [Number.POSITIVE_INFINITY, 0];
  for (const value of map) {
    least = Math.min(least, value);
    largest = Math.max(largest, value);
  }
  if (!(largest - least > CONSTANT * largest)) return [];
  const draw = ofCells ? blockOutlines : isolines;
  return SHARES.flatMap((share) => draw(map, height, width, share * largest));
}
