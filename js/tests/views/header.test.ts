import { describe, expect, it } from "vitest";
import numbers from "../../../tests/reference/score_numbers.json";
import { readStatus } from "../../src/state/answers";
import { moreWords } from "../../src/views/answer";
import { statusWords } from "../../src/views/header";
import { formatScore } from "../../src/views/words";

const running = readStatus({ state: "running", done: 64, total: 256, seconds: 3, seconds_left: 9 });
const done = readStatus({
  state: "done",
  done: 416,
  total: 416,
  seconds: 3,
  more: "Run deeper: about 25 s more",
});

describe("progress", () => {
  it("tells how far a run is, and that a cancelled one is partial", () => {
    expect(statusWords(running)).toBe("64 of 256 passes · 9 s left");
    expect(statusWords({ ...running, secondsLeft: null })).toBe("64 of 256 passes");
    expect(statusWords({ ...running, state: "cancelled" })).toBe("64 passes in 3 s, partial");
  });

  it("tells what a finished run took: forward and backward passes apart", () => {
    expect(statusWords(done, { evaluations: 384, gradients: 32 })).toBe(
      "384 forward and 32 backward passes in 3 s",
    );
    expect(statusWords(done, { evaluations: 416, gradients: 0 })).toBe("416 forward passes in 3 s");
    expect(statusWords(done, { evaluations: 1, gradients: 1 })).toBe("1 forward and 1 backward pass in 3 s");
    expect(statusWords(done)).toBe("416 passes in 3 s");
  });
});

describe("the answer's line", () => {
  it("offers more where there is a kernel and no run", () => {
    expect(moreWords(done, "live")).toBe("Run deeper: about 25 s more");
    expect(moreWords(done, "busy")).toBe("Run deeper: about 25 s more");
    expect([moreWords(done, "static"), moreWords(done, "lost")]).toEqual(["", ""]);
    expect(moreWords({ ...done, state: "running" }, "live")).toBe("");
  });

  it("opens states saved without it, and takes nothing but text", () => {
    const old = readStatus({ state: "done" });
    expect([old.answer, old.stop, old.more]).toEqual(["", "", ""]);
    const hostile = readStatus({ state: "done", answer: { toString: 1 }, stop: ["x"], more: 7 });
    expect([hostile.answer, hostile.stop, hostile.more]).toEqual(["", "", ""]);
  });

  it.each(numbers as [number, string][])("writes the score %s as %s, as Python does", (value, text) => {
    expect(formatScore(value)).toBe(text);
  });
});
