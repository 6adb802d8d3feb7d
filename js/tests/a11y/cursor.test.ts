import { describe, expect, it } from "vitest";
import { neighbour, otherLevel } from "../../src/a11y/cursor";
import { bandOf, cellsOfBand, supportRectangle } from "../../src/picture/geometry";
import { layout, layoutOfParts } from "../picture/layout";

const table = layout();
const names = (cells: readonly number[]): string[] =>
  cells.map((cell) => table.bands[bandOf(table, cell)]?.name ?? "");

describe("the keyboard's cell", () => {
  it("moves to the neighbour, over gaps and into other bands, and stops at the border", () => {
    expect(neighbour(table, 0, "right")).toBe(1);
    expect(names([neighbour(table, 1, "right")])).toEqual(["HL2"]);
    expect(names([neighbour(table, 11, "right")])).toEqual(["HL1"]);
    expect(neighbour(table, 0, "left")).toBe(0);
    expect(neighbour(table, 0, "up")).toBe(0);
    expect(names([neighbour(table, 27, "down")])).toEqual(["HH1"]);
  });

  it("goes to the same place of the next level with the same filter", () => {
    const fine = otherLevel(table, 10, 1);
    expect(names([10, fine])).toEqual(["HL2", "HL1"]);
    expect(supportRectangle(table, fine)).toEqual(supportRectangle(table, 10));
    expect(otherLevel(table, fine, 1)).toBe(fine);
    expect(names([otherLevel(table, 10, -1)])).toEqual(["A2"]);
    expect(names([otherLevel(table, 3, 1)])).toEqual(["LH2"]);
    expect(otherLevel(table, 3, -1)).toBe(3);
  });

  it("stay in one part of the colour when they change the level", () => {
    const colours = layoutOfParts("Y", "C");
    const [, coarse = -1] = [8, 9].map((at) => cellsOfBand(colours, at)[0]);
    const fine = otherLevel(colours, coarse, 1);
    expect(colours.bands[bandOf(colours, fine)]?.name).toBe("C:HL1");
    expect(colours.bands[bandOf(colours, otherLevel(colours, coarse, -1))]?.name).toBe("C:A2");
  });
});
