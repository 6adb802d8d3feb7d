import { expect, it } from "vitest";
import { decodeFrame } from "../../src/frame/frame";
import { readRetention } from "../../src/frame/retention";
import { absentWords, depthWords, shownValue, valueWords } from "../../src/panes/retention";
import { readScore } from "../../src/state/score_result";
import { readStatus } from "../../src/state/status";
import { bytesOf, retentionParts, score } from "../samples";

const curve = readRetention(decodeFrame(bytesOf(retentionParts())));
const shares = Float64Array.of(0, 0.25, 0.5, 0.75, 1);
const asking = { state: "asking", key: "keep:0-3", result: null, message: "", details: "" } as const;

it("says where the decision holds", () => {
  expect(depthWords(curve, shares)).toBe("disc from 2 of 4 cells on (50 % of coefficients)");
  expect(depthWords({ ...curve, depth: null }, shares)).toMatch(/looking for/);
  expect(depthWords({ ...curve, depth: 0 }, shares)).toBe("disc even where nothing is kept");
});

it("marks what is read off the curve until the model has answered", () => {
  const read = shownValue(curve, shares, 3, asking, "keep:0-0,2-3");
  expect(valueWords(curve, shares, 3, read)).toBe(
    "top 3 of 4 cells, 75 % of coefficients: ≈ .86 by the curve",
  );
  const result = readScore(score("keep:0-0,2-3"));
  const known = { ...asking, state: "known", result } as const;
  const answered = shownValue(curve, shares, 3, known, "keep:0-0,2-3");
  expect(valueWords(curve, shares, 3, answered)).toBe("top 3 of 4 cells, 75 % of coefficients: .70");
  expect(shownValue(curve, shares, 3, known, "another")?.exact).toBe(false);
});

it("names the class that the model goes over to", () => {
  const exact = shownValue(curve, shares, 1, asking, "keep:2-2");
  expect(valueWords(curve, shares, 1, exact)).toBe(
    "top 1 of 4 cells, 25 % of coefficients: .30, the model says ring",
  );
  expect(valueWords(curve, shares, null, null)).toMatch(/not on this line/);
});

it("says why there is no curve", () => {
  const status = (state: string) => readStatus({ state });
  expect(absentWords(status("running"), "live")).toBe("the curve follows the run");
  expect(absentWords(status("done"), "live")).toMatch(/computing/);
  expect(absentWords(status("done"), "static")).toMatch(/saved page/);
  expect(absentWords(status("cancelled"), "static")).toMatch(/cancelled/);
});
