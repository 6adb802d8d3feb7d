import { expect, it } from "vitest";
import { readScore } from "../../src/state/score_result";

it("reads what the numbers of the classes are", () => {
  const score = { label: "cat", original: 1, reconstruction: 0 };
  const result = { key: "all", target: score, classes: [score], seconds: 1 };
  expect(readScore({ ...result, unit: "score" })?.unit).toBe("score");
  expect(readScore({ ...result, unit: 7 })?.unit).toBe("probability");
});
