/** Convolutions of images: as products of matrices, and channel by channel where each filter sees one channel. */
import { FrameError } from "../frame/frame";
import { COLUMNS, columnsAtOnce, multiply, pack } from "./matmul";
import type { Step, Tensor } from "./plan";

/** An image with zeros around it, and how the filter stands on it. */
interface Frame {
  /** channels x height x width */
  readonly data: Float32Array;
  readonly height: number;
  readonly width: number;
  readonly fill: () => void;
}

interface Window {
  readonly down: number;
  readonly across: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

export function convolution({ inputs, output, settings }: Step): () => void {
  const [input, weights, bias = null] = inputs;
  if (input === undefined || weights === undefined) throw new FrameError("plan: conv lacks an input");
  const [down = 1, across = 1] = settings.numbers("strides");
  const [rowStep = 1, columnStep = 1] = settings.numbers("dilations");
  const group = settings.count("group", 1);
  const frame = framed(input, settings.numbers("pads"));
  const window = { down, across, rowStep, columnStep };
  const run =
    weights.shape[1] === 1 && group > 1
      ? byChannel(frame, weights, bias, output, window, group)
      : byMatrix(frame, weights, bias, output, window, group);
  return () => {
    frame.fill();
    run();
  };
}

/** The image itself where nothing is around it, else a larger place that it is copied into. */
function framed({ shape, data }: Tensor, pads: readonly number[]): Frame {
  const [, channels = 1, rows = 1, columns = 1] = shape;
  const [top = 0, left = 0, bottom = 0, right = 0] = pads;
  if (top + left + bottom + right === 0) {
    return { data, height: rows, width: columns, fill: () => undefined };
  }
  const [height, width] = [rows + top + bottom, columns + left + right];
  const padded = new Float32Array(channels * height * width);
  const fill = (): void => {
    for (let channel = 0; channel < channels; channel++) {
      for (let row = 0; row < rows; row++) {
        const from = (channel * rows + row) * columns;
        padded.set(data.subarray(from, from + columns), (channel * height + row + top) * width + left);
      }
    }
  };
  return { data: padded, height, width, fill };
}

function byMatrix(
  { data, height, width }: Frame,
  weights: Tensor,
  bias: Tensor | null,
  output: Tensor,
  { down, across, rowStep, columnStep }: Window,
  group: number,
): () => void {
  const [filters = 1, channels = 1, tall = 1, wide = 1] = weights.shape;
  const [, , rows = 1, columns = 1] = output.shape;
  const [depth, rowsOf, count] = [channels * tall * wide, filters / group, rows * columns];
  const packed = Array.from({ length: group }, (_, g) =>
    pack(weights.data, g * rowsOf * depth, rowsOf, depth),
  );
  // Where a number of the window lies from its corner, and where the window of each result stands.
  const inside = Int32Array.from({ length: depth }, (_, k) => {
    const [channel, tap] = [Math.floor(k / (tall * wide)), k % (tall * wide)];
    const row = Math.floor(tap / wide) * rowStep;
    return (channel * height + row) * width + (tap % wide) * columnStep;
  });
  const corners = Int32Array.from(
    { length: count },
    (_, n) => Math.floor(n / columns) * down * width + (n % columns) * across,
  );
  const step = Math.min(columnsAtOnce(depth), count + (count % COLUMNS));
  const near = new Float64Array(step * depth);
  return () => {
    packed.forEach((panel, g) => {
      const from = g * channels * height * width;
      for (let start = 0; start < count; start += step) {
        const now = Math.min(step, count - start);
        gather(data, from, inside, corners.subarray(start, start + now), near);
        const at = g * rowsOf * count + start;
        multiply(panel, near, now, bias?.data ?? null, g * rowsOf, output.data, at, count);
      }
    });
  };
}

/** Packs the windows at `corners` as pairs of columns; the second of the last pair may repeat the first. */
function gather(
  data: Float32Array,
  from: number,
  inside: Int32Array,
  corners: Int32Array,
  to: Float64Array,
): void {
  const depth = inside.length;
  for (let n = 0, at = 0; n < corners.length; n += COLUMNS) {
    const first = from + (corners[n] as number);
    const second = n + 1 < corners.length ? from + (corners[n + 1] as number) : first;
    for (let k = 0; k < depth; k++, at += COLUMNS) {
      const place = inside[k] as number;
      to[at] = data[first + place] as number;
      to[at + 1] = data[second + place] as number;
    }
  }
}

function byChannel(
  { data, height, width }: Frame,
  weights: Tensor,
  bias: Tensor | null,
  output: Tensor,
  { down, across, rowStep, columnStep }: Window,
  group: number,
): () => void {
  const [filters = 1, , tall = 1, wide = 1] = weights.shape;
  const [, , rows = 1, columns = 1] = output.shape;
  const line = new Float64Array(columns);
  const of = filters / group; // filters that see the same channel
  return () => {
    for (let filter = 0; filter < filters; filter++) {
      const plane = Math.floor(filter / of) * height * width;
      for (let row = 0; row < rows; row++) {
        line.fill(bias === null ? 0 : (bias.data[filter] as number));
        for (let tap = 0; tap < tall; tap++) {
          const from = plane + (row * down + tap * rowStep) * width;
          const taps = weights.data.subarray((filter * tall + tap) * wide, (filter * tall + tap + 1) * wide);
          addLine(line, data, from, taps, across, columnStep);
        }
        output.data.set(line, (filter * rows + row) * columns);
      }
    }
  };
}

/** Adds one row of a filter, applied along a row of an image. */
function addLine(
  line: Float64Array,
  data: Float32Array,
  from: number,
  taps: Float32Array,
  across: number,
  columnStep: number,
): void {
  const count = line.length;
  let tap = 0;
  for (; tap + 2 < taps.length; tap += 3) {
    const [a, b, c] = [taps[tap] as number, taps[tap + 1] as number, taps[tap + 2] as number];
    for (let x = 0, at = from + tap * columnStep; x < count; x++, at += across) {
      const more = b * (data[at + columnStep] as number) + c * (data[at + 2 * columnStep] as number);
      line[x] = (line[x] as number) + a * (data[at] as number) + more;
    }
  }
  for (; tap < taps.length; tap++) {
    const a = taps[tap] as number;
    for (let x = 0, at = from + tap * columnStep; x < count; x++, at += across) {
      line[x] = (line[x] as number) + a * (data[at] as number);
    }
  }
}
