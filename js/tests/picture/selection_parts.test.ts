import { describe, expect, it } from "vitest";
import { cellsOfBand } from "../../src/picture/geometry";
import { partWords, selectionParts, selectionWords } from "../../src/picture/selection_parts";
import { layout, layoutOfParts } from "./layout";

const table = layout();
const band = (at: number): number[] => cellsOfBand(table, at);

describe("a selection", () => {
  it("of colour parts is said by level, or by the level of a part", () => {
    const colours = layoutOfParts("Y", "C");
    const cellsOf = (...bands: number[]): number[] => bands.flatMap((at) => cellsOfBand(colours, at));
    const luminance = cellsOf(1, 2, 3);
    expect(selectionWords(colours, [...luminance, ...cellsOf(8, 9, 10)])).toBe("level 2: all");
    expect(selectionWords(colours, [...luminance, ...cellsOf(8).slice(1)])).toBe(
      "Y level 2: all; C LH2: 3 cells",
    );
    expect(selectionWords(colours, cellsOf(0, 7))).toBe("Y A2: all; C A2: all");
  });

  it("is said band by band, cellsOf levels once", () => {
    expect(selectionWords(table, [])).toBe("nothing");
    expect(selectionWords(table, [8])).toBe("HL2: 1 cell");
    expect(selectionWords(table, [...band(0), ...band(5).slice(2)])).toBe("A2: all; HL1: 2 cells");
    const level = [...band(1), ...band(2), ...band(3)];
    expect(selectionWords(table, [...level, 20])).toBe("level 2: all; HL1: 1 cell");
    expect(selectionWords(table, level.slice(1))).toBe("LH2: 3 cells; HL2: all; HH2: all");
  });

  it("has pieces that say where they lie, if that is a rectangle", () => {
    const words = (cells: number[]): string[] =>
      selectionParts(table, cells).map((part) => partWords(table, part));
    const [a = 0, b = 0, c = 0, d = 0] = band(2);
    expect(words([a])).toEqual(["HL2, row 1, column 1"]);
    expect(words([a, b])).toEqual(["HL2, row 1"]);
    expect(words([b, d])).toEqual(["HL2, column 2"]);
    expect(words([a, d])).toEqual(["HL2: 2 cells"]);
    expect(words([a, b, c])).toEqual(["HL2: 3 cells"]);
    expect(words([...band(1), ...band(2), ...band(3), ...band(5)])).toEqual(["level 2: all", "HL1: all"]);
  });
});
