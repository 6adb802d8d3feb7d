import { describe, expect, it } from "vitest";
import { readAttribution, requireFit } from "../../src/frame/attribution";
import { decodeFrame } from "../../src/frame/frame";
import { attributionParts, bytesOf, f32, type Parts, u8 } from "../samples";
import { type Change, golden, put, refusal } from "./refusals";

describe("readAttribution", () => {
  const read = (parts: Parts): unknown => readAttribution(decodeFrame(bytesOf(parts)));

  it("reads what Python wrote", () => {
    const read = readAttribution(decodeFrame(golden("attribution")));
    expect([read.run, read.rev, read.complete, read.variance]).toEqual(["golden", 3, false, null]);
    expect(read.target).toEqual({ label: "Logit(disc <b>)", score: 2.75 });
    expect(Array.from(read.profile.high)).toEqual([0.625, 0.375, 0.25, Number.NaN]);
    expect(Array.from(read.kind)).toEqual([0, 0, 0, 1, 0, 0, 2]);
    expect(() => requireFit(read, 7, 4)).not.toThrow();
  });

  it("says when it speaks of another picture", () => {
    const read = readAttribution(decodeFrame(bytesOf(attributionParts())));
    expect(() => requireFit(read, 5, 4)).toThrow("4 values, the picture 5 cells");
    expect(() => requireFit(read, 4, 7)).toThrow("4 bars, the picture 7 bands");
  });

  const bad: [string, Change, RegExp][] = [
    ["a picture", put("kind", "picture"), /kind must be one of attribution/],
    ["a revision below zero", put("rev", -1), /rev must be a whole number from 0 on, found -1/],
    ["complete as a number", put("complete", 1), /complete must be true or false, found 1/],
    [
      "a target without a score",
      put("target.score", null),
      /target\.score must be a finite number, found null/,
    ],
    [
      "a profile with a bar too few",
      put("profile.low", [0, 0, 0]),
      /profile\.low must be 4 numbers or nulls/,
    ],
    [
      "a profile with a word",
      put("profile.total", [0, 0, 0, "1"]),
      /profile\.total must be 4 numbers or nulls/,
    ],
    [
      "lows of another length",
      ({ sections }) => {
        sections["low"] = f32([0, 0]);
      },
      /low must be f32 of shape \[4\], found f32 of shape \[2\]/,
    ],
    [
      "values in rows",
      ({ sections }) => {
        sections["values"] = f32([0, 0, 0, 0], 2, 2);
      },
      /values must be f32 of shape \[2\]/,
    ],
    [
      "a kind that is none",
      ({ sections }) => {
        sections["kind"] = u8([0, 1, 2, 4]);
      },
      /kind of cell 3 must be 0 to 3, found 4/,
    ],
  ];

  it.each(bad)("refuses %s", (_name, change, message) => {
    expect(refusal(() => attributionParts(), read, change)).toMatch(message);
  });

  it("refuses numbers that overflow", () => {
    const text = Buffer.from(bytesOf(attributionParts())).toString("latin1");
    const huge = text.replace('"seconds":0.5,"unit":"share"', '"seconds":1e999,"unit":"sha"');
    const frame = decodeFrame(new Uint8Array(Buffer.from(huge, "latin1")));
    expect(() => readAttribution(frame)).toThrow("header.seconds must be a finite number");
  });
});
