import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { frame, Kernel, pause, picture } from "../kernel";
import { attributionParts, bytesOf, viewOf } from "../samples";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("what the kernel shows", () => {
  it("is read when the session starts", () => {
    const { session } = new Kernel();
    expect(session.picture.value?.cellCount).toBe(4);
    expect(session.attribution.value?.rev).toBe(1);
    expect(session.status.value).toMatchObject({ state: "running", done: 32, secondsLeft: 1 });
    expect(session.error.value).toBeNull();
  });

  it("is acknowledged frame by frame", () => {
    const kernel = new Kernel();
    kernel.host.update({ _frame: frame("r1", 2) });
    expect(kernel.messages("ack")).toEqual([
      { t: "ack", rev: 1 },
      { t: "ack", rev: 2 },
    ]);
    expect(kernel.messages("hello")[0]).toMatchObject({ proto: 1, have: { run: "r1", rev: 1 } });
  });

  it("may be nothing yet", () => {
    const empty = new DataView(new ArrayBuffer(0));
    const { session } = new Kernel({ _picture: empty, _frame: empty, _status: {} });
    expect([session.picture.value, session.attribution.value, session.error.value]).toEqual([
      null,
      null,
      null,
    ]);
    expect([session.status.value.state, session.scores.value.state]).toEqual(["waiting", "none"]);
  });

  it("keeps the old map until the new run's picture and map are both there, in either order", () => {
    const { host, session } = new Kernel();
    host.update({ _frame: frame("r2", 1) });
    expect(session.attribution.value?.run).toBe("r1");
    host.update({ _picture: picture("r2") });
    expect(session.attribution.value?.run).toBe("r2");
    host.update({ _picture: picture("r3") });
    expect(session.attribution.value).toBeNull();
    host.update({ _frame: frame("r3", 1) });
    expect(session.attribution.value?.run).toBe("r3");
  });

  it("is not shown beside another target than its own, in whichever order they come", () => {
    const { host, session } = new Kernel();
    const of = (about: string, rev: number): DataView => {
      const parts = attributionParts("r1", rev);
      Object.assign(parts.header, { about });
      return viewOf(bytesOf(parts));
    };
    host.update({ _target: { about: "Logit(class_id=2)", class_id: 2, label: "logit of cat", score: 3 } });
    expect(session.attribution.value).toBeNull();
    expect(session.target.value).toMatchObject({
      classId: 2,
      explained: { label: "logit of cat", score: 3 },
    });
    host.update({ _frame: of("Logit(class_id=2)", 2) });
    expect(session.attribution.value?.rev).toBe(2);
    host.update({ _frame: of("Logit(class_id=3)", 3) });
    expect(session.attribution.value).toMatchObject({ rev: 2 });
    host.update({ _target: { about: "Logit(class_id=3)" } });
    expect(session.attribution.value?.rev).toBe(3);
  });

  it("is named when it cannot be read, and forgotten when it is mended", () => {
    const { host, session } = new Kernel();
    host.update({ _frame: new DataView(new ArrayBuffer(12)) });
    expect(session.error.value).toBe("a frame starts with WCF1");
    expect(session.attribution.value?.rev).toBe(1);
    host.update({ _frame: frame("r1", 5) });
    expect([session.error.value, session.attribution.value?.rev]).toEqual([null, 5]);
  });

  it("is refused when map and picture have different cells", () => {
    const parts = attributionParts("r1", 2);
    Object.assign(parts.header, {
      profile: { statistic: "total", total: [], low: [], high: [], shapley: [] },
    });
    const { session } = new Kernel({ _frame: viewOf(bytesOf(parts)) });
    expect(session.error.value).toBe("the profile has 0 bars, the picture 4 bands");
    expect(session.attribution.value).toBeNull();
  });

  it("is refused when it speaks another protocol", () => {
    expect(new Kernel({ _proto: 2 }).session.error.value).toMatch(/the kernel version 2: reload the page/);
  });

  it("survives traits that are anything", () => {
    const junk = {
      _status: null,
      _scores: 3,
      _known: "x",
      selection: { a: 1 },
      mode: 1,
      opacity: "NaN",
      colormap: null,
    };
    const { session } = new Kernel(junk);
    expect([session.mode.value, session.opacity.value, session.colormap.value]).toEqual([
      "keep",
      0.6,
      "cividis",
    ]);
    expect(session.selection.cells.value).toEqual([]);
  });
});

describe("the reader's choices", () => {
  it("go to the kernel together, after a moment", async () => {
    const kernel = new Kernel();
    kernel.session.selection.add([2]);
    kernel.session.selection.add([1]);
    kernel.session.mode.value = "remove";
    expect(kernel.saved).toEqual([]);
    await pause(60);
    expect(kernel.saved).toEqual([{ selection: [1, 2], mode: "remove" }]);
    expect(Array.from(kernel.session.kept.value)).toEqual([1, 0, 0, 1]);
  });

  it("follow the kernel, as a step that can be undone", () => {
    const { host, session } = new Kernel({ selection: [3] });
    expect([session.selection.cells.value, session.selection.canUndo.value]).toEqual([[3], false]);
    host.update({ selection: [2, 1, 99], theme: "dark", opacity: 7 });
    expect(session.selection.cells.value).toEqual([1, 2]);
    expect([session.theme.value, session.opacity.value]).toEqual(["dark", 1]);
    session.selection.undo();
    expect(session.selection.cells.value).toEqual([3]);
  });

  it("are saved when the session ends, which leaves no listener", async () => {
    const kernel = new Kernel();
    kernel.session.selection.add([1]);
    kernel.session.dispose();
    expect([kernel.saved, kernel.host.listeners]).toEqual([[{ selection: [1] }], 0]);
    const before = kernel.sent.length;
    await pause(5000);
    expect(kernel.sent).toHaveLength(before);
  });
});
