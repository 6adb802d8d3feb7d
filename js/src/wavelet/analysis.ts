/**
 * The forward transform, for a picture whose frame has the image and not its coefficients.
 *
 * Along one axis c[k] = sum over t of dec[t] x[2k + 1 - t], x continued by its mirror image: the convention of
 * PyWavelets, mode "symmetric".
 */
import type { Picture } from "../frame/picture";

interface Grid {
  readonly data: Float32Array;
  readonly height: number;
  readonly width: number;
}

/** The coefficients, channels x pictureHeight x pictureWidth, the baseline taken away; 0 in the gaps. */
export function coefficientsOf(picture: Picture): Float32Array {
  const { channels, height, width, pictureHeight, pictureWidth, bands, wavelet, image, baseline } = picture;
  const packed = new Float32Array(channels * pictureHeight * pictureWidth);
  for (let channel = 0; channel < channels; channel++) {
    const put = (number: number, { data, height, width }: Grid): void => {
      const { top = 0, left = 0 } = bands[number] ?? {};
      for (let y = 0; y < height; y++) {
        const row = channel * pictureHeight + top + y;
        packed.set(data.subarray(y * width, (y + 1) * width), row * pictureWidth + left);
      }
    };
    let grid = emptyGrid(height, width);
    for (let at = 0; at < grid.data.length; at++) grid.data[at] = (image[3 * at + channel] as number) / 255;
    for (let at = bands.length - 3; wavelet !== null && at > 0; at -= 3) {
      const [low, high] = [wavelet.analysisLowpass, wavelet.analysisHighpass];
      const [smooth, sharp] = [halved(grid, low, true), halved(grid, high, true)];
      put(at, halved(sharp, low, false));
      put(at + 1, halved(smooth, high, false));
      put(at + 2, halved(sharp, high, false));
      grid = halved(smooth, low, false);
    }
    const { data } = grid;
    put(0, {
      ...grid,
      data: data.map((value, at) => value - (baseline[channel * data.length + at] as number)),
    });
  }
  return packed;
}

/** Filters along y or x, and keeps every second sample. */
function halved({ data, height, width }: Grid, taps: Float64Array, alongY: boolean): Grid {
  const [side, step] = alongY ? [height, width] : [width, 1];
  const count = (side + taps.length - 1) >> 1;
  const mirrored = Int32Array.from({ length: 2 * (count + taps.length) }, (_, at) => {
    const place = (at - taps.length + 2 * side * taps.length) % (2 * side);
    return step * Math.min(place, 2 * side - 1 - place);
  });
  const half = alongY ? emptyGrid(count, width) : emptyGrid(height, count);
  for (let y = 0, at = 0; y < half.height; y++) {
    for (let x = 0; x < half.width; x++, at++) {
      const start = alongY ? x : y * width;
      const last = 2 * (alongY ? y : x) + 1 + taps.length;
      let sum = 0;
      for (let t = 0; t < taps.length; t++)
        sum += (taps[t] as number) * (data[start + (mirrored[last - t] as number)] as number);
      half.data[at] = sum;
    }
  }
  return half;
}

function emptyGrid(height: number, width: number): Grid {
  return { data: new Float32Array(height * width), height, width };
}
