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
    let grid = gridOf(height, width, (at) => (image[3 * at + channel] as number) / 255);
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
  const mirrored = Array.from({ length: 2 * (count + taps.length) }, (_, at) => {
    const place = (at - taps.length + 2 * side * taps.length) % (2 * side);
    return step * Math.min(place, 2 * side - 1 - place);
  });
  const columns = alongY ? width : count;
  return gridOf(alongY ? count : height, columns, (at) => {
    const [y, x] = [Math.floor(at / columns), at % columns];
    const [start, k] = alongY ? [x, y] : [y * width, x];
    return taps.reduce(
      (sum, tap, t) =>
        sum + tap * (data[start + (mirrored[2 * k + 1 - t + taps.length] as number)] as number),
      0,
    );
  });
}

function gridOf(height: number, width: number, value: (at: number) => number): Grid {
  return { data: Float32Array.from({ length: height * width }, (_, at) => value(at)), height, width };
}
