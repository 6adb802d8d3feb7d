import { describe, expect, it } from "vitest";
import { decodeFrame } from "../../src/frame/frame";
import { type Picture, readPicture } from "../../src/frame/picture";
import { bytesOf, colourParts, f32, i32, type Parts, pictureParts } from "../samples";
import { type Change, golden, put, refusal } from "./refusals";

const picture = (parts: Parts): Picture => readPicture(decodeFrame(bytesOf(parts)));
describe("readPicture", () => {
  it("reads what Python wrote", () => {
    const read = readPicture(decodeFrame(golden("picture")));
    expect([read.run, read.cellCount, read.height, read.pictureWidth]).toEqual(["golden", 7, 4, 4]);
    expect(read.bands.map(({ name }) => name)).toEqual(["A1", "LH1", "HL1", "HH1"]);
    expect(Array.from(read.index())).toEqual([0, 0, 3, 4, 1, 1, 3, 4, 2, 2, 5, 5, 2, 2, 6, 6]);
  });

  it("leaves -1 where no band stands", () => {
    const parts = pictureParts();
    put("picture", { height: 4, width: 5 })(parts);
    parts.sections["coefficients"] = f32(new Array(20).fill(0), 1, 4, 5);
    const index = picture(parts).index();
    expect([4, 9, 14, 19].map((at) => index[at])).toEqual([-1, -1, -1, -1]);
    expect(index.filter((cell) => cell >= 0)).toHaveLength(16);
  });

  it("takes a pixel picture", () => {
    const parts = pictureParts();
    const band = { name: "pixels", level: 0, orientation: "A", top: 0, left: 0, height: 4, width: 4 };
    Object.assign(parts.header, { basis: "pixel", wavelet: null, bands: [band], cell_count: 1 });
    parts.sections["baseline"] = f32(new Array(16).fill(0), 1, 4, 4);
    parts.sections["cells"] = i32([0, 0, 0, 4, 4], 1, 5);
    parts.sections["support"] = f32([0, 0, 4, 4], 1, 4);
    expect(picture(parts).wavelet).toBeNull();
  });

  it("takes a picture of colour parts, and bands without a part", () => {
    expect(
      picture(colourParts())
        .bands.map(({ part }) => part)
        .join(""),
    ).toBe("YYYYCCCC");
    expect(picture(pictureParts()).bands.map(({ part }) => part)).toEqual(["", "", "", ""]);
    const mixed = colourParts();
    const bands = mixed.header["bands"] as unknown[];
    bands.splice(1, 0, ...bands.splice(4, 1));
    const cells = mixed.sections["cells"]?.data as Int32Array;
    [0, 2, 3, 4, 1, 5, 6, 7].forEach((number, cell) => {
      cells[cell * 5] = number;
    });
    expect(
      picture(mixed)
        .bands.map(({ name }) => name)
        .slice(0, 3),
    ).toEqual(["Y:A1", "C:A1", "Y:LH1"]);
  });

  const badColours: [string, Change, RegExp][] = [
    ["a part that is no text", put("bands.5.part", 3), /bands\[5\]\.part must be text, found 3/],
    ["a part that has too few bands", put("bands.7.part", "Y"), /1 levels have 4 bands, found 5/],
    [
      "a part without an approximation",
      put("bands.4.orientation", "LH"),
      /first band must be the approximation/,
    ],
    [
      "parts of different sizes",
      ({ header, sections }) => {
        Object.assign(header, { picture: { height: 12, width: 16 } });
        sections["coefficients"] = f32(new Array(192).fill(0), 1, 12, 16);
        for (const band of (header["bands"] as Record<string, number>[]).slice(4)) {
          Object.assign(band, { height: 3, width: 3, top: 5, left: 5 });
        }
      },
      /bands Y:A1 and C:A1 are added up, but differ in size/,
    ],
  ];

  it.each(badColours)("refuses %s", (_name, change, message) => {
    expect(refusal(colourParts, picture, change)).toMatch(message);
  });

  const bad: [string, Change, RegExp][] = [
    ["another kind", put("kind", "attribution"), /kind must be one of picture, found "attribution"/],
    ["a later version", put("version", 2), /version is 2: this front end reads version 1/],
    ["no run", put("run", null), /header\.run must be text, found null/],
    [
      "a name every object has",
      put("wavelet", { constructor: 1 }),
      /wavelet\.rec_lo must be a list of finite numbers, found nothing/,
    ],
    ["two channels", put("image.channels", 2), /channels must be 1 or 3, found 2/],
    [
      "a height of half a pixel",
      put("image.height", 0.5),
      /image\.height must be a whole number from 1 on, found 0\.5/,
    ],
    ["another basis", put("basis", "fourier"), /one of wavelet, pixel, found "fourier"/],
    ["a wavelet basis without a wavelet", put("wavelet", null), /header\.wavelet must be an object/],
    ["filters of two lengths", put("wavelet.rec_hi", [1]), /same even length from 2 to 1024, found 2 and 1/],
    [
      "filters of odd length",
      ({ header }) =>
        Object.assign(header, { wavelet: { name: "x", levels: 1, rec_lo: [1, 1, 1], rec_hi: [1, 1, 1] } }),
      /even length/,
    ],
    ["a filter of text", put("wavelet.rec_lo", ["1", "2"]), /rec_lo must be a list of finite numbers/],
    ["more levels than bands", put("wavelet.levels", 2), /2 levels have 7 bands, found 4/],
    ["a band outside the picture", put("bands.3.left", 3), /band HH1 does not lie inside the picture of 4x4/],
    [
      "a band at a negative place",
      put("bands.3.left", -1),
      /left must be a whole number from 0 on, found -1/,
    ],
    [
      "bands in another order",
      ({ header }) =>
        (header["bands"] as unknown[]).splice(1, 2, ...(header["bands"] as unknown[]).slice(1, 3).reverse()),
      /level 1 must be LH, HL and HH/,
    ],
    ["a level that is another", put("bands.2.level", 2), /bands of level 1/],
    ["an orientation that is none", put("bands.1.orientation", "VH"), /one of A, LH, HL, HH, found "VH"/],
    [
      "an image larger than its bands",
      put("image", { channels: 1, height: 6, width: 4 }),
      /level 1 do not have the size that level 0 needs/,
    ],
    [
      "coefficients of another size",
      ({ sections }) => {
        sections["coefficients"] = f32([1, 2], 1, 1, 2);
      },
      /coefficients must be f32 of shape \[1,4,4\], found f32 of shape \[1,1,2\]/,
    ],
    [
      "an image of floats",
      ({ sections }) => {
        sections["image"] = f32(new Array(48).fill(0), 4, 4, 3);
      },
      /image must be u8/,
    ],
    [
      "fewer cells than it says",
      put("cell_count", 5),
      /cells must be i32 of shape \[5,5\], found i32 of shape \[4,5\]/,
    ],
    [
      "no section of supports",
      ({ sections }) => {
        delete sections["support"];
      },
      /no section "support"/,
    ],
    [
      "a cell of band 9",
      ({ sections }) => {
        (sections["cells"]?.data as Int32Array)[0] = 9;
      },
      /cell 0 does not lie inside band 9/,
    ],
    [
      "a cell that leaves its band",
      ({ sections }) => {
        (sections["cells"]?.data as Int32Array)[4] = 3;
      },
      /cell 0 does not lie inside band 0/,
    ],
    [
      "a cell of negative height",
      ({ sections }) => {
        (sections["cells"]?.data as Int32Array)[3] = -2;
      },
      /cell 0 does not/,
    ],
    [
      "a cell that is the neighbour's",
      ({ sections }) => {
        sections["cells"]?.data.copyWithin(5, 0, 5);
      },
      /cells 0 and 1 overlap/,
    ],
    [
      "a coefficient without a cell",
      ({ sections }) => {
        (sections["cells"]?.data as Int32Array)[4] = 1;
      },
      /cover 14 of the 16 coefficients/,
    ],
    [
      "an empty support",
      ({ sections }) => {
        (sections["support"]?.data as Float32Array)[2] = 0;
      },
      /support of cell 0 is empty or leaves/,
    ],
    [
      "a support that is no number",
      ({ sections }) => {
        (sections["support"]?.data as Float32Array)[7] = Number.NaN;
      },
      /support of cell 1/,
    ],
  ];

  it.each(bad)("refuses %s", (_name, change, message) => {
    expect(refusal(() => pictureParts(), picture, change)).toMatch(message);
  });
});

describe("a picture whose coefficients are those of its image", () => {
  const ofImage = (parts = pictureParts()): Parts => {
    delete parts.sections["coefficients"];
    parts.header["coefficients"] = "of image";
    put("wavelet.dec_lo", [1, 1])(parts);
    put("wavelet.dec_hi", [-1, 1])(parts);
    return parts;
  };

  it("has the filters of analysis in their place", () => {
    const { coefficients, wavelet } = picture(ofImage());
    expect(coefficients).toBeNull();
    expect([wavelet?.analysisLowpass, wavelet?.analysisHighpass].map((taps) => [...(taps ?? [])])).toEqual([
      [1, 1],
      [-1, 1],
    ]);
  });

  it("is refused without them, or with others of another length", () => {
    const parts = ofImage();
    put("wavelet.dec_lo", "no")(parts);
    expect(() => picture(parts)).toThrow(/wavelet.dec_lo must be a list of finite numbers/);
    put("wavelet.dec_lo", [1, 2, 3, 4])(parts);
    expect(() => picture(parts)).toThrow(/filters must have the same even length/);
  });
});
