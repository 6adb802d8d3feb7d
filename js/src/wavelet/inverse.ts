/** The image that stays when only some cells are kept: the inverse wavelet transform, in the page. */
import { type Band, NO_CELL, type Picture, partsOf } from "../frame/picture";
import { coefficientsOf } from "./analysis";
import { type Plane, type Synthesis, synthesisOf } from "./synthesis";

interface Level {
  readonly details: readonly [Plane, Plane, Plane];
  readonly height: number;
  readonly width: number;
}

/** Numbers of channels x height x width, not clamped. */
export interface Rebuilt {
  readonly values: Float32Array;
  readonly height: number;
  readonly width: number;
}

/** More pixels times filter taps than a reader's hand can wait for: 724x724 with two taps, 362x362 with eight. */
const AT_ONCE = 2 ** 20;

/** Rebuilds images of one picture; its buffers are made once and used again. */
export class Rebuilder {
  readonly #picture: Picture;
  readonly #index: Int32Array;
  readonly #coefficients: Float32Array;
  readonly #masked: Float32Array;
  readonly #images: Float32Array;
  /** the planes of each part of the colour; the first part is the one that the others are added to */
  readonly #parts: readonly (readonly Plane[])[];
  readonly #levels: readonly Level[];
  readonly #between: readonly Float32Array[];
  readonly #synthesis: Synthesis | undefined;
  readonly #slow: boolean;

  /** `atOnce` is how much of a picture, in pixels times filter taps, needs no preview. */
  constructor(picture: Picture, atOnce = AT_ONCE) {
    const { channels, height, width, pictureHeight, pictureWidth, bands, wavelet } = picture;
    this.#picture = picture;
    this.#index = picture.index();
    this.#coefficients = picture.coefficients ?? coefficientsOf(picture);
    this.#masked = new Float32Array(pictureHeight * pictureWidth);
    this.#images = new Float32Array(channels * height * width);
    this.#parts = partsOf(bands).map((part) => part.map((band) => planeOf(band, this.#masked, pictureWidth)));
    this.#levels = wavelet === null ? [] : levelsOf(this.#parts[0] ?? [], height, width);
    // The image itself goes to the result; every coarser level needs a place of its own.
    this.#between = this.#levels.slice(0, -1).map((level) => new Float32Array(level.height * level.width));
    this.#synthesis = wavelet === null ? undefined : synthesisOf(wavelet.lowpass, wavelet.highpass);
    this.#slow = height * width * (wavelet?.lowpass.length ?? 0) > atOnce;
  }

  /**
   * The images (channels x height x width, not clamped) whose cells are kept where `kept` (one number per cell)
   * is not 0; the others are at the baseline. The array is used again by the next call.
   */
  rebuild(kept: Uint8Array): Float32Array {
    const { channels, height, width } = this.#picture;
    const size = height * width;
    for (let channel = 0; channel < channels; channel++) {
      const image = this.#images.subarray(channel * size, (channel + 1) * size);
      copyRows(this.#invert(channel, kept, this.#levels, image), image, width);
    }
    return this.#images;
  }

  /** The same at half the size, without the finest details, where all of it takes long; else null. */
  preview(kept: Uint8Array): Rebuilt | null {
    if (!this.#slow) return null;
    const { channels, height, width, wavelet } = this.#picture;
    const half = { height: (height + 1) >> 1, width: (width + 1) >> 1 };
    const size = half.height * half.width;
    const edge = ((wavelet?.lowpass.length ?? 2) - 2) >> 2; // what a long filter adds before the first pixel
    for (let channel = 0; channel < channels; channel++) {
      const smooth = this.#invert(channel, kept, this.#levels.slice(0, -1), this.#images);
      const inside = { ...smooth, ...half, offset: smooth.offset + edge * (smooth.stride + 1) };
      const image = this.#images.subarray(channel * size, (channel + 1) * size);
      copyRows(inside, image, half.width, 0.5);
    }
    return { ...half, values: this.#images };
  }

  /** What the coarse image and some levels make of a channel, the finest level into `image`. */
  #invert(channel: number, kept: Uint8Array, levels: readonly Level[], image: Float32Array): Plane {
    const { cellCount } = this.#picture;
    if (kept.length !== cellCount) {
      throw new RangeError(`kept must have ${cellCount} numbers, one per cell, found ${kept.length}`);
    }
    const planes = this.#parts.map((part) => part.slice(0, 1 + 3 * levels.length));
    this.#mask(channel, kept, planes);
    let approximation = this.#parts[0]?.[0] as Plane;
    levels.forEach(({ details, height, width }, number) => {
      const data = this.#between[number] ?? image;
      const out: Plane = { data, offset: 0, stride: width, height, width };
      this.#synthesis?.(approximation, details, out);
      approximation = out;
    });
    return approximation;
  }

  /** One channel's planes: coefficients where they are kept, parts added up, plus the baseline, which stays. */
  #mask(channel: number, kept: Uint8Array, planes: readonly (readonly Plane[])[]): void {
    const [masked, index, coefficients] = [this.#masked, this.#index, this.#coefficients];
    const start = channel * masked.length;
    for (const { offset, stride, height, width } of planes.flat()) {
      for (let y = 0; y < height; y++) {
        const row = offset + y * stride;
        for (let at = row; at < row + width; at++) {
          const cell = index[at] as number;
          masked[at] = cell !== NO_CELL && kept[cell] !== 0 ? (coefficients[start + at] as number) : 0;
        }
      }
    }
    const [first = [], ...others] = planes;
    for (const part of others)
      part.forEach((plane, at) => {
        addRows(plane, first[at] as Plane);
      });
    const { height, width } = first[0] as Plane;
    const offset = channel * height * width;
    addRows({ data: this.#picture.baseline, offset, stride: width, height, width }, first[0] as Plane);
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

/** Writes a plane, times a factor, into the rows of an image; nothing happens where it is that image. */
function copyRows({ data, offset, stride, height }: Plane, image: Float32Array, width: number, by = 1): void {
  if (data === image) return;
  for (let y = 0; y < height; y++) {
    const from = offset + y * stride;
    for (let x = 0; x < width; x++) image[y * width + x] = by * (data[from + x] as number);
  }
}
