import { expect, it } from "vitest";
import { readScore } from "../../src/state/answers";
import { unitRowWords } from "../../src/views/scores";

it("says what the numbers of the classes are", () => {
  expect(["probability, softmax", "score", "probability"].map(unitRowWords)).toEqual([
    "probability (softmax) of",
    "score of",
    "probability of",
  ]);
  const score = { label: "cat", original: 1, reconstruction: 0 };
  const answer = { key: "all", target: score, classes: [score], seconds: 1 };
  expect(readScore({ ...answer, unit: "score" })?.unit).toBe("score");
  expect(readScore({ ...answer, unit: 7 })?.unit).toBe("probability");
});
