import { describe, expect, it } from "vitest";
import { type Answers, answerOf, differenceOf, readAnswers } from "../src/page_scores";

const ANSWERS: Answers = {
  about: "Logit(class_id=5)",
  label: "logit of f",
  class: 5,
  labels: ["a", "b", "c", "d", "e", "f", "g"],
  unit: "probability, softmax",
  bounded: true,
  each: false,
  clip: false,
  tolerance: 1e-3,
  image: [0.6, 0.3, 0.05, 0.03, 0.015, 0.0005, 0.0045, -2],
};
const LABELS = { ...ANSWERS, labels: ["a", "b"], class: 0 };

describe("answerOf", () => {
  it("shows the highest classes of either image, always the first of each and the explained one", () => {
    const answer = answerOf(ANSWERS, "keep:0-1", [0.1, 0.1, 0.1, 0.1, 0.1, 0, 0.5, 3], 12.4);
    expect(answer.classes.map(({ label }) => label)).toEqual(["a", "b", "c", "g", "f"]);
    expect(answer.target).toEqual({ label: "logit of f", original: -2, reconstruction: 3 });
    expect([answer.key, answer.about, answer.unit]).toEqual(["keep:0-1", ANSWERS.about, ANSWERS.unit]);
    expect(answer.verdict).toBe("now g (.50; a .60 to .10)");
    expect(answer.origin).toBe("computed in this page in 12 ms");
  });

  it.each([
    [{ image: [0.39, 0.1, 0] }, [0.31, 0.1, 0], "still a (.39 to .31)"],
    [{ image: [0.39, 0.1, 0] }, [0.002, 0.999, 0], "now b (above .99; a .39 to below .01)"],
    [{ image: [0.9, 0.1, 0], each: true }, [0.4, 0.8, 0], "no longer a (.90 to .40)"],
    [{ image: [0.9, 0.1, 0], each: true }, [0.6, 0.8, 0], "still a (.90 to .60)"],
    [{ image: [0.4, 0.1, 0], each: true }, [0.6, 0.8, 0], "a .40 to .60"],
    [{ image: [-2.5, -3, 0], bounded: false }, [10.96, -3, 0], "still a (−2.50 to 10.96)"],
    [{ image: [1.5, 0], labels: ["height"], bounded: false }, [0.00032, 0], "height 1.50 to 0.00032"],
  ])("says what became of the decision as Python does", (changed, numbers, verdict) => {
    expect(answerOf({ ...LABELS, ...changed }, "all", numbers, 1).verdict).toBe(verdict);
  });
});

describe("differenceOf", () => {
  it("is a share of what is allowed, of large scores a larger one", () => {
    const answers = { ...LABELS, image: [0.5, 0.5, 10] };
    expect(differenceOf(answers, [0.5005, 0.5, 10])).toBeCloseTo(0.5);
    expect(differenceOf(answers, [0.5, 0.5, 10.02])).toBeCloseTo(2);
  });

  it("is infinite for other things than these numbers", () => {
    expect(differenceOf(LABELS, [1])).toBe(Number.POSITIVE_INFINITY);
    expect(differenceOf(ANSWERS, new Array(8).fill(Number.NaN))).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("readAnswers", () => {
  it("reads what Python writes, and refuses anything else", () => {
    const { class: explained, ...rest } = ANSWERS;
    expect(readAnswers(JSON.stringify({ ...rest, class_id: explained }))).toEqual(ANSWERS);
    expect(() => readAnswers("{}")).toThrow("answers.about must be text");
  });
});
