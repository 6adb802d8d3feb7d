/** Numbers as pixels of a canvas whose backing store is exactly the image. */
import { entryOf } from "../picture/colormap";
import { context2d } from "./dom";

/** Gives a canvas the size of an image, which also clears it; nothing happens when it has it. */
export function sizeTo(canvas: HTMLCanvasElement, height: number, width: number): void {
  if (canvas.height !== height) canvas.height = height;
  if (canvas.width !== width) canvas.width = width;
}

/** Paints an sRGB image, height x width x 3 bytes. */
export function paintBytes(canvas: HTMLCanvasElement, image: Uint8Array): void {
  const pixels = new ImageData(canvas.width, canvas.height);
  for (let from = 0, to = 0; from < image.length; from += 3, to += 4) {
    pixels.data[to] = image[from] ?? 0;
    pixels.data[to + 1] = image[from + 1] ?? 0;
    pixels.data[to + 2] = image[from + 2] ?? 0;
    pixels.data[to + 3] = 255;
  }
  context2d(canvas).putImageData(pixels, 0, 0);
}

/** Paints channels x height x width numbers in [0, 1]; what lies outside is clamped in the canvas only. */
export function paintChannels(canvas: HTMLCanvasElement, values: Float32Array, channels: number): void {
  const pixels = new ImageData(canvas.width, canvas.height);
  const plane = canvas.width * canvas.height;
  const [green, blue] = channels === 3 ? [plane, 2 * plane] : [0, 0];
  for (let at = 0, to = 0; at < plane; at++, to += 4) {
    // A clamped array rounds and clamps what it is given.
    pixels.data[to] = (values[at] ?? 0) * 255;
    pixels.data[to + 1] = (values[green + at] ?? 0) * 255;
    pixels.data[to + 2] = (values[blue + at] ?? 0) * 255;
    pixels.data[to + 3] = 255;
  }
  context2d(canvas).putImageData(pixels, 0, 0);
}

/** Paints positions on a colour scale, height x width; where nothing is known the canvas is transparent. */
export function paintPositions(
  canvas: HTMLCanvasElement,
  positions: Float32Array,
  table: Uint8ClampedArray,
): void {
  const pixels = new ImageData(canvas.width, canvas.height);
  for (let at = 0, to = 0; at < positions.length; at++, to += 4) {
    const position = positions[at] ?? Number.NaN;
    if (Number.isNaN(position)) continue;
    const entry = entryOf(position) * 3;
    pixels.data[to] = table[entry] ?? 0;
    pixels.data[to + 1] = table[entry + 1] ?? 0;
    pixels.data[to + 2] = table[entry + 2] ?? 0;
    pixels.data[to + 3] = 255;
  }
  context2d(canvas).putImageData(pixels, 0, 0);
}
