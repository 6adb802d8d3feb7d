import { expect, it } from "vitest";
import { contourLines, smoothingRadius } from "../../src/picture/contours";

const tiles = Float32Array.from(
  [0, 16, 32, 48]
    .flatMap((top) => [0, 16, 32, 48].map((left) => [top, left]))
    .flatMap(([top = 0, left = 0]) => [top, left, top + 16, left + 16]),
);
const picture = { support: tiles, height: 64, width: 64 };

it("smooths over half a usual cell, and never less than the eye asks for", () => {
  expect(smoothingRadius(tiles, 64, 64)).toBe(8);
  expect(smoothingRadius(Float32Array.of(0, 0, 1, 1), 512, 256)).toBe(8);
  expect(smoothingRadius(Float32Array.of(0, 0, 1, 1), 8, 8)).toBe(1);
});

it("draws three lines over a hill and none over a plain, negative values being zero", () => {
  const hill = Float32Array.from({ length: 64 * 64 }, (_, at) =>
    Math.hypot((at >> 6) - 32, (at & 63) - 32) < 14 ? 1 : -5,
  );
  const lines = contourLines(hill, picture, false);
  const radii = new Set<number>();
  for (let at = 0; at < lines.length; at += 2) {
    radii.add(Math.round(Math.hypot((lines[at] ?? 0) - 32.5, (lines[at + 1] ?? 0) - 32.5) / 2));
  }
  expect(radii.size).toBeGreaterThanOrEqual(3);
  for (const ofCells of [true, false]) {
    expect(contourLines(new Float32Array(64 * 64).fill(0.2), picture, ofCells)).toEqual([]);
    expect(contourLines(new Float32Array(64 * 64), picture, ofCells)).toEqual([]);
  }
});

it("follows the edges of cells and cuts through none", () => {
  const heat = Float32Array.from({ length: 64 * 64 }, (_, at) => ((at >> 10) + ((at & 63) >> 4)) ** 2);
  const lines = contourLines(heat, picture, true);
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.every((edge) => edge % 16 === 0)).toBe(true);
});
