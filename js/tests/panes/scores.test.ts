import { expect, it } from "vitest";
import { unitRowWords } from "../../src/panes/scores";

it("says what the numbers of the classes are", () => {
  expect(["probability, softmax", "score", "probability"].map(unitRowWords)).toEqual([
    "probability (softmax) of",
    "score of",
    "probability of",
  ]);
});
