/**
 * The colour scale of a run: from 0 to the largest value so far, growing only, so that a map that streams in never
 * flickers. Where a few cells hold nearly everything a linear scale would show them alone; the scale is then a
 * square root, and the colour bar says so.
 */

export interface Scale {
  /** value drawn with the last colour of the map; 0 while nothing is known */
  readonly top: number;
  readonly root: boolean;
}

export const EMPTY_SCALE: Scale = { top: 0, root: false };

/** Median of the positive values below this share of the largest: linear would leave half the map in one colour. */
const SKEWED = 0.03;

/** The scale after seeing `values`: the top never falls, and a square root never turns back into a line. */
export function grow(scale: Scale, values: Float32Array): Scale {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value)).sort();
  const largest = positive[positive.length - 1] ?? 0;
  const top = Math.max(scale.top, largest);
  const median = positive[positive.length >> 1] ?? 0;
  const root = scale.root || (top > 0 && positive.length > 8 && median < SKEWED * top);
  return top === scale.top && root === scale.root ? scale : { top, root };
}

/** Position of a value on the scale, 0 to 1; values below zero (estimates scatter) stand at 0. */
export function place(scale: Scale, value: number): number {
  if (!(value > 0) || scale.top === 0) return 0;
  const linear = Math.min(1, value / scale.top);
  return scale.root ? Math.sqrt(linear) : linear;
}

/** The value that stands at a position: the inverse of `place`, for the ticks of the colour bar. */
export function valueAt(scale: Scale, position: number): number {
  return scale.top * (scale.root ? position * position : position);
}
