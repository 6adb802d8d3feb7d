/** One map less another: values, intervals, and which differences are more than chance. */
import { type AttributionFrame, KIND, type Profile } from "../frame/attribution";
import type { PairedDifference, PairedIntervals } from "../frame/paired";

type Numbers = Float32Array | Float64Array;
interface Estimates<T extends Numbers> {
  readonly value: T;
  readonly low: T;
  readonly high: T;
}

/** The second map less the first, on the same cells; of other units each as a share of its own sum. */
export function differenceOf(
  one: AttributionFrame,
  other: AttributionFrame,
  title: string,
  paired: PairedDifference | null = null,
): AttributionFrame {
  const [mine, theirs] = [factorOf(one, other), factorOf(other, one)];
  const cells = less(
    scaled({ value: other.values, low: other.low, high: other.high }, theirs),
    scaled({ value: one.values, low: one.low, high: one.high }, mine),
    paired?.cells ?? null,
  );
  const unresolved = (cell: number): boolean =>
    paired === null && (one.kind[cell] === KIND.unresolved || other.kind[cell] === KIND.unresolved);
  const kind = Uint8Array.from(cells.value, (_, cell) => {
    if (unresolved(cell)) return KIND.unresolved;
    return isCertain(cells, cell, paired?.cells ?? null) ? KIND.certain : KIND.open;
  });
  const ended = one.stop !== "" && other.stop !== "";
  return {
    ...other,
    run: `${one.run} ${other.run}`,
    rev: one.rev + other.rev,
    complete: one.complete && other.complete,
    target: { label: title, score: other.target.score - one.target.score },
    unit: `${title}: ${one.unit === other.unit ? one.unit : "share of each map's own sum, as the units differ"}`,
    signed: true,
    stop: ended ? other.stop : "",
    variance: null,
    profile: profileOf(one.profile, other.profile, [mine, theirs], title, paired?.bands ?? null),
    values: cells.value,
    low: cells.low,
    high: cells.high,
    slope: new Float32Array(cells.value.length).fill(Number.NaN),
    kind,
  };
}

/** The difference of two heatmaps of one size; of other units each as a share of its own sum. */
export function heatDifference(one: Float32Array, other: Float32Array, sameUnit: boolean): Float32Array {
  const [mine, theirs] = sameUnit ? [1, 1] : [1 / (sumOf(one) || 1), 1 / (sumOf(other) || 1)];
  return other.map((value, at) => value * theirs - (one[at] ?? Number.NaN) * mine);
}

function factorOf(map: AttributionFrame, reference: AttributionFrame): number {
  return map.unit === reference.unit ? 1 : 1 / (sumOf(map.values) || 1);
}

function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += Math.abs(values[at] ?? 0) || 0;
  return sum;
}

function scaled<T extends Numbers>({ value, low, high }: Estimates<T>, factor: number): Estimates<T> {
  const times = (numbers: T): T => numbers.map((number) => number * factor) as T;
  return { value: times(value), low: times(low), high: times(high) };
}

/** Without paired intervals, the widest that both leave open: it is above or below 0 where they do not overlap. */
function less<T extends Numbers>(
  more: Estimates<T>,
  fewer: Estimates<T>,
  paired: PairedIntervals | null,
): Estimates<T> {
  const minus = (a: T, b: T): T => a.map((value, at) => value - (b[at] ?? Number.NaN)) as T;
  const of = (numbers: ArrayLike<number>): T => more.value.map((_, at) => numbers[at] ?? Number.NaN) as T;
  return {
    value: minus(more.value, fewer.value),
    low: paired ? of(paired.low) : minus(more.low, fewer.high),
    high: paired ? of(paired.high) : minus(more.high, fewer.low),
  };
}

function isCertain(numbers: Estimates<Numbers>, at: number, paired: PairedIntervals | null): boolean {
  if (paired !== null) return paired.certain[at] === 1;
  const [low = 0, high = 0] = [numbers.low[at], numbers.high[at]];
  return low < high && (low > 0 || high < 0);
}

/** For each band, whether it differs for certain. */
export function certainBands(map: AttributionFrame, paired: PairedDifference | null): number[] {
  const { total: value, low, high } = map.profile;
  return [...value.keys()].filter((band) => isCertain({ value, low, high }, band, paired?.bands ?? null));
}

function profileOf(
  one: Profile,
  other: Profile,
  [mine, theirs]: readonly [number, number],
  title: string,
  paired: PairedIntervals | null,
): Profile {
  const total = less(
    scaled({ value: other.total, low: other.low, high: other.high }, theirs),
    scaled({ value: one.total, low: one.low, high: one.high }, mine),
    paired,
  );
  return {
    statistic: `${title}, ${other.statistic}`,
    total: total.value,
    low: total.low,
    high: total.high,
    shapley: other.shapley.map((value, band) => value - (one.shapley[band] ?? Number.NaN)),
  };
}
