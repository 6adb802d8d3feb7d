import { describe, expect, it } from "vitest";
import { decodeFrame } from "../../src/frame/frame";
import { type RetentionFrame, readRetention } from "../../src/frame/retention";
import { bytesOf, i32, type Parts, retentionParts } from "../samples";
import { type Change, put, refusal } from "./refusals";

const read = (parts: Parts): RetentionFrame => readRetention(decodeFrame(bytesOf(parts)));

describe("readRetention", () => {
  it("reads a curve", () => {
    const curve = read(retentionParts());
    expect(curve).toMatchObject({
      run: "r1",
      subject: "disc",
      original: 0.9,
      depth: 2,
      classes: ["disc", "ring"],
    });
    expect([...curve.order]).toEqual([2, 0, 3, 1]);
    expect(curve.lines.map(({ name, counts }) => [name, counts.length])).toEqual([
      ["own", 4],
      ["random", 4],
    ]);
  });

  it("reads one that is not complete, with scores that are no numbers", () => {
    const parts = retentionParts();
    for (const change of [put("depth", null), put("original", null), put("lines.0.scores", [null, 1, 2, 3])])
      change(parts);
    const curve = read(parts);
    expect([curve.depth, curve.original, curve.lines[0]?.scores[0]]).toEqual([null, Number.NaN, Number.NaN]);
  });

  const bad: [string, Change, RegExp][] = [
    ["another kind", put("kind", "layers"), /kind must be one of retention/],
    ["a depth beyond all cells", put("depth", 5), /depth is 5 of 4 cells/],
    ["counts that go back", put("lines.0.counts", [0, 2, 1, 4]), /line own do not fit/],
    ["more cells than there are", put("lines.0.counts", [0, 1, 2, 5]), /line own do not fit/],
    ["a class without a name", put("lines.1.classes", [0, 0, 0, 2]), /line random do not fit/],
    ["too few shares", put("lines.0.shares", [0, 1]), /line own do not fit/],
    ["too few scores", put("lines.0.scores", [0, 1]), /scores must be 4 numbers/],
    ["classes that are no texts", put("classes", ["disc", 3]), /classes must be a list of texts/],
    ["lines without end", put("lines", new Array(9).fill({})), /at most 8, found 9/],
    [
      "a cell twice",
      ({ sections }) => Object.assign(sections, { order: i32([2, 0, 2, 1], 4) }),
      /every cell once/,
    ],
    [
      "a cell that is not there",
      ({ sections }) => Object.assign(sections, { order: i32([2, 0, 9, 1], 4) }),
      /once/,
    ],
  ];
  it.each(bad)("refuses %s", (_, change, message) => {
    expect(refusal(retentionParts, read, change)).toMatch(message);
  });
});
