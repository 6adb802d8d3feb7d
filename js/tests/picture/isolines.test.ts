import { describe, expect, it } from "vitest";
import { isolines, smoothed } from "../../src/picture/isolines";

const map = (height: number, width: number, at: (y: number, x: number) => number): Float32Array =>
  Float32Array.from({ length: height * width }, (_, i) => at(Math.floor(i / width), i % width));

/** The ends (y, x) of all segments. */
function ends(segments: readonly number[]): [number, number][] {
  return Array.from({ length: segments.length / 2 }, (_, i) => [
    segments[2 * i] ?? 0,
    segments[2 * i + 1] ?? 0,
  ]);
}

describe("isolines", () => {
  it("lie where a slope has the level", () => {
    const lines = ends(
      isolines(
        map(4, 5, (y) => y),
        4,
        5,
        1.25,
      ),
    );
    expect(lines).toHaveLength(8);
    for (const [y] of lines) expect(y).toBeCloseTo(1.75);
    for (const [, x] of ends(
      isolines(
        map(4, 5, (_, x) => 10 - 2 * x),
        4,
        5,
        5,
      ),
    ))
      expect(x).toBeCloseTo(3);
  });

  it("go round a hill at the distance of the level, and close", () => {
    const hill = map(41, 41, (y, x) => 20 - Math.hypot(y - 20, x - 20));
    const lines = ends(isolines(hill, 41, 41, 8));
    for (const [y, x] of lines) expect(Math.hypot(y - 20.5, x - 20.5)).toBeCloseTo(12, 1);
    const met = new Map<string, number>();
    for (const end of lines) {
      const key = end.map((value) => value.toFixed(4)).join();
      met.set(key, (met.get(key) ?? 0) + 1);
    }
    expect(new Set(met.values())).toEqual(new Set([2]));
  });

  it.each([
    [0.4, -1],
    [0.6, 1],
  ])("join two opposite high corners where their middle is above the level (%s)", (level, sign) => {
    const segments = isolines(Float32Array.of(1, 0, 0, 1), 2, 2, level);
    expect(segments).toHaveLength(8);
    for (const at of [0, 4]) {
      const [y0 = 0, x0 = 0, y1 = 0, x1 = 0] = segments.slice(at, at + 4);
      // A segment cuts one corner off: a low one (right above, left below) or a high one.
      expect(Math.sign(((y0 + y1) / 2 - 1) * ((x0 + x1) / 2 - 1))).toBe(sign);
    }
  });

  it("are not drawn where the level is not reached", () => {
    expect(
      isolines(
        map(3, 3, () => 1),
        3,
        3,
        2,
      ),
    ).toEqual([]);
  });
});

describe("smoothing", () => {
  it("leaves a constant alone, at the border too", () => {
    for (const value of smoothed(new Float32Array(30).fill(3), 5, 6, 2)) expect(value).toBeCloseTo(3, 5);
  });

  it("spreads a point evenly in both directions and keeps its sum", () => {
    const blurred = smoothed(
      map(21, 21, (y, x) => (y === 10 && x === 10 ? 1 : 0)),
      21,
      21,
      2,
    );
    const at = (y: number, x: number): number => blurred[y * 21 + x] ?? 0;
    expect(blurred.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
    expect(at(10, 13)).toBeCloseTo(at(13, 10), 6);
    expect(at(10, 13)).toBeCloseTo(at(10, 7), 6);
    expect(at(10, 10)).toBeCloseTo((19 / 125) ** 2, 6); // three boxes of five: 1 3 6 10 15 18 19 18 … over 125
  });
});
