/** What a reconstruction adds to the image and takes from it. */
import type { Scale } from "./scale";

/** The rebuilt image less the image, at each pixel the mean of the channels. */
export function difference(rebuilt: Float32Array, image: Float32Array, channels: number): Float32Array {
  const size = rebuilt.length / channels;
  const mean = new Float32Array(size);
  for (let channel = 0; channel < channels; channel++) {
    for (let at = 0, from = channel * size; at < size; at++, from++) {
      mean[at] = (mean[at] as number) + ((rebuilt[from] as number) - (image[from] as number)) / channels;
    }
  }
  return mean;
}

/** Ends of the scale: coarse steps, so that it stays where it is while cells come and go. */
const ENDS = [0.02, 0.05, 0.1, 0.2, 0.5, 1];
/** The part of the pixels that the scale holds; what differs more has the colours of its ends. */
const MOST = 0.99;
/** Below this, of the full range of brightness, differences are those of rounding. */
const ROUNDING = 1e-4;

/** A signed scale that holds most differences, so that a few edges do not pale the rest; empty where there are none. */
export function differenceScale(values: Float32Array): Scale {
  const sizes = values.map(Math.abs).sort();
  const [most = 0, largest = 0] = [sizes[Math.floor(MOST * (sizes.length - 1))], sizes[sizes.length - 1]];
  const top = largest < ROUNDING ? 0 : (ENDS.find((end) => end >= most) ?? largest);
  return { top, kind: "linear", signed: true };
}
