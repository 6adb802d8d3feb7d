import { describe, expect, it } from "vitest";
import { COLORMAPS, coloursOf, entryOf, lookupTable, SIGNED_COLOURS } from "../../src/picture/colormap";
import matplotlib from "./matplotlib_maps.json";

function luminances(table: Uint8ClampedArray): number[] {
  const linear = (byte: number): number =>
    byte / 255 <= 0.04045 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4;
  return Array.from({ length: 256 }, (_, at) => {
    const [red = 0, green = 0, blue = 0] = table.subarray(at * 3, at * 3 + 3);
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  });
}

describe.each(COLORMAPS)("%s", (name) => {
  it("is matplotlib's to one step of 255", () => {
    const table = lookupTable(name);
    expect(table).toHaveLength(768);
    const off = matplotlib[name].map((wanted, at) => Math.abs(wanted - (table[at] ?? 999)));
    expect(Math.max(...off)).toBeLessThanOrEqual(1);
  });

  it("grows lighter from the first entry to the last", () => {
    const light = luminances(lookupTable(name));
    // Neighbours may tie or dip by a rounded byte; eight entries on, the map must be lighter.
    for (let at = 8; at < 256; at++) expect(light[at]).toBeGreaterThan(light[at - 8] ?? 1);
  });

  it("gives the same colours to canvases", () => {
    const [red, green, blue] = lookupTable(name).subarray(200 * 3);
    expect(coloursOf(name).css[200]).toBe(`rgb(${red},${green},${blue})`);
  });
});

it("gives signed values blue and orange of one lightness on both sides of white", () => {
  const light = luminances(SIGNED_COLOURS.table);
  const colour = (entry: number): number[] => [...SIGNED_COLOURS.table.subarray(entry * 3, entry * 3 + 3)];
  expect([colour(0), colour(127), colour(128), colour(255)]).toEqual([
    [11, 83, 148],
    [255, 255, 255],
    [255, 255, 255],
    [198, 93, 0],
  ]);
  for (let at = 1; at < 128; at++) {
    expect(light[at]).toBeGreaterThan(light[at - 1] ?? 1);
    expect(light[255 - at]).toBeGreaterThan(light[256 - at] ?? 1);
  }
});

it("clamps positions to the ends of the map", () => {
  expect([-1, 0, 0.5, 1, 7].map(entryOf)).toEqual([0, 0, 128, 255, 255]);
});
