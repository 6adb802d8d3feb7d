import { describe, expect, it } from "vitest";
import { signal } from "../../src/reactive/signal";
import { LevelChoice } from "../../src/state/level_choice";
import { layout } from "../picture/layout";

function choice(): { levels: LevelChoice; names: () => string[] } {
  const levels = new LevelChoice(signal(layout()));
  return { levels, names: () => levels.ticked.value.map((level) => level.name) };
}

describe("levels", () => {
  it("count all at first, and the cells of those that are ticked", () => {
    const { levels, names } = choice();
    expect(names()).toEqual(["A2", "level 2", "level 1"]);
    expect([...levels.cells.value]).toEqual(Array(28).fill(1));
    levels.toggle("level 2");
    expect(names()).toEqual(["A2", "level 1"]);
    expect([...levels.cells.value]).toEqual([
      ...Array(4).fill(1),
      ...Array(12).fill(0),
      ...Array(12).fill(1),
    ]);
    levels.toggle("level 2");
    expect(names()).toEqual(["A2", "level 2", "level 1"]);
  });

  it("keep at least one", () => {
    const { levels, names } = choice();
    for (const name of ["A2", "level 1", "level 2"]) levels.toggle(name);
    expect(names()).toEqual(["level 2"]);
  });

  it("count all of a picture that has none of those that were ticked", () => {
    const picture = signal(layout());
    const levels = new LevelChoice(picture);
    for (const name of ["A2", "level 1"]) levels.toggle(name);
    const other = layout();
    picture.value = { ...other, bands: other.bands.filter((band) => band.level === 1) };
    expect(levels.ticked.value.map((level) => level.name)).toEqual(["level 1"]);
  });
});
