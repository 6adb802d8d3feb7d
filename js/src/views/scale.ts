/**
 * The colour scale of a run: from 0 to the largest value so far, growing only, so that a map that streams in never
 * flickers. Where a few cells hold nearly everything a linear scale would show them alone; the scale is then a
 * square root, and the colour bar says so. Signed values stand evenly around zero, in the middle of the scale.
 */

export interface Scale {
  /** value drawn with the last colour of the map; 0 while nothing is known */
  readonly top: number;
  readonly root: boolean;
  /** whether it goes from minus `top` to `top` */
  readonly signed: boolean;
}

export const EMPTY_SCALE: Scale = { top: 0, root: false, signed: false };

/** Median of the positive values below this share of the largest: linear would leave half the map in one colour. */
const SKEWED = 0.03;

/** The scale after seeing `values`: the top never falls, and a square root never turns back into a line. */
export function grow(scale: Scale, values: Float32Array, signed = false): Scale {
  const sizes = signed ? values.map(Math.abs) : values;
  const positive = sizes.filter((value) => value > 0 && Number.isFinite(value)).sort();
  const largest = positive[positive.length - 1] ?? 0;
  const top = Math.max(scale.top, largest);
  const median = positive[positive.length >> 1] ?? 0;
  const root = scale.root || (top > 0 && positive.length > 8 && median < SKEWED * top);
  const same = top === scale.top && root === scale.root && signed === scale.signed;
  return same ? scale : { top, root, signed };
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
