import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeFrame, encodeFrame, FrameError, type Section } from "../../src/frame/frame";
import type { JsonObject } from "../../src/frame/json";
import { readPicture } from "../../src/frame/picture";
import { bytesOf, f32, pictureParts, u8 } from "../samples";

const FRAMES = new URL("../../../tests/reference/frames/", import.meta.url);
const golden = readdirSync(FRAMES)
  .filter((name) => name.endsWith(".wcf"))
  .map((name) => name.slice(0, -4));
const read = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(name, FRAMES)));
const json = (name: string): unknown => JSON.parse(readFileSync(new URL(name, FRAMES), "utf8"));

interface Expected {
  header: JsonObject;
  sections: Record<string, { dtype: string; shape: number[]; values: (number | null)[] }>;
}

describe("frames that Python wrote", () => {
  it("are there", () => {
    expect(golden).toEqual(expect.arrayContaining(["attribution", "bare", "picture", "plain"]));
  });

  it.each(golden)("%s holds what its JSON says", (name) => {
    const frame = decodeFrame(read(`${name}.wcf`));
    const expected = json(`${name}.json`) as Expected;
    expect(frame.header).toEqual(expected.header);
    expect(frame.names).toEqual(Object.keys(expected.sections));
    for (const [section, { dtype, shape, values }] of Object.entries(expected.sections)) {
      const read = frame.section(section);
      expect([read.dtype, read.shape]).toEqual([dtype, shape]);
      expect(Array.from(read.data, (value) => (Number.isNaN(value) ? null : value))).toEqual(values);
    }
  });

  it.each(golden)("%s is written back byte for byte", (name) => {
    const bytes = read(`${name}.wcf`);
    const frame = decodeFrame(bytes);
    const sections = Object.fromEntries(frame.names.map((each) => [each, frame.section(each)]));
    expect(Buffer.from(encodeFrame(frame.header, sections)).equals(Buffer.from(bytes))).toBe(true);
  });
});

describe("small numbers", () => {
  it("are written as Python writes them", () => {
    const text = new TextDecoder().decode(encodeFrame({ n: [1.25e-7, 0.0001, 1e-10, -2.5e-5, 0] }, {}));
    expect(text).toContain('"n":[1.25e-07,0.0001,1e-10,-2.5e-05,0]');
  });
});

describe("hostile bytes", () => {
  const hostile = Object.entries(json("hostile.json") as Record<string, string>);

  it.each(hostile)("%s: refused", (_name, base64) => {
    expect(() => decodeFrame(new Uint8Array(Buffer.from(base64, "base64")))).toThrow(FrameError);
  });

  it("refuses a frame cut at any length", () => {
    const bytes = bytesOf(pictureParts());
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeFrame(bytes.slice(0, length)), `cut at ${length}`).toThrow(FrameError);
    }
  });

  it("reads or refuses a frame with any one byte flipped, and never fails otherwise", () => {
    const bytes = bytesOf(pictureParts());
    let refused = 0;
    for (let at = 0; at < bytes.length; at++) {
      for (const bit of [0x01, 0x20, 0x80]) {
        const flipped = bytes.slice();
        flipped[at] = (flipped[at] ?? 0) ^ bit;
        try {
          decodeFrame(flipped);
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
          refused++;
        }
      }
    }
    expect(refused).toBeGreaterThan(500);
  });

  it.each(["name", "dtype", "codec", "offset", "nbytes", "shape", "more"])(
    "reads or refuses %s nested at any depth, and never fails otherwise",
    (field) => {
      for (const depth of [1, 100, 5000, 10000, 30000]) {
        const nested = `${"[".repeat(depth)}${"]".repeat(depth)}`;
        const text = `{"sections":[{"name":"a","dtype":"u8","shape":[0],"codec":"raw","offset":65536,"nbytes":0,"${field}":${nested}}],"x":${nested}}`;
        const length = Math.ceil(Math.min(text.length, 65536) / 8) * 8;
        const bytes = new Uint8Array(8 + length).fill(0x20);
        bytes.set([0x57, 0x43, 0x46, 0x31]);
        new DataView(bytes.buffer).setUint32(4, length, true);
        bytes.set(new TextEncoder().encode(text.slice(0, length)), 8);
        expect(() => readPicture(decodeFrame(bytes)), `depth ${depth}`).toThrow(FrameError);
      }
    },
  );

  it("keeps names that mean something to JavaScript as names", () => {
    const sections: [string, Section][] = [
      ["__proto__", u8([1])],
      ["constructor", u8([2])],
    ];
    const header = JSON.parse('{"__proto__":{"polluted":true},"toString":"text"}') as JsonObject;
    const bytes = encodeFrame(header, Object.fromEntries(sections));
    const frame = decodeFrame(bytes);
    expect(Array.from(frame.section("__proto__").data)).toEqual([1]);
    expect(Array.from(frame.section("constructor").data)).toEqual([2]);
    expect(() => frame.section("hasOwnProperty")).toThrow('no section "hasOwnProperty"');
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("allocates nothing for a shape that is not there", () => {
    const text = `{"sections":[{"name":"a","dtype":"f32","shape":[${2 ** 31}],"codec":"raw","offset":256,"nbytes":${2 ** 33}}]}`;
    const bytes = new Uint8Array(264).fill(0x20);
    bytes.set(new TextEncoder().encode(`WCF1\xf8`.slice(0, 4)));
    new DataView(bytes.buffer).setUint32(4, 248, true);
    bytes.set(new TextEncoder().encode(text), 8);
    expect(() => decodeFrame(bytes)).toThrow(/ends at byte 8589934848, the frame at byte 264/);
  });
});

describe("buffers as hosts hand them over", () => {
  const bytes = encodeFrame({ kind: "x" }, { a: f32([1, 2, 3]) });

  it.each([0, 1, 3, 4, 7, 8])("a view that starts at byte %d of a larger buffer", (start) => {
    const larger = new Uint8Array(bytes.length + start + 5).fill(255);
    larger.set(bytes, start);
    const frame = decodeFrame(new DataView(larger.buffer, start, bytes.length));
    expect(Array.from(frame.section("a").data)).toEqual([1, 2, 3]);
  });

  it("a buffer that is aligned is viewed, not copied", () => {
    const buffer = bytes.slice().buffer;
    expect(decodeFrame(buffer).section("a").data.buffer).toBe(buffer);
  });
});

describe("the writer", () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY])("refuses %d in the header", (value) => {
    expect(() => encodeFrame({ value }, {})).toThrow(`header: ${value} is not JSON`);
  });

  it("refuses a header of more than 65536 bytes", () => {
    expect(() => encodeFrame({ text: "x".repeat(65536) }, {})).toThrow(/at most 65536 bytes, found 65568/);
  });

  it("refuses a header with sections of its own", () => {
    expect(() => encodeFrame({ sections: [] }, {})).toThrow(FrameError);
  });
});
