import { describe, expect, it } from "vitest";
import { decodeFrame } from "../../src/frame/frame";
import { type Picture, readPicture } from "../../src/frame/picture";
import { Rebuilder } from "../../src/wavelet/inverse";
import { type Plane, synthesisOf } from "../../src/wavelet/synthesis";
import { bytesOf, colourParts, f32, i32, type Parts, pictureParts, u8 } from "../samples";

const read = (parts: Parts): Picture => readPicture(decodeFrame(bytesOf(parts)));
const rebuilt = (parts: Parts, kept: number[]): number[] =>
  Array.from(new Rebuilder(read(parts)).rebuild(Uint8Array.from(kept)));

/** The formula of the contract, sample by sample: y[m] = sum over k of c[k] rec[m - 2k + L - 2]. */
function upsample(line: readonly number[], filter: readonly number[], size: number): number[] {
  return Array.from({ length: size }, (_, m) =>
    line.reduce((sum, value, k) => sum + value * (filter[m - 2 * k + filter.length - 2] ?? 0), 0),
  );
}

const columns = (rows: number[][]): number[][] =>
  (rows[0] ?? []).map((_, x) => rows.map((row) => row[x] ?? 0));
const add = (a: number[][], b: number[][]): number[][] =>
  a.map((row, y) => row.map((value, x) => value + (b[y]?.[x] ?? 0)));

function slowly(bands: number[][][], low: number[], high: number[], size: [number, number]): number[][] {
  const along = (rows: number[][], fy: number[], fx: number[]): number[][] => {
    const wide = rows.map((row) => upsample(row, fx, size[1]));
    return columns(columns(wide).map((column) => upsample(column, fy, size[0])));
  };
  const [a = [], lh = [], hl = [], hh = []] = bands;
  return [along(lh, high, low), along(hl, low, high), along(hh, high, high)].reduce(add, along(a, low, low));
}

/** Numbers that repeat and follow no pattern. */
function noise(count: number, seed: number): number[] {
  let at = seed;
  return Array.from({ length: count }, () => {
    at = (at * 1664525 + 1013904223) % 2 ** 32;
    return at / 2 ** 31 - 1;
  });
}

describe("one level of synthesis", () => {
  const half = Math.SQRT1_2;
  const cases: [string, number[], number[]][] = [
    ["haar", [half, half], [half, -half]],
    ["two taps that are not haar", [0.3, 0.9], [0.4, -0.8]],
    ["four taps", noise(4, 1), noise(4, 2)],
    ["ten taps", noise(10, 3), noise(10, 4)],
  ];

  it.each(cases)("%s equals the formula at even and odd sizes", (_name, low, high) => {
    const [rows, width] = [7, 9];
    const data = noise(rows * width * 4, 5).map(Math.fround);
    const planes = [0, 1, 2, 3].map(
      (band): Plane => ({
        data: Float32Array.from(data),
        offset: band * rows * width,
        stride: width,
        height: rows,
        width,
      }),
    );
    const bands = planes.map(({ offset }) =>
      Array.from({ length: rows }, (_, y) => data.slice(offset + y * width, offset + (y + 1) * width)),
    );
    for (const trim of [0, 1]) {
      const [height, across] = [2 * rows - low.length + 2 - trim, 2 * width - low.length + 2 - trim];
      const out: Plane = {
        data: new Float32Array(height * across),
        offset: 0,
        stride: across,
        height,
        width: across,
      };
      const [a, lh, hl, hh] = planes as [Plane, Plane, Plane, Plane];
      synthesisOf(Float64Array.from(low), Float64Array.from(high))(a, [lh, hl, hh], out);
      const wanted = slowly(bands, low, high, [height, across]).flat();
      expect(
        Math.max(...wanted.map((value, at) => Math.abs(value - (out.data[at] ?? Number.NaN)))),
      ).toBeLessThan(2e-6);
    }
  });
});

describe("Rebuilder", () => {
  it("is the baseline where nothing is kept", () => {
    // A Haar approximation of 20 is a grey of 10.
    expect(rebuilt(pictureParts(), [0, 0, 0, 0])).toEqual(new Array(16).fill(10));
  });

  it("adds one band's pattern to the baseline", () => {
    // LH is high along y: the first row of its quarter, 9 10, adds +-4.5 and +-5.
    const rows = rebuilt(pictureParts(), [0, 1, 0, 0]).slice(0, 8);
    expect(rows).toEqual([14.5, 14.5, 15, 15, 5.5, 5.5, 5, 5]);
    expect(rebuilt(pictureParts(), [0, 0, 1, 0]).slice(0, 4)).toEqual([11.5, 8.5, 12, 8]);
  });

  it("is linear: what is kept and what is removed add up to the complete and the baseline", () => {
    const [some, others] = [rebuilt(pictureParts(), [1, 0, 1, 0]), rebuilt(pictureParts(), [0, 1, 0, 1])];
    const complete = rebuilt(pictureParts(), [1, 1, 1, 1]);
    const sums = some.map((value, at) => value + (others[at] ?? Number.NaN));
    expect(sums).toEqual(complete.map((value) => value + 10));
  });

  it("gives the same array at every call, with nothing left of the last", () => {
    const rebuilder = new Rebuilder(read(pictureParts()));
    const first = rebuilder.rebuild(Uint8Array.of(1, 1, 1, 1));
    expect(rebuilder.rebuild(Uint8Array.of(0, 0, 0, 0))).toBe(first);
    expect(Array.from(first)).toEqual(new Array(16).fill(10));
  });

  it("previews a large picture at half its size, without the finest details", () => {
    for (const [parts, others] of [
      [pictureParts(), []],
      [colourParts(), [1, 0, 0, 0]],
    ] as const) {
      const rebuilder = new Rebuilder(read(parts), 0);
      const coarse = rebuilder.rebuild(Uint8Array.of(1, 0, 0, 0, ...others)).slice();
      const preview = rebuilder.preview(Uint8Array.of(1, 1, 1, 1, ...others.map(() => 1)));
      expect(preview).toMatchObject({ height: 2, width: 2 });
      expect(Array.from(preview?.values.subarray(0, 4) ?? [])).toEqual([0, 2, 8, 10].map((at) => coarse[at]));
    }
    expect(new Rebuilder(read(pictureParts())).preview(Uint8Array.of(1, 1, 1, 1))).toBeNull();
  });

  it("adds the parts of the colour up before it inverts", () => {
    expect(rebuilt(colourParts(), new Array(8).fill(0))).toEqual(new Array(16).fill(10));
    for (const kept of [
      [1, 1, 1, 1],
      [0, 1, 0, 1],
    ]) {
      const one = rebuilt(pictureParts(), kept);
      const luminance = rebuilt(colourParts(), [...kept, 0, 0, 0, 0]);
      const both = rebuilt(colourParts(), [...kept, ...kept]);
      expect(luminance).toEqual(one);
      expect(both).toEqual(one.map((value) => 10 + 11 * (value - 10)));
    }
  });

  it("returns pixels as they are in the pixel basis", () => {
    const parts = pictureParts();
    const band = { name: "pixels", level: 0, orientation: "A", top: 0, left: 0, height: 2, width: 3 };
    Object.assign(parts.header, {
      basis: "pixel",
      wavelet: null,
      bands: [band],
      cell_count: 2,
      image: { channels: 1, height: 2, width: 3 },
      picture: { height: 2, width: 3 },
    });
    parts.sections = {
      image: u8(new Array(18).fill(0), 2, 3, 3),
      coefficients: f32([1, 2, 3, 4, 5, 6], 1, 2, 3),
      baseline: f32([0.5, 0.5, 0.5, 0.5, 0.5, 0.5], 1, 2, 3),
      cells: i32([0, 0, 0, 2, 1, 0, 0, 1, 2, 2], 2, 5),
      support: f32([0, 0, 2, 1, 0, 1, 2, 3], 2, 4),
    };
    expect(rebuilt(parts, [1, 0])).toEqual([1.5, 0.5, 0.5, 4.5, 0.5, 0.5]);
  });

  it("says how many numbers it needs", () => {
    expect(() => rebuilt(pictureParts(), [1, 1, 1])).toThrow(
      "kept must have 4 numbers, one per cell, found 3",
    );
  });
});
