import { expect, it } from "vitest";
import { cutShares, isShare } from "../../src/frame/shares";

it("cuts shares to 0 and 1, and nothing else", () => {
  const values = Float64Array.of(-0.2, 0.5, 1.9, Number.NaN);
  expect([...cutShares(values, "share of the score's variance, total")]).toEqual([0, 0.5, 1, Number.NaN]);
  expect(cutShares(values, "logit")).toBe(values);
  expect([isShare("share of the variance"), isShare("shared logits")]).toEqual([true, false]);
});
