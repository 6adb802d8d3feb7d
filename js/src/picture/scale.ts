/**
 * The colour scale of a map: from 0 to the largest value of the frame that is shown; shares end at 1 at the latest.
 * Where a few cells hold nearly everything a linear scale would show them alone; the scale is then a square root,
 * and the colour bar says so. Signed values stand evenly around zero, in the middle of the scale.
 * `wcam_widget/show/scale.py` states the same rule for figures, and a test holds the two together.
 */

export interface Scale {
  /** value drawn with the last colour of the map; 0 while nothing is known */
  readonly top: number;
  readonly root: boolean;
  /** whether it goes from minus `top` to `top` */
  readonly signed: boolean;
}

/** Numbers of one map, and the run they belong to. */
export interface MapNumbers {
  readonly run: string;
  readonly numbers: Float32Array;
  readonly signed: boolean;
  /** whether they are shares, which cannot exceed 1 */
  readonly share: boolean;
  /** whether no better frame is expected */
  readonly settled: boolean;
}

export const EMPTY_SCALE: Scale = { top: 0, root: false, signed: false };

/** Median of the positive values below this share of the largest: linear would leave half the map in one colour. */
const SKEWED = 0.03;
/** Fewer positive values have no median worth the name. */
const LEAST_COUNT = 9;
/** While a map streams its scale stays where it is, as long as its top is no more than this above the values. */
const SLACK = 1.25;
/** While a map streams a square root stays one until the median is this many times past the limit. */
const LINGER = 2;

/** The scale of a map by its numbers alone: the same live, in a saved page and in a figure. */
export function scaleOf({ numbers, signed, share }: MapNumbers): Scale {
  const { top, median } = reach(numbers, signed, share);
  return { top, root: median < SKEWED * top, signed };
}

/** The scale of the next frame of a run: at the end that of `scaleOf`, before it calmer, so that nothing flickers. */
export function nextScale(before: Scale | null, map: MapNumbers): Scale {
  const exact = scaleOf(map);
  if (before === null || map.settled || before.signed !== exact.signed) return exact;
  const { median } = reach(map.numbers, map.signed, map.share);
  const top = before.top >= exact.top && before.top <= SLACK * exact.top ? before.top : exact.top;
  const root = exact.root || (before.root && median < LINGER * SKEWED * exact.top);
  const same = top === before.top && root === before.root;
  return same ? before : { top, root, signed: exact.signed };
}

/** The largest value, and the median of those above zero; infinite where there are few. */
function reach(
  numbers: Float32Array,
  signed: boolean,
  share: boolean,
): { readonly top: number; readonly median: number } {
  const sizes = signed ? numbers.map(Math.abs) : numbers;
  const positive = sizes.filter((value) => value > 0 && Number.isFinite(value)).sort();
  const largest = positive[positive.length - 1] ?? 0;
  const median = positive[positive.length >> 1] ?? 0;
  return {
    top: share ? Math.min(1, largest) : largest,
    median: positive.length < LEAST_COUNT ? Number.POSITIVE_INFINITY : median,
  };
}

/** Position of a value on the scale, 0 to 1; unless signed, values below zero (estimates scatter) stand at 0. */
export function place({ top, root, signed }: Scale, value: number): number {
  const share = top === 0 ? 0 : Math.min(1, Math.abs(value) / top);
  const size = root ? Math.sqrt(share) : share;
  if (signed) return 0.5 + (value < 0 ? -size : size) / 2;
  return value > 0 ? size : 0;
}

/** The value that stands at a position: the inverse of `place`, for the ticks of the colour bar. */
export function valueAt({ top, root, signed }: Scale, position: number): number {
  const size = signed ? 2 * position - 1 : position;
  return top * (root ? size * Math.abs(size) : size);
}
