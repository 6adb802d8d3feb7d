import { describe, expect, it } from "vitest";
import { LevelChoice, levelsOf } from "../../src/state/levels";
import { signal } from "../../src/state/signal";
import { layout, layoutOfParts } from "../views/layout";

const pixels = {
  name: "pixels",
  level: 0,
  orientation: "A",
  part: "",
  top: 0,
  left: 0,
  height: 8,
  width: 8,
} as const;

function choice(): { levels: LevelChoice; names: () => string[] } {
  const levels = new LevelChoice(signal(layout()));
  return { levels, names: () => levels.ticked.value.map((level) => level.name) };
}

describe("levels", () => {
  it("stand coarse to fine, the approximation apart", () => {
    expect(levelsOf(layout().bands)).toEqual([
      { name: "A2", bands: [0] },
      { name: "level 2", bands: [1, 2, 3] },
      { name: "level 1", bands: [4, 5, 6] },
    ]);
    expect(levelsOf([pixels])).toEqual([{ name: "pixels", bands: [0] }]);
  });

  it("hold the bands of all colour parts", () => {
    const found = levelsOf(layoutOfParts("Y", "C").bands);
    expect(found.map(({ name, bands }) => [name, bands.length])).toEqual([
      ["A2", 2],
      ["level 2", 6],
      ["level 1", 6],
    ]);
  });

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
