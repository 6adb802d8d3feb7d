import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeFrame } from "../../src/frame/frame";
import { type LayersFrame, readLayers } from "../../src/frame/layers";
import { bytesOf, f32, layersParts, type Parts } from "../samples";

const read = (parts: Parts): LayersFrame => readLayers(decodeFrame(bytesOf(parts)));

describe("readLayers", () => {
  it("reads what Python wrote", () => {
    const golden = new URL("../../../tests/reference/frames/layers.wcf", import.meta.url);
    const read = readLayers(decodeFrame(new Uint8Array(readFileSync(golden))));
    expect([read.run, read.height, read.width]).toEqual(["golden", 4, 4]);
    const [fine, ended] = read.layers;
    expect(fine).toMatchObject({ name: "Mine <b>", main: true, signed: true, unit: "logit", error: "" });
    expect(fine?.target).toEqual({ label: "Logit(disc <b>)", score: 2.75 });
    expect([fine?.heat?.[0], fine?.heat?.[15]]).toEqual([-0.5, 1.375]);
    expect(ended).toMatchObject({ name: "Other", error: "ValueError: no layer", heat: null });
  });

  const bad: [string, (parts: Parts) => void, RegExp][] = [
    [
      "another kind",
      ({ header }) => Object.assign(header, { kind: "picture" }),
      /kind must be one of layers/,
    ],
    ["a later version", ({ header }) => Object.assign(header, { version: 2 }), /version is 2/],
    [
      "a map of another size",
      ({ sections }) => Object.assign(sections, { map0: f32([1, 2], 1, 2) }),
      /section map0 must be f32 of shape \[4,4\], found f32 of shape \[1,2\]/,
    ],
    [
      "a layer without its map",
      ({ sections }) => {
        delete sections["map1"];
      },
      /map1/,
    ],
    [
      "a name that is no text",
      ({ header }) => Object.assign((header["layers"] as object[])[1] ?? {}, { name: 3 }),
      /layers\[1\]\.name must be text, found 3/,
    ],
    [
      "more layers than there can be",
      ({ header }) => Object.assign(header, { layers: new Array(65).fill({}) }),
      /at most 64, found 65/,
    ],
  ];

  it.each(bad)("refuses %s", (_name, change, message) => {
    const parts = layersParts();
    change(parts);
    expect(() => read(parts)).toThrow(message);
  });
});
