import { describe, expect, it } from "vitest";
import {
  coefficientShares,
  countAfterKey,
  countAt,
  placeOfShare,
  shareTicks,
  shareWords,
  valueOn,
} from "../../src/picture/retention";
import { layout } from "./layout";

const table = layout();
const order = Int32Array.from({ length: table.cellCount }, (_, at) => at);
const shares = coefficientShares(table, order);

describe("the axis of a retention curve", () => {
  it("counts coefficients, not cells", () => {
    // Four cells of one coefficient in each of four bands, then four of four in each of three.
    expect([...shares].slice(0, 3).map((share) => share * 64)).toEqual([0, 1, 2]);
    expect(shares[16]).toBeCloseTo(16 / 64);
    expect(shares[17]).toBeCloseTo(20 / 64);
    expect(shares[28]).toBe(1);
  });

  it("is logarithmic, from one cell to all", () => {
    expect([0.001, 0.01, 0.1, 1].map((share) => placeOfShare(0.001, share))).toEqual([
      0,
      expect.closeTo(1 / 3),
      expect.closeTo(2 / 3),
      1,
    ]);
    expect([placeOfShare(0.01, 0), placeOfShare(1, 1)]).toEqual([0, 1]);
    expect(shareTicks(0.002).map((tick) => shareWords(tick))).toEqual(["1 %", "10 %", "100 %"]);
    expect([0.00024, 0.021, 0.099, 0.486].map(shareWords)).toEqual(["0.024 %", "2.1 %", "9.9 %", "49 %"]);
  });

  it("finds the number of cells nearest to a place", () => {
    for (const count of [1, 2, 15, 16, 17, 27, 28])
      expect(countAt(shares, placeOfShare(shares[1] ?? 1, shares[count] ?? 1))).toBe(count);
    expect([countAt(shares, -3), countAt(shares, 7)]).toEqual([1, 28]);
  });
});

describe("a value on the curve", () => {
  const line = {
    name: "own",
    counts: [0, 1, 4, 28],
    shares: [0, 1 / 64, 4 / 64, 1],
    scores: Float64Array.of(0, 0.2, 0.6, 0.9),
    classes: [1, 1, 0, 0],
  };
  it("is the model's own at its points", () => {
    expect(valueOn(line, shares, 4)).toEqual({ score: 0.6, class: 0, exact: true });
  });
  it("lies on the drawn line between them, and names a class that both ends share", () => {
    const between = valueOn(line, shares, 2);
    expect(between).toMatchObject({ class: null, exact: false });
    expect(between?.score).toBeCloseTo(0.4); // 2 is in the middle of 1 and 4 on a logarithmic axis
    expect(valueOn(line, shares, 16)?.class).toBe(0);
  });
  it("is not known beyond the points there are", () => {
    const partial = { ...line, counts: [4], shares: [4 / 64], scores: Float64Array.of(0.6), classes: [0] };
    expect([valueOn(partial, shares, 2), valueOn(partial, shares, 20)]).toEqual([null, null]);
  });
});

describe("the keys of the slider", () => {
  it.each([
    ["ArrowRight", 10, 11],
    ["ArrowUp", 300, 306],
    ["ArrowLeft", 10, 9],
    ["ArrowDown", 1, 1],
    ["PageUp", 100, 125],
    ["PageDown", 100, 80],
    ["PageDown", 2, 1],
    ["Home", 100, 1],
    ["End", 100, 640],
    ["PageUp", 600, 640],
  ])("%s goes from %i to %i", (key, from, to) => {
    expect(countAfterKey(from, key, 640)).toBe(to);
  });
  it("are no others", () => {
    expect(countAfterKey(10, "a", 640)).toBeUndefined();
  });
});
