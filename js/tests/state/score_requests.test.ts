import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Kernel, pause, picture } from "../kernel";
import { score } from "../samples";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("scores", () => {
  it("are asked for after a pause, once for many clicks", async () => {
    const kernel = new Kernel();
    kernel.acknowledge();
    kernel.session.selection.add([0]);
    kernel.session.selection.add([1]);
    expect(kernel.session.scores.value).toMatchObject({ state: "asking", key: "keep:0-1", result: null });
    await pause();
    expect(kernel.messages("req")).toHaveLength(1);
    expect(kernel.question).toMatchObject({ method: "score", params: { selection: [0, 1], mode: "keep" } });
    await kernel.answer(score("keep:0-1"));
    expect(kernel.session.scores.value).toMatchObject({ state: "known", result: { key: "keep:0-1" } });
  });

  it("of an earlier selection stay in sight while new ones are asked, and a late answer changes nothing", async () => {
    const kernel = new Kernel();
    await pause();
    await kernel.answer(score("all"));
    kernel.session.selection.add([0]);
    await pause();
    const slow = kernel.question;
    kernel.session.selection.add([2]);
    await pause();
    expect(kernel.messages("cancel").at(-1)).toEqual({ t: "cancel", id: slow?.id, client: slow?.client });
    await kernel.answer(score("keep:0-0"), slow);
    expect(kernel.session.scores.value).toMatchObject({
      state: "asking",
      key: "keep:0-0,2-2",
      result: { key: "all" },
    });
  });

  it("that are known are not asked for", async () => {
    const kernel = new Kernel({ _known: { "keep:1-1": score("keep:1-1") }, _scores: score("all") });
    await pause();
    kernel.session.selection.add([1]);
    await pause();
    expect(kernel.session.scores.value).toMatchObject({ state: "known", result: { key: "keep:1-1" } });
    expect(kernel.messages("req")).toEqual([]);
  });

  it("that are known under another name are not believed", () => {
    const { session } = new Kernel({ _known: { all: score("keep:1-1"), constructor: 1 } });
    expect(session.scores.value.state).toBe("asking");
  });

  it("that come while the reader has moved on are not shown for the new selection", async () => {
    const kernel = new Kernel();
    await pause();
    const first = kernel.question;
    kernel.session.selection.add([0]);
    await kernel.answer(score("all"), first);
    expect(kernel.session.scores.value).toMatchObject({ state: "asking", key: "keep:0-0" });
    await pause();
    expect(kernel.question?.params.selection).toEqual([0]);
  });

  it("come through the trait when another tab asked", async () => {
    const kernel = new Kernel();
    await pause();
    kernel.host.update({ _scores: score("all") });
    expect(kernel.session.scores.value.state).toBe("known");
    expect(kernel.messages("cancel")).toHaveLength(1);
  });

  it("are asked for again when another question took their place", async () => {
    const kernel = new Kernel();
    await pause();
    await kernel.refuse("superseded");
    expect(kernel.session.scores.value.state).toBe("asking");
    await pause(700);
    expect(kernel.messages("req")).toHaveLength(2);
  });

  it("say why there are none", async () => {
    const kernel = new Kernel();
    await pause();
    await kernel.refuse("model_error", "model returned NaN");
    expect(kernel.session.scores.value).toMatchObject({ state: "failed", message: "model returned NaN" });
    kernel.session.selection.add([1]);
    await pause();
    await kernel.answer({ key: "keep:1-1", target: null });
    expect(kernel.session.scores.value).toMatchObject({
      state: "failed",
      message: "The kernel's answer could not be read.",
    });
  });

  it("of another run are not shown as this one's", async () => {
    const kernel = new Kernel({ _scores: score("all") });
    kernel.host.update({ _scores: {}, _picture: picture("r2") });
    expect(kernel.session.scores.value).toMatchObject({ state: "asking", result: null });
    await pause();
    expect(kernel.messages("req")).toHaveLength(1);
  });
});
