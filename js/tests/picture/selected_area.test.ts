import { describe, expect, it } from "vitest";
import { cellsOfBand } from "../../src/picture/geometry";
import { selectedOutline } from "../../src/picture/selected_area";
import { layout } from "./layout";

const table = layout();
const outline = (cells: number[]): string[] =>
  selectedOutline(table, cells, 8, 8).map(({ y0, x0, y1, x1 }) => `${y0},${x0}-${y1},${x1}`);

describe("where a selection lies in the image", () => {
  it("is the outline of the supports of its cells, of all levels together", () => {
    const [corner = 0] = cellsOfBand(table, 2);
    expect(outline([corner])).toEqual(["4,0-4,4", "0,4-4,4"]);
    const [fine = 0] = cellsOfBand(table, 5);
    expect(outline([corner, fine])).toEqual(["4,0-4,4", "0,4-4,4"]);
  });

  it("leaves out what is selected everywhere", () => {
    expect(outline(cellsOfBand(table, 2))).toEqual([]);
    const [corner = 0] = cellsOfBand(table, 2);
    expect(outline([...cellsOfBand(table, 0), corner])).toEqual(["4,0-4,4", "0,4-4,4"]);
    expect(outline([])).toEqual([]);
    for (const [bottom, sides] of [
      [16, 1],
      [19, 0], // its outline would be that of what is not selected
    ]) {
      const wide = { ...table, support: table.support.slice() };
      wide.support.set([0, 0, bottom ?? 0, 20], 4 * corner);
      expect(selectedOutline(wide, [corner], 20, 20)).toHaveLength(sides ?? 0);
    }
  });
});
