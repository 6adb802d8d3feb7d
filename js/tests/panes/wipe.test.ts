import { expect, it } from "vitest";
import { wipeAfterKey } from "../../src/panes/wipe";

it.each([
  ["ArrowLeft", 0.5, 0.48],
  ["ArrowRight", 0.99, 1],
  ["PageUp", 0.5, 0.6],
  ["Home", 0.5, 0],
  ["End", 0.5, 1],
])("%s moves the line from %d to %d", (key, from, to) => {
  expect(wipeAfterKey(from, key)).toBeCloseTo(to);
});

it("no other key does", () => {
  expect(wipeAfterKey(0.5, "Enter")).toBeUndefined();
});
