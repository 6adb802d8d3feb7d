import { expect, it } from "vitest";
import { readStatus } from "../../src/state/status";

it("opens states saved without it, and takes nothing but text", () => {
  const old = readStatus({ state: "done" });
  expect([old.answer, old.stop, old.more]).toEqual(["", "", ""]);
  const hostile = readStatus({ state: "done", answer: { toString: 1 }, stop: ["x"], more: 7 });
  expect([hostile.answer, hostile.stop, hostile.more]).toEqual(["", "", ""]);
});
