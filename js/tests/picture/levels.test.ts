import { describe, expect, it } from "vitest";
import { levelsOf } from "../../src/picture/levels";
import { layout, layoutOfParts } from "./layout";

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
    const levels = levelsOf(layoutOfParts("Y", "C").bands);
    expect(levels.map(({ name, bands }) => [name, bands.length])).toEqual([
      ["A2", 2],
      ["level 2", 6],
      ["level 1", 6],
    ]);
  });
});
