/**
 * The forward transform, for a picture whose frame has the image and not its coefficients.
 *
 * Along one axis c[k] = sum over t of dec[t] x[2k + 1 - t], x continued by its mirror image: the convention of
 * PyWavelets, mode "symmetric".
 */
import type { Picture } from "../frame/picture";
import type { Plane } from "./synthesis";

/** The coefficients, channels x pictureHeight x pictureWidth, the baseline taken away; 0 in the gaps. */
export function coefficientsOf(picture: Picture): Float32Array {
  const { channels, height, width, pictureHeight, pictureWidth, bands, wavelet, image, baseline } = picture;
  const size = pictureHeight * pictureWidth;
  const packed = new Float32Array(channels * size);
  for (let channel = 0; channel < channels; channel++) {
    let plane = planeOf(height, width, (at) => (image[3 * at + channel] as number) / 255);
    const put = (number: number, part: Plane, less: (at: number) => number): void => {
      const { top = 0, left = 0 } = bands[number] ?? {};
      part.data.forEach((value, at) => {
        const row = top + Math.floor(at / part.width);
        packed[channel * size + row * pictureWidth + left + (at % part.width)] = value - less(at);
      });
    };
    for (let at = bands.length - 3; wavelet !== null && at > 0; at -= 3) {
      const low = halved(plane, wavelet.analysisLowpass, true);
      const high = halved(plane, wavelet.analysisHighpass, true);
      put(at, halved(high, wavelet.analysisLowpass, false), () => 0);
      put(at + 1, halved(low, wavelet.analysisHighpass, false), () => 0);
      put(at + 2, halved(high, wavelet.analysisHighpass, false), () => 0);
      plane = halved(low, wavelet.analysisLowpass, false);
    }
    const start = channel * plane.height * plane.width;
    put(0, plane, (at) => baseline[start + at] as number);
  }
  return packed;
}

/** Filters along y or x, and keeps every second sample. */
function halved({ data, height, width }: Plane, taps: Float64Array, alongY: boolean): Plane {
  const [side, step, length] = [alongY ? height : width, alongY ? width : 1, taps.length];
  const count = (side + length - 1) >> 1;
  const mirrored = (place: number): number => {
    const round = ((place % (2 * side)) + 2 * side) % (2 * side);
    return step * Math.min(round, 2 * side - 1 - round);
  };
  const places = Array.from({ length: count }, (_, k) =>
    Array.from(taps, (_tap, t) => mirrored(2 * k + 1 - t)),
  );
  const columns = alongY ? width : count;
  return planeOf(alongY ? count : height, columns, (at) => {
    const [y, x] = [Math.floor(at / columns), at % columns];
    const start = alongY ? x : y * width;
    const from = places[alongY ? y : x] as number[];
    let sum = 0;
    for (let t = 0; t < length; t++)
      sum += (taps[t] as number) * (data[start + (from[t] as number)] as number);
    return sum;
  });
}

function planeOf(height: number, width: number, value: (at: number) => number): Plane {
  const data = new Float32Array(height * width);
  for (let at = 0; at < data.length; at++) data[at] = value(at);
  return { data, offset: 0, stride: width, height, width };
}
