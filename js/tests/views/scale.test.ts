import { describe, expect, it } from "vitest";
import { EMPTY_SCALE, grow, place, valueAt } from "../../src/views/scale";

const even = Float32Array.from({ length: 20 }, (_, at) => (at + 1) / 20);
const skewed = Float32Array.from({ length: 20 }, (_, at) => (at === 0 ? 1 : 0.001));

describe("the scale of a run", () => {
  it("takes the largest value and never shrinks", () => {
    const first = grow(EMPTY_SCALE, even);
    expect(first).toEqual({ top: 1, root: false, signed: false });
    expect(
      grow(
        first,
        even.map((value) => value / 2),
      ),
    ).toBe(first);
    expect(
      grow(
        first,
        even.map((value) => value * 2),
      ).top,
    ).toBe(2);
  });

  it("becomes a square root where few cells hold nearly everything, and stays one", () => {
    const root = grow(EMPTY_SCALE, skewed);
    expect(root.root).toBe(true);
    expect(grow(root, even).root).toBe(true);
  });

  it("ignores what is unknown, negative or endless", () => {
    const odd = Float32Array.of(Number.NaN, -3, Number.POSITIVE_INFINITY, 0.25);
    expect(grow(EMPTY_SCALE, odd)).toEqual({ top: 0.25, root: false, signed: false });
    expect(grow(EMPTY_SCALE, Float32Array.of(Number.NaN))).toBe(EMPTY_SCALE);
  });

  it.each([true, false])("puts a tick's value back in its place (root: %s)", (root) => {
    const scale = { top: 0.37, root, signed: false };
    for (const position of [0, 0.25, 0.5, 1]) {
      expect(place(scale, valueAt(scale, position))).toBeCloseTo(position, 12);
    }
    expect(place(scale, -1)).toBe(0);
    expect(place(scale, 9)).toBe(1);
  });

  it.each([true, false])("puts zero into the middle where values are signed (root: %s)", (root) => {
    const scale = { top: 0.37, root, signed: true };
    for (const position of [0, 0.25, 0.5, 1]) {
      expect(place(scale, valueAt(scale, position))).toBeCloseTo(position, 12);
    }
    expect([0, 9, -9, 0.37, -0.37].map((value) => place(scale, value))).toEqual([0.5, 1, 0, 1, 0]);
    expect(place({ ...EMPTY_SCALE, signed: true }, 3)).toBe(0.5);
  });

  it("reaches as far below zero as above where values are signed", () => {
    const odd = Float32Array.of(Number.NaN, -3, Number.POSITIVE_INFINITY, 0.25);
    expect(grow(EMPTY_SCALE, odd, true)).toEqual({ top: 3, root: false, signed: true });
    expect(
      grow(
        EMPTY_SCALE,
        skewed.map((value) => -value),
        true,
      ).root,
    ).toBe(true);
  });
});
