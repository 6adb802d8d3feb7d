/** The axis of a bar chart: where its numbers stand, and how they are written. */
import { formatValue } from "./words";

/** The numbers at the lower and the upper end of the axis; estimates scatter, so a Shapley effect may be negative. */
export interface Axis {
  readonly low: number;
  readonly high: number;
}

const MOST_STEPS = 5;

/** Zero and the multiples of a round number (1, 2 or 5 times a power of ten) up to `high`: four to six of them. */
export function roundTicks(high: number): number[] {
  if (!(high > 0)) return [0];
  const unit = 10 ** Math.floor(Math.log10(high / MOST_STEPS));
  const step = [1, 2, 5, 10].map((times) => times * unit).find((each) => high / each <= MOST_STEPS) ?? high;
  return Array.from({ length: Math.floor(high / step + 1e-9) + 1 }, (_, at) => at * step);
}

/** A tick with the decimals that its step needs. */
export function tickWords(value: number, step: number): string {
  const exponent = Math.floor(Math.log10(step) + 1e-9);
  if (exponent < -3 || exponent > 4) return formatValue(value, step);
  return value === 0 ? "0" : value.toFixed(Math.max(0, -exponent));
}

/** The number over a bar: two decimals on an axis that ends near 1, else three significant figures of its end. */
export function barWords(value: number, { high }: Axis): string {
  if (high < 0.05 || high >= 10) return formatValue(value, high);
  if (value > 0 && value < 0.01) return "<0.01";
  return value.toFixed(2).replace("-0.00", "0.00").replace("-", "−");
}

/** Where a number stands on the axis, in percent of its height. */
export function percentOf({ low, high }: Axis, value: number): number {
  if (!(high > low) || Number.isNaN(value)) return 0;
  return (100 * (Math.min(high, Math.max(low, value)) - low)) / (high - low);
}
