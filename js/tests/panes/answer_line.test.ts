import { expect, it } from "vitest";
import { moreWords } from "../../src/panes/answer_line";
import { readStatus } from "../../src/state/status";

const done = readStatus({ state: "done", more: "Run deeper: about 25 s more" });

it("offers more where there is a kernel and no run", () => {
  expect(moreWords(done, "live")).toBe("Run deeper: about 25 s more");
  expect(moreWords(done, "busy")).toBe("Run deeper: about 25 s more");
  expect([moreWords(done, "static"), moreWords(done, "lost")]).toEqual(["", ""]);
  expect(moreWords({ ...done, state: "running" }, "live")).toBe("");
});
