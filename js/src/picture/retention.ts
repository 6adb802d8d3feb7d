/** The retention curve: its axis of shares, what stands between its points, and the steps of its slider. */
import type { RetentionLine } from "../frame/retention";
import { type CellTable, cellRectangle } from "./geometry";

/** The share of all coefficients that the first cells of an order hold, by how many these are. */
export function coefficientShares(table: CellTable, order: Int32Array): Float64Array {
  const shares = new Float64Array(order.length + 1);
  order.forEach((cell, at) => {
    const { top, left, bottom, right } = cellRectangle(table, cell);
    shares[at + 1] = (shares[at] ?? 0) + (bottom - top) * (right - left);
  });
  const all = shares[order.length] ?? 1;
  return shares.map((sum) => sum / all);
}

/** Where a share stands on a logarithmic axis from the share `low` (0) to all (1). */
export function placeOfShare(low: number, share: number): number {
  if (!(low < 1)) return 1;
  return Math.min(1, Math.max(0, 1 - Math.log(Math.max(share, low)) / Math.log(low)));
}

/** Powers of ten on the axis, at least all of it. */
export function shareTicks(low: number): number[] {
  const ticks: number[] = [];
  for (let tick = 1; tick >= low * (1 - 1e-9); tick /= 10) ticks.unshift(tick);
  return ticks;
}

/** "10 %", "0.1 %", "84 %"; two figures, because on a logarithmic axis no share is just small. */
export function shareWords(share: number): string {
  const percent = share * 100;
  if (percent >= 10) return `${Math.round(percent)} %`;
  return `${Number(percent.toPrecision(2))} %`;
}

/** The number of cells, at least 1, whose share stands nearest to a place of the axis. */
export function countAt(shares: Float64Array, place: number): number {
  const low = shares[1] ?? 1;
  let [from, to] = [1, shares.length - 1];
  while (to - from > 1) {
    const middle = (from + to) >> 1;
    if (placeOfShare(low, shares[middle] ?? 1) <= place) from = middle;
    else to = middle;
  }
  const away = (count: number): number => Math.abs(placeOfShare(low, shares[count] ?? 1) - place);
  return away(to) < away(from) ? to : from;
}

/** A score of the curve, and the class that the model decides for; null where neighbours differ. */
export interface CurveValue {
  readonly score: number;
  readonly class: number | null;
  /** whether the model gave it; else it is read off the line between two points */
  readonly exact: boolean;
}

/** What a line says of so many cells; null where it has no point on either side. */
export function valueOn(line: RetentionLine, shares: Float64Array, count: number): CurveValue | null {
  const { counts, scores, classes } = line;
  const after = counts.findIndex((each) => each >= count);
  if (after < 0) return null;
  if (counts[after] === count)
    return { score: scores[after] ?? Number.NaN, class: classes[after] ?? null, exact: true };
  const before = after - 1;
  if (before < 0 || (counts[before] ?? 0) < 1) return null;
  const low = shares[1] ?? 1;
  const at = (index: number): number => placeOfShare(low, shares[index] ?? 1);
  const [from, to] = [at(counts[before] ?? 1), at(counts[after] ?? 1)];
  const part = (at(count) - from) / (to - from);
  const [start = Number.NaN, end = Number.NaN] = [scores[before], scores[after]];
  const same = classes[before] === classes[after];
  return { score: start + part * (end - start), class: same ? (classes[after] ?? null) : null, exact: false };
}

const ARROW_STEP = 1.02;
const PAGE_STEP = 1.25;

/** Where a key leads the slider from so many of all cells; undefined when it is no key of a slider. */
export function countAfterKey(count: number, key: string, all: number): number | undefined {
  const step = (factor: number): number => Math.max(1, Math.round(count * (factor - 1)));
  const moves: Record<string, number> = {
    ArrowLeft: count - step(ARROW_STEP),
    ArrowDown: count - step(ARROW_STEP),
    ArrowRight: count + step(ARROW_STEP),
    ArrowUp: count + step(ARROW_STEP),
    PageDown: Math.min(count - 1, Math.round(count / PAGE_STEP)),
    PageUp: count + step(PAGE_STEP),
    Home: 1,
    End: all,
  };
  const next = moves[key];
  return next === undefined ? undefined : Math.min(all, Math.max(1, next));
}
