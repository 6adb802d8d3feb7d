import { describe, expect, it } from "vitest";
import { neighbour } from "../../src/a11y/cursor";
import { sideBySide } from "../../src/picture/arrangement";
import { bandOf, cellAt, cellRectangle, contour } from "../../src/picture/geometry";
import { layout, layoutOfParts } from "./layout";

const table = layout();
const arranged = sideBySide(table);
const named = (name: string) => arranged.bands.find((band) => band.name === name);

describe("bands side by side", () => {
  it("have one size, the coarse image a larger one on top", () => {
    const details = arranged.bands.filter((band) => band.orientation !== "A");
    expect(new Set(details.map(({ height, width }) => `${height} ${width}`)).size).toBe(1);
    expect(named("A2")?.height).toBeGreaterThan(details[0]?.height ?? 0);
    expect(named("A2")?.top).toBeLessThan(named("LH2")?.top ?? 0);
    expect(named("LH2")?.top).toBeLessThan(named("LH1")?.top ?? 0);
    const rows = ["LH", "HL", "HH"].map((kind) => named(`${kind}1`));
    expect(new Set(rows.map((band) => band?.top)).size).toBe(1);
    expect(rows.map((band) => band?.left)).toEqual(
      [...rows.map((band) => band?.left ?? 0)].sort((a, b) => a - b),
    );
  });

  it("stand beside the coarse image where there is room", () => {
    const wide = sideBySide(table, "left");
    const of = (name: string) => wide.bands.find((band) => band.name === name);
    expect(of("A2")?.top).toBe(of("LH2")?.top);
    expect(of("LH2")?.left).toBeGreaterThan((of("A2")?.left ?? 0) + (of("A2")?.width ?? 0));
    expect(of("LH2")?.left).toBe(of("LH1")?.left);
    expect(wide.pictureHeight).toBeLessThan(arranged.pictureHeight);
    expect(of("LH2")?.width).toBe(named("LH2")?.width);
  });

  it.each([
    ["one part", table, "above"],
    ["one part, wide", table, "left"],
    ["two parts", layoutOfParts("Y", "C"), "above"],
  ] as const)("hold every cell once, in its band and where its neighbours are (%s)", (_, given, place) => {
    const made = sideBySide(given, place);
    const seen = new Map<number, number>();
    for (const cell of made.index()) seen.set(cell, (seen.get(cell) ?? 0) + 1);
    for (let cell = 0; cell < made.cellCount; cell++) {
      const { top, left, bottom, right } = cellRectangle(made, cell);
      const band = made.bands[bandOf(made, cell)];
      expect(seen.get(cell)).toBe((bottom - top) * (right - left));
      expect(top).toBeGreaterThanOrEqual(band?.top ?? Number.NaN);
      expect(right).toBeLessThanOrEqual((band?.left ?? Number.NaN) + (band?.width ?? Number.NaN));
      expect(bottom).toBeLessThanOrEqual(made.pictureHeight);
      expect(cellAt(made, (top + bottom) / 2, (left + right) / 2)).toBe(cell);
      expect(bandOf(made, cell)).toBe(bandOf(given, cell));
    }
  });

  it("are walked and outlined as they are drawn", () => {
    const [first] = [...Array(arranged.cellCount).keys()].filter(
      (cell) => arranged.bands[bandOf(arranged, cell)]?.name === "LH2",
    );
    const right = neighbour(arranged, (first ?? 0) + 1, "right");
    expect(arranged.bands[bandOf(arranged, right)]?.name).toBe("HL2");
    expect(contour(arranged, [first ?? 0])).toHaveLength(4);
  });

  it("of a picture of one band are that picture", () => {
    const [band] = table.bands;
    const pixels = { ...table, bands: band ? [{ ...band, level: 0 }] : [] };
    expect(sideBySide(pixels)).toBe(pixels);
  });
});
