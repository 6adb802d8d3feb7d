/** The image that stays when only some cells are kept: the inverse wavelet transform, in the page. */
import { type Band, NO_CELL, type Picture, partsOf } from "../frame/picture";
import { coefficientsOf } from "./analysis";
import { type Plane, type Synthesis, synthesisOf } from "./synthesis";

interface Level {
  readonly details: readonly [Plane, Plane, Plane];
  readonly height: number;
  readonly width: number;
}

/** Rebuilds images of one picture; its buffers are made once and used again. */
export class Rebuilder {
  readonly #picture: Picture;
  readonly #index: Int32Array;
  readonly #coefficients: Float32Array;
  readonly #masked: Float32Array;
  readonly #images: Float32Array;
  /** planes of further colour parts, each with the plane of the first part that it is added to */
  readonly #added: readonly (readonly [Plane, Plane])[];
  readonly #approximation: Plane;
  readonly #levels: readonly Level[];
  readonly #between: readonly Float32Array[];
  readonly #synthesis: Synthesis | undefined;

  constructor(picture: Picture) {
    const { channels, height, width, pictureHeight, pictureWidth, bands, wavelet } = picture;
    this.#picture = picture;
    this.#index = picture.index();
    this.#coefficients = picture.coefficients ?? coefficientsOf(picture);
    this.#masked = new Float32Array(pictureHeight * pictureWidth);
    this.#images = new Float32Array(channels * height * width);
    const [planes = [], ...others] = partsOf(bands).map((part) =>
      part.map((band) => planeOf(band, this.#masked, pictureWidth)),
    );
    this.#added = others.flatMap((part) => part.map((plane, at) => [plane, planes[at] as Plane] as const));
    this.#approximation = planes[0] as Plane;
    this.#levels = wavelet === null ? [] : levelsOf(planes, height, width);
    // The image itself goes to the result; every coarser level needs a place of its own.
    this.#between = this.#levels.slice(0, -1).map((level) => new Float32Array(level.height * level.width));
    this.#synthesis = wavelet === null ? undefined : synthesisOf(wavelet.lowpass, wavelet.highpass);
  }

  /**
   * The images (channels x height x width, not clamped) whose cells are kept where `kept` (one number per cell)
   * is not 0; the others are at the baseline. The array is used again by the next call.
   */
  rebuild(kept: Uint8Array): Float32Array {
    const { cellCount, channels, height, width } = this.#picture;
    if (kept.length !== cellCount) {
      throw new RangeError(`kept must have ${cellCount} numbers, one per cell, found ${kept.length}`);
    }
    const size = height * width;
    for (let channel = 0; channel < channels; channel++) {
      this.#mask(channel, kept);
      this.#invert(this.#images.subarray(channel * size, (channel + 1) * size));
    }
    return this.#images;
  }

  /** One channel's picture: coefficients where they are kept, parts added up, plus the baseline, which stays. */
  #mask(channel: number, kept: Uint8Array): void {
    const [masked, index] = [this.#masked, this.#index];
    const coefficients = this.#coefficients;
    const start = channel * masked.length;
    for (let at = 0; at < masked.length; at++) {
      const cell = index[at] as number;
      masked[at] = cell !== NO_CELL && kept[cell] !== 0 ? (coefficients[start + at] as number) : 0;
    }
    for (const [part, first] of this.#added) addRows(part, first);
    const { height, width } = this.#approximation;
    const size = height * width;
    const baseline = { data: this.#picture.baseline, offset: channel * size, stride: width, height, width };
    addRows(baseline, this.#approximation);
  }

  #invert(image: Float32Array): void {
    const synthesis = this.#synthesis;
    if (synthesis === undefined) {
      copyRows(this.#approximation, image);
      return;
    }
    let approximation = this.#approximation;
    this.#levels.forEach(({ details, height, width }, number) => {
      const data = this.#between[number] ?? image;
      const out: Plane = { data, offset: 0, stride: width, height, width };
      synthesis(approximation, details, out);
      approximation = out;
    });
  }
}

function planeOf(band: Band, data: Float32Array, stride: number): Plane {
  return {
    data,
    offset: band.top * stride + band.left,
    stride,
    height: band.height,
    width: band.width,
  };
}

/** The levels from the coarsest to the finest, each with the size of what it makes: the next bands, or the image. */
function levelsOf(planes: readonly Plane[], height: number, width: number): Level[] {
  const levels: Level[] = [];
  for (let at = 1; at < planes.length; at += 3) {
    const [lh, hl, hh] = planes.slice(at, at + 3) as [Plane, Plane, Plane];
    const next = planes[at + 3];
    levels.push({ details: [lh, hl, hh], height: next?.height ?? height, width: next?.width ?? width });
  }
  return levels;
}

/** Adds a plane to another of its size. */
function addRows(plane: Plane, sum: Plane): void {
  const [from, to] = [plane.data, sum.data];
  for (let y = 0; y < plane.height; y++) {
    const [start, target] = [plane.offset + y * plane.stride, sum.offset + y * sum.stride];
    for (let x = 0; x < plane.width; x++) {
      to[target + x] = (to[target + x] as number) + (from[start + x] as number);
    }
  }
}

function copyRows(plane: Plane, image: Float32Array): void {
  for (let y = 0; y < plane.height; y++) {
    const start = plane.offset + y * plane.stride;
    image.set(plane.data.subarray(start, start + plane.width), y * plane.width);
  }
}
