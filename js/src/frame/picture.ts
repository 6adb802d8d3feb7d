/** The heavy, fixed part of a run: the image, its coefficients, and the table of cells. */
import { Fields, requireVersion, sectionOf } from "./fields";
import { type Frame, FrameError } from "./frame";

export const NO_CELL = -1;
/** Numbers in a row of the cell table: band, top, left, height, width. */
export const CELL_FIELDS = 5;
/** Numbers in a row of the support table: top, left, bottom, right. */
export const SUPPORT_FIELDS = 4;

const ORIENTATIONS = ["A", "LH", "HL", "HH"] as const;
const DETAILS = ["LH", "HL", "HH"] as const;
const LONGEST_FILTER = 1024;
const MOST_LEVELS = 32;

export type Orientation = (typeof ORIENTATIONS)[number];

/** A rectangle of the packed picture. LH is high along rows (y), HL high along columns (x). */
export interface Band {
  readonly name: string;
  readonly level: number;
  readonly orientation: Orientation;
  /** the part of the colour it holds, "" where bands hold all of it; parts add up to the image */
  readonly part: string;
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** The reconstruction filters of a wavelet, and those of analysis; empty where coefficients are there. */
export interface Wavelet {
  readonly name: string;
  readonly levels: number;
  readonly lowpass: Float64Array;
  readonly highpass: Float64Array;
  readonly analysisLowpass: Float64Array;
  readonly analysisHighpass: Float64Array;
}

interface PictureParts {
  readonly run: string;
  readonly channels: number;
  /** the image, in pixels */
  readonly height: number;
  readonly width: number;
  /** the packed picture, in coefficients */
  readonly pictureHeight: number;
  readonly pictureWidth: number;
  readonly basis: "wavelet" | "pixel";
  readonly wavelet: Wavelet | null;
  readonly bands: readonly Band[];
  /** height x width x 3, sRGB */
  readonly image: Uint8Array;
  /** channels x pictureHeight x pictureWidth, the baseline taken away; null where they are those of `image` */
  readonly coefficients: Float32Array | null;
  /** channels x height x width of band 0: the sum over the parts; zero in all details */
  readonly baseline: Float32Array;
  /** cellCount x 5: band, top, left, height, width in the packed picture */
  readonly cells: Int32Array;
  /** cellCount x 4: top, left, bottom, right in image pixels */
  readonly support: Float32Array;
  readonly cellCount: number;
}

export interface Picture extends PictureParts {
  /** For every coefficient of the packed picture its cell, or -1 in the gaps between bands. */
  index(): Int32Array;
}

/** Reads the picture frame; throws FrameError where its parts do not fit together. */
export function readPicture(frame: Frame): Picture {
  const header = new Fields(frame.header);
  header.oneOf("kind", ["picture"]);
  requireVersion(header);
  const parts = readParts(frame, header);
  const index = indexCells(parts);
  return { ...parts, index: () => index };
}

function readParts(frame: Frame, header: Fields): PictureParts {
  const image = header.object("image");
  const packed = header.object("picture");
  const [channels, height, width] = [
    image.count("channels", 1),
    image.count("height", 1),
    image.count("width", 1),
  ];
  const [pictureHeight, pictureWidth] = [packed.count("height", 1), packed.count("width", 1)];
  const basis = header.oneOf("basis", ["wavelet", "pixel"]);
  const bands = header.objects("bands").map((fields) => readBand(fields, pictureHeight, pictureWidth));
  const transformed = header.textOr("coefficients", "") === "of image";
  const wavelet = basis === "wavelet" ? readWavelet(header.object("wavelet"), transformed) : null;
  const first = requireParts(bands, wavelet, height, width);
  const cellCount = header.count("cell_count", 1);
  if (channels !== 1 && channels !== 3)
    throw new FrameError(`header.image.channels must be 1 or 3, found ${channels}`);
  return {
    run: header.text("run"),
    channels,
    height,
    width,
    pictureHeight,
    pictureWidth,
    basis,
    wavelet,
    bands,
    image: sectionOf(frame, "image", "u8", [height, width, 3]),
    coefficients: transformed
      ? null
      : sectionOf(frame, "coefficients", "f32", [channels, pictureHeight, pictureWidth]),
    baseline: sectionOf(frame, "baseline", "f32", [channels, first.height, first.width]),
    cells: sectionOf(frame, "cells", "i32", [cellCount, CELL_FIELDS]),
    support: requireSupport(sectionOf(frame, "support", "f32", [cellCount, SUPPORT_FIELDS]), height, width),
    cellCount,
  };
}

function readBand(fields: Fields, pictureHeight: number, pictureWidth: number): Band {
  const band = {
    name: fields.text("name"),
    level: fields.count("level"),
    orientation: fields.oneOf("orientation", ORIENTATIONS),
    part: fields.textOr("part", ""),
    top: fields.count("top"),
    left: fields.count("left"),
    height: fields.count("height", 1),
    width: fields.count("width", 1),
  };
  if (band.top + band.height > pictureHeight || band.left + band.width > pictureWidth) {
    throw new FrameError(
      `band ${band.name} does not lie inside the picture of ${pictureHeight}x${pictureWidth}`,
    );
  }
  return band;
}

function readWavelet(fields: Fields, transformed: boolean): Wavelet {
  const [lowpass, highpass] = [fields.numbers("rec_lo"), fields.numbers("rec_hi")];
  const analysis = transformed ? [fields.numbers("dec_lo"), fields.numbers("dec_hi")] : [];
  const length = lowpass.length;
  const equal = [highpass, ...analysis].every((filter) => filter.length === length);
  if (!equal || length < 2 || length % 2 !== 0 || length > LONGEST_FILTER) {
    throw new FrameError(
      `the wavelet's filters must have the same even length from 2 to ${LONGEST_FILTER}, found ${length} and ${highpass.length}`,
    );
  }
  const levels = fields.count("levels", 1);
  if (levels > MOST_LEVELS)
    throw new FrameError(`header.wavelet.levels must be at most ${MOST_LEVELS}, found ${levels}`);
  return {
    name: fields.text("name"),
    levels,
    lowpass: Float64Array.from(lowpass),
    highpass: Float64Array.from(highpass),
    analysisLowpass: Float64Array.from(analysis[0] ?? []),
    analysisHighpass: Float64Array.from(analysis[1] ?? []),
  };
}

/** The bands of each part of the colour, in the order of the table. */
export function partsOf(bands: readonly Band[]): Band[][] {
  const parts = new Map<string, Band[]>();
  for (const band of bands) parts.set(band.part, [...(parts.get(band.part) ?? []), band]);
  return [...parts.values()];
}

/** Every part must have what the inverse transform reads, in the same sizes: it reads their sum. */
function requireParts(bands: readonly Band[], wavelet: Wavelet | null, height: number, width: number): Band {
  const [first = [], ...others] = partsOf(bands);
  const approximation = requireOrder(first, wavelet, height, width);
  for (const part of others) {
    requireOrder(part, wavelet, height, width);
    part.forEach((band, at) => {
      const like = first[at];
      if (band.height !== like?.height || band.width !== like.width)
        throw new FrameError(`bands ${like?.name} and ${band.name} are added up, but differ in size`);
    });
  }
  return approximation;
}

/** Bands must stand as the inverse transform reads them: approximation first, then LH, HL, HH, coarse to fine. */
function requireOrder(bands: readonly Band[], wavelet: Wavelet | null, height: number, width: number): Band {
  const first = bands[0];
  if (first?.orientation !== "A") throw new FrameError("the first band must be the approximation");
  if (wavelet === null) {
    const fits = bands.length === 1 && first.height === height && first.width === width;
    if (!fits) throw new FrameError("the pixel basis has one band as large as the image");
    return first;
  }
  const { levels, lowpass } = wavelet;
  if (bands.length !== 1 + 3 * levels) {
    throw new FrameError(`${levels} levels have ${1 + 3 * levels} bands, found ${bands.length}`);
  }
  let [needHeight, needWidth] = [height, width];
  for (let level = 1; level <= levels; level++) {
    const at = bands.length - 3 * level;
    const triple = bands.slice(at, at + 3);
    const shapes = level === levels ? [...triple, first] : triple;
    const named =
      triple.every((band, k) => band.orientation === DETAILS[k]) && shapes.every((b) => b.level === level);
    if (!named)
      throw new FrameError(`bands of level ${level} must be LH, HL and HH in this order, coarse to fine`);
    const [rows, columns] = [triple[0]?.height ?? 0, triple[0]?.width ?? 0];
    const equal = shapes.every((band) => band.height === rows && band.width === columns);
    // n coefficients give 2n - L + 2 samples; one more than needed stands where the side is odd.
    const reach = 2 - lowpass.length;
    if (!equal || 2 * rows + reach < needHeight || 2 * columns + reach < needWidth) {
      throw new FrameError(`bands of level ${level} do not have the size that level ${level - 1} needs`);
    }
    [needHeight, needWidth] = [rows, columns];
  }
  return first;
}

function requireSupport(support: Float32Array, height: number, width: number): Float32Array {
  for (let at = 0; at < support.length; at += SUPPORT_FIELDS) {
    const [top = 0, left = 0, bottom = 0, right = 0] = support.subarray(at, at + SUPPORT_FIELDS);
    // Written so that NaN fails too.
    if (!(top >= 0 && left >= 0 && bottom > top && right > left && bottom <= height && right <= width)) {
      throw new FrameError(`the support of cell ${at / SUPPORT_FIELDS} is empty or leaves the image`);
    }
  }
  return support;
}

/** Paints every cell's number over its rectangle and so finds cells that leave their band or share a place. */
function indexCells(parts: PictureParts): Int32Array {
  const { bands, cells, cellCount, pictureHeight, pictureWidth } = parts;
  const index = new Int32Array(pictureHeight * pictureWidth).fill(NO_CELL);
  let covered = 0;
  for (let cell = 0; cell < cellCount; cell++) {
    const row = cells.subarray(cell * CELL_FIELDS, (cell + 1) * CELL_FIELDS);
    const [number = -1, top = 0, left = 0, height = 0, width = 0] = row;
    const band = bands[number];
    if (band === undefined || !contains(band, top, left, height, width)) {
      throw new FrameError(`cell ${cell} does not lie inside band ${number}`);
    }
    for (let y = top; y < top + height; y++) {
      const start = y * pictureWidth + left;
      for (let at = start; at < start + width; at++) {
        if (index[at] !== NO_CELL) throw new FrameError(`cells ${index[at]} and ${cell} overlap`);
        index[at] = cell;
      }
    }
    covered += height * width;
  }
  const expected = bands.reduce((sum, band) => sum + band.height * band.width, 0);
  if (covered !== expected)
    throw new FrameError(`cells cover ${covered} of the ${expected} coefficients of the bands`);
  return index;
}

function contains(band: Band, top: number, left: number, height: number, width: number): boolean {
  return (
    height >= 1 &&
    width >= 1 &&
    top >= band.top &&
    left >= band.left &&
    top + height <= band.top + band.height &&
    left + width <= band.left + band.width
  );
}
