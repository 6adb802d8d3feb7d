import { describe, expect, it } from "vitest";
import { Kernel } from "../kernel";
import { attributionParts, bytesOf, retentionParts, viewOf } from "../samples";

const curve = (run = "r1"): DataView => viewOf(bytesOf(retentionParts(run)));
const withCurve = (): Kernel => new Kernel({ _retention: curve() });

describe("the line of the most important cells", () => {
  it("is there once its curve belongs to the picture", () => {
    expect(new Kernel().session.topLine.curve.value).toBeNull();
    expect(new Kernel({ _retention: curve("r0") }).session.topLine.curve.value).toBeNull();
    const { session } = withCurve();
    expect(session.topLine.curve.value?.depth).toBe(2);
    expect([...session.topLine.shares.value]).toEqual([0, 0.25, 0.5, 0.75, 1]);
  });

  it("keeps the first cells, whatever the mode was, and all of them by selecting nothing", () => {
    const { session } = withCurve();
    session.mode.value = "remove";
    session.topLine.keep(2);
    expect([session.selection.cells.value, session.mode.value]).toEqual([[0, 2], "keep"]);
    session.topLine.keep(4);
    expect(session.selection.cells.value).toEqual([]);
  });

  it("tells where any selection stands on it", () => {
    const { session } = withCurve();
    const { topLine, selection } = session;
    expect(topLine.count.value).toBe(4);
    selection.replace([0, 2, 3]);
    expect(topLine.count.value).toBe(3);
    selection.replace([0, 1]);
    expect(topLine.count.value).toBeNull();
    selection.replace([0, 2]);
    session.mode.value = "remove";
    expect(topLine.count.value).toBeNull();
  });

  it("is one step back for one movement", () => {
    const { session } = withCurve();
    session.topLine.keep(3);
    session.topLine.keep(2, true);
    session.topLine.keep(1, true);
    expect(session.selection.cells.value).toEqual([2]);
    session.selection.undo();
    expect(session.selection.cells.value).toEqual([]);
  });

  it("goes to the fewest cells that hold the decision", () => {
    const { session } = withCurve();
    expect(session.topLine.snap()).toBe(2);
    expect(session.selection.cells.value).toEqual([0, 2]);
    expect(new Kernel().session.topLine.snap()).toBeNull();
  });

  it("says when the map has gone on since", () => {
    const parts = attributionParts();
    const passes = Number(parts.header["evaluations"]) + 2 * Number(parts.header["gradients"]);
    const own = retentionParts();
    own.header["passes"] = passes;
    expect(new Kernel({ _retention: viewOf(bytesOf(own)) }).session.topLine.outdated.value).toBe(false);
    own.header["passes"] = passes - 1;
    expect(new Kernel({ _retention: viewOf(bytesOf(own)) }).session.topLine.outdated.value).toBe(true);
  });

  it("that cannot be read leaves the rest as it is, with a message", () => {
    const { session } = new Kernel({ _retention: new DataView(new ArrayBuffer(12)) });
    expect(session.error.value).toBe("a frame starts with WCF1");
    expect(session.picture.value?.cellCount).toBe(4);
  });
});
