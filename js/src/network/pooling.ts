/** The largest number, or the mean, of each window of an image. */
import { FrameError } from "../frame/frame";
import type { Step } from "./plan";

export function pool(mean: boolean): (step: Step) => () => void {
  return ({ inputs, output, settings }) => {
    const [input] = inputs;
    if (input === undefined) throw new FrameError("plan: a pool lacks an input");
    const [, channels = 1, height = 1, width = 1] = input.shape;
    const [, , rows = 1, columns = 1] = output.shape;
    const [tall = 1, wide = 1] = settings.numbers("kernel");
    const [down = 1, across = 1] = settings.numbers("strides");
    const [top = 0, left = 0, bottom = 0, right = 0] = settings.numbers("pads");
    const padded = settings.flag("padded");
    const reduce = (plane: number, row: number, column: number): number => {
      const [y, x] = [row * down - top, column * across - left];
      const [firstY, firstX] = [Math.max(0, y), Math.max(0, x)];
      const [endY, endX] = [Math.min(height, y + tall), Math.min(width, x + wide)];
      let result = mean ? 0 : Number.NEGATIVE_INFINITY;
      for (let at = firstY; at < endY; at++) {
        for (let place = plane + at * width + firstX; place < plane + at * width + endX; place++) {
          const value = input.data[place] as number;
          result = mean ? result + value : Math.max(result, value);
        }
      }
      if (!mean) return result;
      const counted = padded
        ? (Math.min(height + bottom, y + tall) - y) * (Math.min(width + right, x + wide) - x)
        : (endY - firstY) * (endX - firstX);
      return result / counted;
    };
    return () => {
      let at = 0;
      for (let channel = 0; channel < channels; channel++) {
        for (let row = 0; row < rows; row++) {
          for (let column = 0; column < columns; column++, at++) {
            output.data[at] = reduce(channel * height * width, row, column);
          }
        }
      }
    };
  };
}
