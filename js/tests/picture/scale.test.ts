import { describe, expect, it } from "vitest";
import {
  EMPTY_SCALE,
  type MapNumbers,
  nextScale,
  place,
  scaleOf,
  scaleWords,
  valueAt,
} from "../../src/picture/scale";

const mapOf = (numbers: Float32Array, more: Partial<MapNumbers> = {}): MapNumbers => ({
  run: "r",
  numbers,
  signed: false,
  share: false,
  settled: false,
  ...more,
});
const even = Float32Array.from({ length: 20 }, (_, at) => (at + 1) / 20);
const skewed = Float32Array.from({ length: 20 }, (_, at) => (at === 0 ? 1 : 0.001));

/** Numbers from 0 to 1 that repeat. */
function generator(seed: number): () => number {
  let state = seed * 2654435761 + 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe("the scale of a frame", () => {
  it("ends at its largest value, whatever came before", () => {
    expect(scaleOf(mapOf(even))).toEqual({ top: 1, kind: "linear", signed: false });
    const crude = nextScale(null, mapOf(even.map((value) => value * 19)));
    const fine = mapOf(even.map((value) => value * Math.fround(0.094)));
    expect(nextScale(crude, fine).top).toBeCloseTo(0.094, 6);
  });

  it("ends at 1 at the latest where values are shares, also sums of them", () => {
    const crude = even.map((value) => 19 * value);
    expect(scaleOf(mapOf(crude, { share: true })).top).toBe(1);
    expect(scaleOf(mapOf(crude)).top).toBe(19);
  });

  it("is a square root where few cells hold nearly everything", () => {
    expect(scaleOf(mapOf(skewed)).kind).toBe("root");
    expect(scaleOf(mapOf(skewed.slice(0, 8))).kind).toBe("linear");
    expect(scaleOf(mapOf(skewed.map((value) => -value))).kind).toBe("linear");
    expect(
      scaleOf(
        mapOf(
          skewed.map((value) => -value),
          { signed: true },
        ),
      ).kind,
    ).toBe("root");
  });

  it("ignores what is unknown, negative or endless", () => {
    const odd = Float32Array.of(Number.NaN, -3, Number.POSITIVE_INFINITY, 0.25);
    expect(scaleOf(mapOf(odd))).toEqual({ top: 0.25, kind: "linear", signed: false });
    expect(scaleOf(mapOf(odd, { signed: true }))).toEqual({ top: 3, kind: "linear", signed: true });
    expect(scaleOf(mapOf(Float32Array.of(Number.NaN)))).toEqual(EMPTY_SCALE);
  });
});

describe("the scale of a run", () => {
  it.each([1, 2, 3, 4, 5])("follows every frame and ends where a reload begins (seed %s)", (seed) => {
    const random = generator(seed);
    for (const signed of [false, true]) {
      for (const share of [false, true]) {
        let shown = null;
        for (let frame = 0; frame < 40; frame++) {
          const size = 10 ** (4 * random() - 3);
          const numbers = Float32Array.from(
            { length: 64 },
            () => size * (random() ** 4 - (signed ? 0.3 : 0)),
          );
          const map = mapOf(numbers, { signed, share });
          const largest = scaleOf(map).top;
          shown = nextScale(shown, map);
          expect(shown.top).toBeGreaterThanOrEqual(largest);
          expect(shown.top).toBeLessThanOrEqual(1.5 * largest);
          if (share) expect(shown.top).toBeLessThanOrEqual(1);
          expect(nextScale(shown, { ...map, settled: true })).toEqual(scaleOf(map));
        }
      }
    }
  });

  it("stays where it is while the largest value scatters below it", () => {
    const first = nextScale(null, mapOf(even));
    expect(nextScale(first, mapOf(even.map((value) => value * Math.fround(0.9))))).toBe(first);
    expect(nextScale(first, mapOf(even.map((value) => value * Math.fround(0.7)))).top).toBeCloseTo(0.7, 6);
  });

  it("keeps a square root until the map is clearly not skewed any more", () => {
    const between = skewed.map((value) => (value < 1 ? 0.04 : value));
    const root = nextScale(null, mapOf(skewed));
    expect(root.kind).toBe("root");
    expect(nextScale(root, mapOf(between)).kind).toBe("root");
    expect(nextScale(root, mapOf(even)).kind).toBe("linear");
    expect(nextScale(root, mapOf(between, { settled: true })).kind).toBe("linear");
  });
});

describe("a value's place", () => {
  it.each(["root", "linear"] as const)("is where its tick stands (%s)", (kind) => {
    const scale = { top: 0.37, kind, signed: false };
    for (const position of [0, 0.25, 0.5, 1]) {
      expect(place(scale, valueAt(scale, position))).toBeCloseTo(position, 12);
    }
    expect(place(scale, -1)).toBe(0);
    expect(place(scale, 9)).toBe(1);
  });

  it.each(["root", "linear", "log"] as const)(
    "is in the middle for zero where values are signed (%s)",
    (kind) => {
      const scale = { top: 0.37, kind, signed: true };
      for (const position of [0, 0.25, 0.5, 1]) {
        expect(place(scale, valueAt(scale, position))).toBeCloseTo(position, 12);
      }
      expect([0, 9, -9, 0.37, -0.37].map((value) => place(scale, value))).toEqual([0.5, 1, 0, 1, 0]);
      expect(place({ ...EMPTY_SCALE, signed: true }, 3)).toBe(0.5);
    },
  );
});

describe("a scale that the reader chose", () => {
  const numbers = Float32Array.of(0, -1, 0.001, 0.01, 0.01, 0.1, 1);

  it("is linear or logarithmic whatever the values, and goes down three powers of ten", () => {
    expect(scaleOf(mapOf(skewed, { choice: "linear" })).kind).toBe("linear");
    const log = scaleOf(mapOf(numbers, { choice: "log" }));
    expect(log).toEqual({ top: 1, kind: "log", signed: false });
    const places = [...numbers, 1e-6].map((value) => place(log, value));
    expect(places).toEqual([0, 0, ...[0, 1 / 3, 1 / 3, 2 / 3].map((each) => expect.closeTo(each, 6)), 1, 0]);
    expect([0, 0.5, 1].map((at) => valueAt(log, at))).toEqual([
      expect.closeTo(0.001),
      expect.closeTo(0.0316, 4),
      1,
    ]);
  });

  it("gives equally many values to every colour where it is one of ranks", () => {
    const rank = scaleOf(mapOf(numbers, { choice: "rank" }));
    expect([...numbers].map((value) => place(rank, value))).toEqual([0, 0, 0.2, 0.6, 0.6, 0.8, 1]);
    for (const at of [0, 0.2, 0.5, 0.7, 1]) expect(place(rank, valueAt(rank, at))).toBeCloseTo(at, 6);
    const signed = scaleOf(mapOf(numbers, { choice: "rank", signed: true }));
    expect([place(signed, -1), place(signed, 0), place(signed, 1)]).toEqual([0, 0.5, 1]);
    expect(scaleOf(mapOf(new Float32Array(3), { choice: "rank" })).top).toBe(0);
  });

  it("may be each level's own", () => {
    const levels = Uint8Array.of(0, 0, 1, 1);
    const map = mapOf(Float32Array.of(1, 0.5, 0.02, 0.01), { levels });
    const scale = scaleOf(map);
    expect([place(scale, 0.5, 0), place(scale, 0.02, 1), place(scale, 0.01, 1)]).toEqual([
      0.5,
      1,
      expect.closeTo(0.5),
    ]);
    expect(scaleWords(scale)).toBe(", each level by its own largest value");
    expect(scaleWords(scaleOf({ ...map, choice: "log" }))).toBe(
      " (log scale), each level by its own largest value",
    );
    expect(nextScale(scaleOf(mapOf(even)), map)).toEqual(scale);
    expect(nextScale(scale, mapOf(even)).levels).toBeUndefined();
  });
});
