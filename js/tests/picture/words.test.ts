import { describe, expect, it } from "vitest";
import numbers from "../../../tests/reference/score_numbers.json";
import type { Band } from "../../src/frame/picture";
import {
  areaWords,
  bandLabel,
  filterWords,
  formatChange,
  formatScore,
  formatSeconds,
  formatValue,
  kindLegend,
  placeWords,
  plainWords,
  selectionPython,
  summedWords,
  unitOnly,
} from "../../src/picture/words";
import { layout, layoutOfParts } from "./layout";

const table = layout();

describe("numbers", () => {
  it.each([
    [0, "0"],
    [0.5, "0.500"],
    [0.03214, "0.0321"],
    [12.345, "12.3"],
    [4321, "4321"],
    [-2, "−2.00"],
    [0.0000213, "2.13 × 10⁻⁵"],
    [2.5e7, "2.50 × 10⁷"],
    [Number.NaN, "–"],
    [Number.POSITIVE_INFINITY, "–"],
  ])("%s reads %s", (value, text) => {
    expect(formatValue(value)).toBe(text);
  });

  it("read alike beside a larger one", () => {
    expect(formatValue(0.0007, 0.0123)).toBe("0.0007");
    expect(formatValue(3.7e-5, 1.5e-4)).toBe("0.37 × 10⁻⁴");
    expect([formatValue(1e-7, 0.244), formatValue(-1e-7, 0.244)]).toEqual(["<0.001", ">−0.001"]);
  });

  it("carry the sign of a change, zero none", () => {
    expect([0.05, -0.05, -0.0001].map((change) => formatChange(change, 2))).toEqual([
      "+0.05",
      "−0.05",
      "0.00",
    ]);
  });

  it("say seconds and minutes", () => {
    const texts = [0, 0.01, 0.23, 0.97, 59.4, 125].map(formatSeconds);
    expect(texts).toEqual(["0 s", "0.1 s", "0.2 s", "1 s", "59 s", "2 min 05 s"]);
  });
});

it("says a unit a reader knows, per cell", () => {
  expect(unitOnly("share of the score's variance, total")).toBe("share of the score's variance");
  expect(unitOnly("logit")).toBe("logit");
  expect([areaWords([28, 27.6]), areaWords([1, 1])]).toEqual(["per cell of 28 × 28 px", "per pixel"]);
});

describe("bands and places", () => {
  it("name the level and the filter", () => {
    const labels = table.bands.map(bandLabel);
    expect(labels.slice(0, 3)).toEqual(["A2", "LH2", "HL2"]);
    expect(table.bands.map(plainWords).slice(0, 2)).toEqual(["coarse image", "4–8 px"]);
    expect(table.bands.map(filterWords)[0]).toMatch(/^the coarse image/);
    expect(table.bands.map(filterWords)[1]).toMatch(/along y \(horizontal edges\)/);
    expect(table.bands.map(filterWords)[2]).toMatch(/along x \(vertical edges\)/);
  });

  it("name the part of the colour where there is one", () => {
    const [, lh] = layoutOfParts("Y", "C").bands.slice(7);
    expect(lh && bandLabel(lh)).toBe("C LH2");
    expect(lh && filterWords(lh)).toBe("colour beside luminance, detail along y (horizontal edges), 4–8 px");
    const pixels = { ...table.bands[0], name: "G:pixels", level: 0, orientation: "A", part: "G" } as Band;
    expect([bandLabel(pixels), plainWords(pixels), filterWords(pixels)]).toEqual([
      "G pixels",
      "",
      "green, the image's own pixels",
    ]);
  });

  it("give the pixels with both ends", () => {
    expect(placeWords(table, 3)).toBe("rows 4 to 7, columns 4 to 7");
  });
});

describe("a selection", () => {
  it("is a line of Python, long runs as ranges", () => {
    expect(selectionPython([], "keep")).toBe('explorer.selection, explorer.mode = [], "keep"');
    expect(selectionPython([0, 1, 2, 3, 4, 7, 9, 10], "remove")).toBe(
      'explorer.selection, explorer.mode = [*range(0, 5), 7, 9, 10], "remove"',
    );
  });
});

it("names the kinds that occur", () => {
  expect(kindLegend(Uint8Array.of(0, 0))).toBe("");
  const bounded = "bounded: the value is an estimate between bounds";
  expect(kindLegend(Uint8Array.of(0, 1, 2))).toBe(`○ not resolved · / ${bounded}`);
  expect(kindLegend(Uint8Array.of(1, 2))).toBe(`○ not resolved · the others are ${bounded}`);
  expect(kindLegend(Uint8Array.of(0, 1))).toBe(`/ ${bounded}`);
  expect(kindLegend(Uint8Array.of(1, 1))).toBe("every value is an estimate between bounds");
});

it("says which scales are summed", () => {
  const all = ["A2", "level 2", "level 1"].map((name) => ({ name }));
  expect(summedWords(all, all)).toBe(", all scales summed");
  expect(summedWords(all, all.slice(2))).toBe(", level 1 only");
  expect(summedWords(all, all.slice(1))).toBe(", level 2 and level 1 only");
  expect(summedWords(all.slice(0, 1), all.slice(0, 1))).toBe("");
});

it.each(numbers as [number, string][])("writes the score %s as %s, as Python does", (value, text) => {
  expect(formatScore(value)).toBe(text);
});
