import { describe, expect, it } from "vitest";
import { canonical, keptCells, questionKey, Selection } from "../../src/state/selection";

describe("Selection", () => {
  it("toggles cells: adds what is missing, takes out when all are there", () => {
    const selection = new Selection();
    selection.toggle([5, 3]);
    selection.toggle([5, 9]);
    expect(selection.cells.value).toEqual([3, 5, 9]);
    selection.toggle([9, 5]);
    expect(selection.cells.value).toEqual([3]);
    expect(selection.members.value.has(3)).toBe(true);
  });

  it("undoes and redoes each step, and forgets the future after a new one", () => {
    const selection = new Selection();
    selection.add([1]);
    selection.add([2]);
    selection.clear();
    selection.undo();
    expect(selection.cells.value).toEqual([1, 2]);
    selection.undo();
    selection.redo();
    expect(selection.cells.value).toEqual([1, 2]);
    expect([selection.canUndo.value, selection.canRedo.value]).toEqual([true, true]);
    selection.add([7]);
    expect(selection.canRedo.value).toBe(false);
    for (let step = 0; step < 9; step++) selection.undo();
    expect([selection.cells.value, selection.canUndo.value]).toEqual([[], false]);
  });

  it("counts no step that changes nothing", () => {
    const selection = new Selection();
    selection.clear();
    selection.add([]);
    expect(selection.canUndo.value).toBe(false);
  });

  it("starts anew with another picture, without cells that it does not have", () => {
    const selection = new Selection();
    selection.add([1, 2]);
    selection.restart([2, 7, 3], 4);
    expect([selection.cells.value, selection.canUndo.value]).toEqual([[2, 3], false]);
    selection.add([9]);
    expect(selection.cells.value).toEqual([2, 3]);
  });
});

describe("canonical", () => {
  it("sorts by number, once each, and drops what is no cell", () => {
    expect(canonical([10, 9, 9, -1, 1.5, "3", null, Number.NaN, 2], 10)).toEqual([2, 9]);
  });
});

describe("questionKey", () => {
  it.each([
    [[], "keep", "all"],
    [[], "remove", "all"],
    [[0], "keep", "keep:0-0"],
    [Array.from({ length: 64 }, (_, cell) => cell).concat(70), "keep", "keep:0-63,70-70"],
    [[1, 2, 4, 6, 7], "remove", "remove:1-2,4-4,6-7"],
  ] as const)("%j %s", (cells, mode, key) => {
    expect(questionKey(cells, mode)).toBe(key);
  });
});

describe("keptCells", () => {
  it.each([
    [[], "keep", [1, 1, 1, 1]],
    [[], "remove", [1, 1, 1, 1]],
    [[1, 3], "keep", [0, 1, 0, 1]],
    [[1, 3, 8], "remove", [1, 0, 1, 0]],
  ] as const)("%j %s", (cells, mode, kept) => {
    expect(Array.from(keptCells(cells, mode, 4))).toEqual(kept);
  });
});
