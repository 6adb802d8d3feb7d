/** The axis of a bar chart: where its numbers stand, and how they are written. */
import type { AttributionFrame } from "../frame/attribution";
import { isShareDifference } from "../frame/shares";
import { formatValue } from "./words";

/** The numbers at the ends of the axis; sums of signed values, and estimates that scatter, may be negative. */
export interface Axis {
  readonly low: number;
  readonly high: number;
}

/**
 * The numbers that the chart of a profile must hold. A whisker may go below zero, and is cut there, unless values
 * have signs: then zero is in the middle, as it is of their colours. That of a difference of shares is cut at 1.
 */
export function rangeOf(attribution: Pick<AttributionFrame, "profile" | "signed" | "unit"> | null): Axis {
  if (attribution === null) return { low: 0, high: 0 };
  const { signed, profile, unit } = attribution;
  const { total, low, high, shapley } = profile;
  const finite = [...total, ...high, ...shapley, ...(signed ? low : [])].filter(Number.isFinite);
  if (signed) {
    const most = isShareDifference(unit) ? 1 : Number.POSITIVE_INFINITY;
    const end = Math.min(most, Math.max(0, ...finite.map(Math.abs)));
    return { low: -end, high: end };
  }
  return { low: Math.min(0, ...finite), high: Math.max(0, ...finite) };
}

const MOST_STEPS = 5;

/** Zero and the multiples of a round number (1, 2 or 5 times a power of ten) between the ends: three to six. */
export function roundTicks({ low, high }: Axis): number[] {
  const span = high - low;
  if (!(span > 0)) return [0];
  const unit = 10 ** Math.floor(Math.log10(span / MOST_STEPS));
  const step = [1, 2, 5, 10].map((times) => times * unit).find((each) => span / each <= MOST_STEPS) ?? span;
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, at) => (first + at) * step || 0); // never minus zero
}

/** A tick with the decimals that its step needs. */
export function tickWords(value: number, step: number): string {
  const exponent = Math.floor(Math.log10(step) + 1e-9);
  if (exponent < -3 || exponent > 4) return formatValue(value, step);
  return value === 0 ? "0" : value.toFixed(Math.max(0, -exponent)).replace("-", "−");
}

/** The number over a bar: two decimals on an axis that ends near 1, else three significant figures of its end. */
export function barWords(value: number, { low, high }: Axis): string {
  const end = Math.max(high, -low);
  if (end < 0.05 || end >= 10) return formatValue(value, end);
  if (value > 0 && value < 0.01) return "<0.01";
  return value.toFixed(2).replace("-0.00", "0.00").replace("-", "−");
}

/** Where a number stands on the axis, in percent of its height. */
export function percentOf({ low, high }: Axis, value: number): number {
  if (!(high > low) || Number.isNaN(value)) return 0;
  return (100 * (Math.min(high, Math.max(low, value)) - low)) / (high - low);
}
