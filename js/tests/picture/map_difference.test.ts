import { describe, expect, it } from "vitest";
import { type AttributionFrame, KIND, readAttribution } from "../../src/frame/attribution";
import { decodeFrame } from "../../src/frame/frame";
import type { PairedDifference } from "../../src/frame/paired";
import { differenceWords } from "../../src/panes/side_difference";
import { certainBands, differenceOf, heatDifference } from "../../src/picture/map_difference";
import { attributionParts, bytesOf, f32 } from "../samples";

function map(values: number[], reach: number, unit = "share", changes: object = {}): AttributionFrame {
  const parts = attributionParts();
  const header = { ...parts.header, unit, complete: true, ...changes };
  const sections = {
    ...parts.sections,
    values: f32(values),
    low: f32(values.map((value) => value - reach)),
    high: f32(values.map((value) => value + reach)),
    kind: { ...(parts.sections["kind"] ?? f32([])), data: new Uint8Array(4) },
  };
  return readAttribution(decodeFrame(bytesOf({ header, sections })));
}

const PAIRED: PairedDifference = {
  runs: ["r1", "r1"],
  how: "by pairs",
  cells: { low: [0.1, -1, -1, -1], high: [0.2, 1, 1, 1], certain: [1, 0, 0, 0] },
  bands: { low: [-1, -1, 0.1, -1], high: [1, 1, 0.3, 1], certain: [0, 0, 1, 0] },
};

describe("the difference of two maps", () => {
  it("is the second less the first, and certain where the intervals do not overlap", () => {
    const made = differenceOf(map([0.1, 0.5, 0.5, 0.2], 0.05), map([0.3, 0.4, 0.45, 0.2], 0.03), "b less a");
    expect([...made.values].map((value) => Number(value.toFixed(3)))).toEqual([0.2, -0.1, -0.05, 0]);
    expect([...made.kind]).toEqual([KIND.certain, KIND.certain, KIND.open, KIND.open]);
    expect(made.low[0]).toBeCloseTo(0.12);
    expect(made.unit).toBe("b less a: share");
    expect(made.signed).toBe(true);
  });

  it("takes the kernel's intervals where it has them", () => {
    const one = map([0.1, 0.5, 0.5, 0.2], 0.5);
    const made = differenceOf(one, map([0.25, 0.4, 0.45, 0.2], 0.5), "b less a", PAIRED);
    expect([...made.kind]).toEqual([KIND.certain, KIND.open, KIND.open, KIND.open]);
    expect(made.high[0]).toBeCloseTo(0.2);
    expect(certainBands(made, PAIRED)).toEqual([2]);
    expect(certainBands(made, null)).toEqual([2]);
  });

  it("of other units compares shares of each map's own sum", () => {
    const made = differenceOf(map([1, 1, 0, 0], 0, "logit"), map([3, 0, 3, 6], 0, "change"), "b less a");
    expect(made.values[0]).toBeCloseTo(0.25 - 0.5);
    expect(made.unit).toContain("as the units differ");
  });

  it("of heatmaps is pixel by pixel", () => {
    expect([...heatDifference(Float32Array.of(1, 3), Float32Array.of(2, 2), true)]).toEqual([1, -1]);
    expect([...heatDifference(Float32Array.of(1, 3), Float32Array.of(4, 4), false)]).toEqual([0.25, -0.25]);
  });
});

describe("the words about a difference", () => {
  const bands = [{ name: "A1" }, { name: "LH1" }, { name: "HL1" }, { name: "HH1" }];
  const one = map([0.1, 0.5, 0.5, 0.2], 0.05);

  it("name what is certain and how that is known", () => {
    const made = differenceOf(one, map([0.3, 0.5, 0.5, 0.2], 0.03), "b less a", PAIRED);
    expect(differenceWords(made, bands, PAIRED)).toBe(
      "The bands HL1 (0) and 1 of 4 cells differ for certain (by pairs). The rest may be chance.",
    );
  });

  it("say that nothing is, that the maps are partial, or that there are no intervals", () => {
    const same = differenceOf(one, { ...one, complete: false }, "b less a");
    expect(differenceWords(same, bands, null)).toMatch(
      /^So far: No band and no of 4 cells differ for certain/,
    );
    const exact = map([1, 2, 3, 4], 0, "logit");
    expect(exact.low).toEqual(exact.values);
    expect(differenceWords(differenceOf(exact, exact, "b less a"), bands, null)).toMatch(/no intervals/);
  });
});
