/** What is compared: the names of the sides, and where their profiles lie, as the kernel sends them. */
import { asObject, isFiniteNumber, textOr } from "../transport/untrusted";

export interface SidePoint {
  readonly x: number;
  readonly y: number;
}

export interface Sides {
  /** what differs between the sides: "image", "model", "method" */
  readonly compared: string;
  readonly names: readonly string[];
  /** a place for each side, null where its profile is not known; null where there is no map of them */
  readonly points: readonly (SidePoint | null)[] | null;
  /** what the map shows, or why there is none */
  readonly words: string;
  /** whether another target is chosen for all sides */
  readonly linked: boolean;
}

/** More than the kernel ever sends. */
const MOST_SIDES = 64;

/** The sides; no names where nothing is compared. */
export function readSides(value: unknown): Sides {
  const { compared, names, points, words, linked } = asObject(value);
  const named = Array.isArray(names) ? names.slice(0, MOST_SIDES).map((name) => textOr(name, "")) : [];
  return {
    compared: textOr(compared, ""),
    names: named,
    points: Array.isArray(points) ? named.map((_, at) => readPoint(points[at])) : null,
    words: textOr(words, ""),
    linked: linked === true,
  };
}

function readPoint(value: unknown): SidePoint | null {
  const [x, y] = Array.isArray(value) ? (value as unknown[]) : [];
  return isFiniteNumber(x) && isFiniteNumber(y) ? { x, y } : null;
}

/** Which sides are shown: one or two different ones; the first where it cannot be read. */
export function readShown(value: unknown, count: number): readonly number[] {
  const numbers: unknown[] = Array.isArray(value) ? value : [];
  const fits = (side: unknown): side is number =>
    Number.isInteger(side) && Number(side) >= 0 && Number(side) < count;
  const shown = [...new Set(numbers.filter(fits))].slice(0, 2);
  return shown.length > 0 ? shown : [0];
}
