import { describe, expect, it } from "vitest";
import { heatMap, spatial, usualCell } from "../../src/picture/heat";

const heat = (values: number[], support: number[], height: number, width: number): number[] =>
  Array.from(spatial(Float64Array.from(values), Float32Array.from(support), height, width));

describe("spatial", () => {
  it("spreads a value over whole pixels", () => {
    expect(heat([4], [0, 1, 2, 3], 2, 4)).toEqual([0, 1, 1, 0, 0, 1, 1, 0]);
  });

  it("gives pixels on a fractional edge the part that is covered", () => {
    expect(heat([3], [0, 0.5, 1, 2], 1, 3)).toEqual([1, 2, 0]);
    expect(heat([1], [0.25, 0.25, 0.75, 0.75], 1, 2)).toEqual([1, 0]);
  });

  it("keeps the sum, also where supports overlap and values are negative", () => {
    const map = heat([2, -0.5, 1], [0, 0, 5, 7, 1.3, 2.7, 4.1, 6.9, 0, 0, 0.5, 0.5], 5, 7);
    expect(map.reduce((sum, value) => sum + value, 0)).toBeCloseTo(2.5, 5);
  });

  it("leaves out cells without a number", () => {
    expect(heat([Number.NaN, 1], [0, 0, 1, 2, 0, 0, 1, 1], 1, 2)).toEqual([1, 0]);
  });

  it("refuses a table of another length", () => {
    expect(() => heat([1, 2], [0, 0, 1, 1], 1, 1)).toThrow("support must have 2 rows of 4, found 4 numbers");
  });
});

describe("the heat of cells", () => {
  it("is their plain sum where all have one size", () => {
    const support = Float32Array.of(0, 0, 2, 2, 0, 0, 2, 2, 0, 2, 2, 4);
    expect([...usualCell(support)]).toEqual([2, 2]);
    const map = heatMap(Float32Array.of(0.3, 0.5, 0.25), support, 2, 4);
    expect(map[0]).toBeCloseTo(0.8, 6);
    expect(map[3]).toBeCloseTo(0.25, 6);
  });

  it("counts cells of another size by their density", () => {
    const support = Float32Array.of(0, 0, 2, 2, 0, 2, 2, 4, 0, 0, 2, 4);
    expect([...heatMap(Float32Array.of(0, 0, 0.5), support, 2, 4)]).toEqual(new Array(8).fill(0.25));
  });
});
