import { expect, it } from "vitest";
import { fingerprint, middleOf } from "../../src/picture/fingerprint";
import { layout } from "./layout";

const table = layout();
const values = Float32Array.from({ length: table.cellCount }, (_, cell) => cell);

it("has the cell of each band over the point", () => {
  expect([...fingerprint(table, values, { y: 1, x: 1 })]).toEqual([0, 4, 8, 12, 16, 20, 24]);
  expect([...fingerprint(table, values, { y: 7, x: 7 })]).toEqual([3, 7, 11, 15, 19, 23, 27]);
});

it("says nothing of what is not known, and nothing outside the image", () => {
  const some = values.map((value) => (value === 8 ? Number.NaN : value));
  expect(fingerprint(table, some, { y: 1, x: 1 })[2]).toBeNaN();
  expect([...fingerprint(table, values, { y: 9, x: 1 })].every(Number.isNaN)).toBe(true);
});

it("of a cell is that of its middle", () => {
  expect(middleOf(table, 8)).toEqual({ y: 2, x: 2 });
});
