import { describe, expect, it } from "vitest";
import {
  bandOf,
  cellAt,
  cellsInside,
  cellsOfBand,
  cellsOver,
  cellsTouched,
  contour,
  spanned,
  supportRectangle,
} from "../../src/picture/geometry";
import { layout } from "./layout";

const table = layout();
const names = (cells: readonly number[]): string[] =>
  cells.map((cell) => table.bands[bandOf(table, cell)]?.name ?? "");

describe("places", () => {
  it("finds the cell under a place, and none in gaps and outside", () => {
    expect(cellAt(table, 0.5, 1.9)).toBe(1);
    expect(cellAt(table, 8.99, 8.99)).toBe(27);
    for (const [y, x] of [
      [0, 4],
      [0, 5],
      [-0.1, 0],
      [0, 9],
      [9, 0],
      [Number.NaN, 0],
    ] as const) {
      expect(cellAt(table, y, x)).toBe(-1);
    }
  });

  it("finds one cell of every band over a point of the image", () => {
    const over = cellsOver(table, 7, 0.5);
    expect(names(over)).toEqual(table.bands.map((band) => band.name));
    for (const cell of over)
      expect(supportRectangle(table, cell)).toEqual({ top: 4, left: 0, bottom: 8, right: 4 });
  });

  it("takes the cells a rectangle touches, and those whose support it holds", () => {
    expect(cellsTouched(table, spanned({ y: 1.5, x: 1.5 }, { y: 0.5, x: 0.5 }))).toEqual([0, 1, 2, 3]);
    expect(cellsTouched(table, { top: 0, left: 4.1, bottom: 0.9, right: 9 })).toEqual([]);
    expect(cellsInside(table, { top: 0, left: 0, bottom: 4.2, right: 3.7 })).toHaveLength(table.bands.length);
    expect(cellsInside(table, { top: 0, left: 0, bottom: 4, right: 3 })).toEqual([]);
  });
});

describe("the contour of a selection", () => {
  const length = (cells: readonly number[]): number =>
    contour(table, cells).reduce((sum, { y0, x0, y1, x1 }) => sum + Math.abs(y1 - y0) + Math.abs(x1 - x0), 0);

  it("goes around a band once", () => {
    expect(length(cellsOfBand(table, 4))).toBe(16);
  });

  it("leaves out the side two cells share, but not the border of two bands", () => {
    expect(length([16])).toBe(8);
    expect(length([16, 17])).toBe(12);
    expect(length([...cellsOfBand(table, 0), ...cellsOfBand(table, 1)])).toBe(16);
  });
});
