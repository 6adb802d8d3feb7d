import { describe, expect, it } from "vitest";
import type { Profile } from "../../src/frame/attribution";
import { barWords, percentOf, rangeOf, roundTicks, tickWords } from "../../src/picture/axis";

type Three = [Float64Array, Float64Array, Float64Array];

const written = (high: number, low = 0): string[] => {
  const ticks = roundTicks({ low, high });
  return ticks.map((tick) => tickWords(tick, (ticks[1] ?? 1) - (ticks[0] ?? 0)));
};

describe("ticks", () => {
  it.each([
    [1, ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]],
    [0.427, ["0", "0.1", "0.2", "0.3", "0.4"]],
    [0.55, ["0", "0.2", "0.4"]],
    [0.06, ["0", "0.02", "0.04", "0.06"]],
    [2300, ["0", "500", "1000", "1500", "2000"]],
    [3e-6, ["0", "1.00 × 10⁻⁶", "2.00 × 10⁻⁶", "3.00 × 10⁻⁶"]],
    [0, ["0"]],
  ])("up to %s are round", (high, words) => {
    expect(written(high)).toEqual(words);
  });

  it.each([
    [0.4, -0.6, ["−0.6", "−0.4", "−0.2", "0", "0.2", "0.4"]],
    [0.0003, -0.0027, ["−0.002", "−0.001", "0"]],
    [0, -3, ["−3", "−2", "−1", "0"]],
  ])("up to %s from %s hold zero", (high, low, words) => {
    expect(written(high, low)).toEqual(words);
  });

  it("are never fewer than three, nor more than six, and end below the top", () => {
    for (let high = 0.0007; high < 4000; high *= 1.13) {
      const ticks = roundTicks({ low: 0, high });
      expect(ticks.length).toBeGreaterThanOrEqual(3);
      expect(ticks.length).toBeLessThanOrEqual(6);
      expect(ticks.at(-1)).toBeLessThanOrEqual(high * (1 + 1e-8));
    }
  });
});

it.each([
  [0.2234, 0.43, "0.22"],
  [0.0061, 0.43, "<0.01"],
  [0, 0.43, "0.00"],
  [-0.001, 0.43, "0.00"],
  [-0.03, 0.43, "−0.03"],
  [0.0061, 0.02, "0.0061"],
  [123.4, 400, "123"],
])("%s on an axis up to %s is written %s", (value, high, words) => {
  expect(barWords(value, { low: 0, high })).toBe(words);
});

it("writes numbers for the longer side of the axis", () => {
  expect(barWords(-0.0021, { low: -0.0027, high: 0.0003 })).toBe("−0.00210");
  expect(barWords(0.0003, { low: -0.0027, high: 0.0003 })).toBe("0.00030");
});

it("places numbers in percent, cut at the ends", () => {
  const axis = { low: -1, high: 3 };
  expect([-2, -1, 0, 3, 9].map((value) => percentOf(axis, value))).toEqual([0, 0, 25, 100, 100]);
  expect(percentOf({ low: 0, high: 0 }, 0)).toBe(0);
});

function profileOf(total: number[], low: number[], high: number[]): Profile {
  const [values, least, most] = [total, low, high].map((each) => Float64Array.from(each)) as Three;
  return { statistic: "total", total: values, low: least, high: most, shapley: new Float64Array(0) };
}

describe("rangeOf", () => {
  it("holds shares from zero on, where whiskers are cut", () => {
    const profile = profileOf([0.4, 0.1], [-0.2, -0.1], [0.9, 0.3]);
    expect(rangeOf({ signed: false, profile, unit: "" })).toEqual({ low: 0, high: 0.9 });
  });

  it("has zero in the middle of values with signs, and room for both ends of their intervals", () => {
    const profile = profileOf([-0.4, 0.1], [-0.7, -0.1], [0.2, 0.3]);
    expect(rangeOf({ signed: true, profile, unit: "" })).toEqual({ low: -0.7, high: 0.7 });
    // What few rows leave open of a difference of shares would make its bars too small to see.
    const wide = { ...profile, low: Float64Array.of(-60, 0), high: Float64Array.of(60, 0) };
    const unit = "foggy less clean: share of the score's variance";
    expect(rangeOf({ signed: true, profile: wide, unit })).toEqual({ low: -1, high: 1 });
  });
});
