import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { KIND } from "../../src/frame/attribution";
import { Comparison } from "../../src/state/comparison";
import { SessionDifference } from "../../src/state/session_difference";
import { HostModel, type State } from "../../src/transport/model";
import { sideModel } from "../../src/transport/side_model";
import { stubPage } from "../kernel";
import { attributionParts, bytesOf, colourParts, pictureParts, state, viewOf } from "../samples";

const picture = (run: string): DataView => viewOf(bytesOf(pictureParts(run)));
const frame = (run: string): DataView => viewOf(bytesOf(attributionParts(run)));

/** A model of sides with the same cells, all but the first named in the traits by their number. */
function sides(count = 2, changes: State = {}): { host: HostModel; sent: State[]; saved: State[] } {
  const [sent, saved]: [State[], State[]] = [[], []];
  const transport = {
    connect: () => undefined,
    save: (patch: State) => saved.push(patch),
    send: (content: unknown) => sent.push(content as State),
  };
  const names = Array.from({ length: count }, (_, at) => `side ${at}`);
  const traits: State = { ...state(), _sides: { compared: "image", names, points: null, words: "" } };
  traits["shown"] = count === 2 ? [0, 1] : [0];
  for (let side = 1; side < count; side++) {
    const run = `r${side + 1}`;
    const own = { ...state(), _picture: picture(run), _frame: frame(run) };
    for (const [name, value] of Object.entries(own)) traits[`${name}_${side}`] = value;
  }
  return { host: new HostModel({ ...traits, ...changes }, transport, "backbone"), sent, saved };
}

beforeEach(() => {
  vi.useFakeTimers();
  stubPage();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a side's model", () => {
  it("reads and writes the traits of its number, and says it in messages", () => {
    const { host, sent } = sides();
    const model = sideModel(host.view(), 1);
    const changed = vi.fn();
    model.on("change:selection", changed);
    model.set("selection", [2]);
    expect(host.view().get("selection")).toEqual([]);
    expect(model.get("selection")).toEqual([2]);
    expect(changed).toHaveBeenCalledOnce();
    model.set("mode", "remove"); // of all sides
    expect(host.view().get("mode")).toBe("remove");
    model.off("change:selection", changed);
    expect(host.listeners).toBe(0);
    model.send({ t: "ack", rev: 3 });
    expect(sent).toEqual([{ t: "ack", rev: 3, side: 1 }]);
  });
});

describe("two sides", () => {
  it("share what a reader selects, in both directions, and how it is shown", () => {
    const { host } = sides();
    const comparison = new Comparison(host.view());
    const [one, other] = [comparison.session(0), comparison.session(1)];
    one.selection.toggle([1, 2]);
    expect(other.selection.cells.value).toEqual([1, 2]);
    other.selection.toggle([2]);
    expect(one.selection.cells.value).toEqual([1]);
    one.selection.undo();
    expect(other.selection.cells.value).toEqual([1, 2]);
    other.mode.value = "remove";
    expect(one.mode.value).toBe("remove");
    other.packed.value = true;
    one.withContours.value = false;
    expect([one.packed.value, other.withContours.value]).toEqual([true, false]);
    expect(host.view().get("selection_1" as "selection")).toEqual([1, 2]);
    comparison.dispose();
    expect(host.listeners).toBe(0);
  });

  it("both ask for scores of a selection, each for itself", async () => {
    const { host, sent } = sides();
    const comparison = new Comparison(host.view());
    comparison.session(0).selection.toggle([3]);
    await vi.advanceTimersByTimeAsync(200);
    const asked = sent.filter(({ t }) => t === "req").map(({ side, params }) => [side, params]);
    expect(asked).toContainEqual([0, { selection: [3], mode: "keep" }]);
    expect(asked).toContainEqual([1, { selection: [3], mode: "keep" }]);
    comparison.dispose();
  });

  it("of different cells are linked by place and level", () => {
    const { host } = sides(2, { _picture_1: viewOf(bytesOf(colourParts())) });
    const comparison = new Comparison(host.view());
    const [one, other] = [comparison.session(0), comparison.session(1)];
    one.selection.toggle([1]);
    expect(other.selection.cells.value.length).toBeGreaterThan(0);
    expect(one.selection.cells.value).toEqual([1]); // what came from it does not come back
    comparison.dispose();
  });
});

describe("many sides", () => {
  it("are shown one at a time, and the selection goes with the reader", () => {
    const { host } = sides(3);
    const comparison = new Comparison(host.view());
    comparison.session(0).selection.toggle([2]);
    comparison.show([2]);
    expect(comparison.shown.value).toEqual([2]);
    expect(comparison.session(2).selection.cells.value).toEqual([2]);
    comparison.session(2).selection.clear();
    expect(comparison.session(0).selection.cells.value).toEqual([2]);
    comparison.show([2, 1]);
    comparison.session(1).selection.toggle([0]);
    expect(comparison.session(2).selection.cells.value).toEqual([0]);
    expect(host.view().get("shown")).toEqual([2, 1]);
    comparison.dispose();
  });

  it("survive what is no list of sides", () => {
    const { host } = sides(3, { shown: ["x", -1, 9, 2, 2] });
    const comparison = new Comparison(host.view());
    expect(comparison.shown.value).toEqual([2]);
    host.update({ shown: "no" });
    expect(comparison.shown.value).toEqual([0]);
    comparison.dispose();
  });
});

describe("the difference", () => {
  it("is a session with the map of the difference, on the cells of the second", () => {
    const low = attributionParts("r2");
    low.sections["values"] = { dtype: "f32", shape: [4], data: Float32Array.from([0.1, 0.3, 0.5, 0.25]) };
    const { host } = sides(2, { _frame_1: viewOf(bytesOf(low)) });
    const comparison = new Comparison(host.view());
    const [one, other] = [comparison.session(0), comparison.session(1)];
    const made = new SessionDifference({
      one,
      other,
      title: "b less a",
      heat: () => null,
      paired: comparison.paired,
    });
    expect(made.comparable.value).toBe(true);
    expect(made.map.value?.values[0]).toBeCloseTo(-0.3);
    expect(made.map.value?.signed).toBe(true);
    expect([...(made.map.value?.kind ?? [])]).toEqual([KIND.open, KIND.open, KIND.open, KIND.unresolved]);
    expect(made.session.attribution).toBe(made.map);
    expect(made.session.picture.value).toBe(other.picture.value);
    made.session.selection.toggle([1]);
    expect(one.selection.cells.value).toEqual([1]);
    comparison.dispose();
  });
});
