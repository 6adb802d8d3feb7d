import { describe, expect, it } from "vitest";
import { statusWords } from "../../src/panes/header";
import { readStatus } from "../../src/state/status";

const running = readStatus({ state: "running", done: 64, total: 256, seconds: 3, seconds_left: 9 });
const done = readStatus({ state: "done", done: 416, total: 416, seconds: 3 });

describe("progress", () => {
  it("tells how far a run is, and that a cancelled one is partial", () => {
    expect(statusWords(running)).toBe("64 of 256 passes · 9 s left");
    expect(statusWords({ ...running, secondsLeft: null })).toBe("64 of 256 passes");
    expect(statusWords({ ...running, done: 0, total: 0, secondsLeft: null })).toBe("starting");
    expect(statusWords({ ...running, state: "cancelled" })).toBe("64 passes in 3 s, partial");
  });

  it("tells what a finished run took: forward and backward passes apart", () => {
    expect(statusWords(done, { evaluations: 384, gradients: 32, engine: "" })).toBe(
      "384 forward and 32 backward passes in 3 s",
    );
    expect(statusWords(done, { evaluations: 416, gradients: 0, engine: "" })).toBe(
      "416 forward passes in 3 s",
    );
    expect(statusWords(done, { evaluations: 416, gradients: 0, engine: "ONNX Runtime" })).toBe(
      "416 forward passes in 3 s by ONNX Runtime",
    );
    expect(statusWords(done, { evaluations: 1, gradients: 1, engine: "" })).toBe(
      "1 forward and 1 backward pass in 3 s",
    );
    expect(statusWords(done)).toBe("416 passes in 3 s");
  });
});
