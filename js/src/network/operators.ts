/** What each operator does; wcam_widget/show/pages/network/evaluation.py says the same in torch. */
import { FrameError } from "../frame/frame";
import { convolution } from "./convolution";
import { type Step, sizeOf, type Tensor } from "./plan";
import { pool } from "./pooling";

/** Makes an operator ready; what it gives runs it, again and again in the same places. */
export type Operator = (step: Step) => () => void;

const UNCHANGED = (): void => undefined;

function each(make: (step: Step) => (value: number) => number): Operator {
  return (step) => {
    const [from, to, change] = [inputOf(step).data, step.output.data, make(step)];
    return () => {
      for (let at = 0; at < to.length; at++) to[at] = change(from[at] as number);
    };
  };
}

function clip(step: Step): () => void {
  const [from, to] = [inputOf(step).data, step.output.data];
  const low = step.settings.numberOrNull("low") ?? Number.NEGATIVE_INFINITY;
  const high = step.settings.numberOrNull("high") ?? Number.POSITIVE_INFINITY;
  return () => {
    for (let at = 0; at < to.length; at++) {
      const value = from[at] as number;
      to[at] = value < low ? low : Math.min(value, high);
    }
  };
}

function two(combine: (a: number, b: number) => number): Operator {
  return (step) => {
    const [a, b] = [inputOf(step), inputOf(step, 1)];
    const to = step.output;
    const [placesA, placesB] = [a, b].map((each) => placesIn(each, to));
    return () => {
      for (let at = 0; at < to.data.length; at++) {
        const first = a.data[placesA?.[at] ?? at] as number;
        to.data[at] = combine(first, b.data[placesB?.[at] ?? at] as number);
      }
    };
  };
}

/** Where each number of a result comes from in a tensor that is repeated to its shape; undefined: at the same place. */
function placesIn({ shape, data }: Tensor, { shape: to, data: result }: Tensor): Int32Array | undefined {
  if (data.length === result.length) return undefined;
  const sides = [...Array(to.length - shape.length).fill(1), ...shape] as number[];
  const strides = sides.map((side, axis) => (side === 1 ? 0 : sizeOf(sides.slice(axis + 1))));
  return places(to, strides, 0);
}

/** Places by strides, in the order of a shape. */
function places(shape: readonly number[], strides: readonly number[], offset: number): Int32Array {
  const all = new Int32Array(sizeOf(shape));
  for (let at = 0; at < all.length; at++) {
    let [place, rest] = [offset, at];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const side = shape[axis] as number;
      place += (rest % side) * (strides[axis] as number);
      rest = Math.floor(rest / side);
    }
    all[at] = place;
  }
  return all;
}

function strided(step: Step): () => void {
  const [from, to] = [inputOf(step).data, step.output];
  const from_ = places(to.shape, step.settings.numbers("strides"), step.settings.count("offset"));
  return () => {
    for (let at = 0; at < from_.length; at++) to.data[at] = from[from_[at] as number] as number;
  };
}

function pad(step: Step): () => void {
  const { shape, data } = inputOf(step);
  const [, channels = 1, rows = 1, columns = 1] = shape;
  const [top = 0, left = 0] = step.settings.numbers("pads");
  const [, , height = 1, width = 1] = step.output.shape;
  const to = step.output.data;
  to.fill(step.settings.number("value"));
  return () => {
    for (let line = 0; line < channels * rows; line++) {
      const at = (Math.floor(line / rows) * height + (line % rows) + top) * width + left;
      to.set(data.subarray(line * columns, (line + 1) * columns), at);
    }
  };
}

function concat({ inputs, output, settings }: Step): () => void {
  const outer = sizeOf(output.shape.slice(0, settings.count("axis")));
  const total = output.data.length / outer;
  return () => {
    let start = 0;
    for (const { data } of inputs) {
      const size = data.length / outer;
      for (let block = 0; block < outer; block++) {
        output.data.set(data.subarray(block * size, (block + 1) * size), block * total + start);
      }
      start += size;
    }
  };
}

/** One number of each row of numbers. */
function reduce(start: number, add: (sum: number, value: number) => number, mean: boolean): Operator {
  return (step) => {
    const [from, to] = [inputOf(step).data, step.output.data];
    const size = from.length / to.length;
    return () => {
      for (let row = 0, at = 0; row < to.length; row++) {
        let sum = start;
        for (let k = 0; k < size; k++, at++) sum = add(sum, from[at] as number);
        to[row] = mean ? sum / size : sum;
      }
    };
  };
}

function softmax(step: Step): () => void {
  const [from, to] = [inputOf(step).data, step.output.data];
  const size = step.output.shape.at(-1) ?? 1;
  return () => {
    for (let start = 0; start < to.length; start += size) {
      const row = from.subarray(start, start + size);
      const largest = row.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
      let sum = 0;
      for (const value of row) sum += Math.exp(value - largest);
      for (let k = 0; k < size; k++) to[start + k] = Math.exp((row[k] as number) - largest) / sum;
    }
  };
}

function linear(step: Step): () => void {
  const [from, weights, to] = [inputOf(step).data, inputOf(step, 1), step.output.data];
  const bias = step.inputs[2]?.data;
  const [count = 1, depth = 1] = weights.shape;
  return () => {
    for (let start = 0, at = 0; at < to.length; start += depth) {
      for (let row = 0, place = 0; row < count; row++, at++) {
        let sum = bias?.[row] ?? 0;
        for (let k = 0; k < depth; k++, place++) {
          sum += (weights.data[place] as number) * (from[start + k] as number);
        }
        to[at] = sum;
      }
    }
  };
}

function inputOf({ inputs, operator }: Step, number = 0): Tensor {
  const input = inputs[number];
  if (input === undefined) throw new FrameError(`plan: ${operator} lacks an input`);
  return input;
}

const hardSigmoid = (value: number, alpha: number, beta: number): number =>
  Math.min(1, Math.max(0, alpha * value + beta));

export const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ["conv", convolution],
  ["linear", linear],
  ["clip", clip],
  [
    "leaky",
    each(({ settings }) => {
      const alpha = settings.number("alpha");
      return (value) => (value < 0 ? alpha * value : value);
    }),
  ],
  ["sigmoid", each(() => (value) => 1 / (1 + Math.exp(-value)))],
  [
    "hard_sigmoid",
    each(({ settings }) => {
      const [alpha, beta] = [settings.number("alpha"), settings.number("beta")];
      return (value) => hardSigmoid(value, alpha, beta);
    }),
  ],
  ["hard_swish", each(() => (value) => value * hardSigmoid(value, 1 / 6, 0.5))],
  ["tanh", each(() => Math.tanh)],
  ["add", two((a, b) => a + b)],
  ["sub", two((a, b) => a - b)],
  ["mul", two((a, b) => a * b)],
  ["div", two((a, b) => a / b)],
  ["max_pool", pool(false)],
  ["average_pool", pool(true)],
  ["mean", reduce(0, (sum, value) => sum + value, true)],
  ["max", reduce(Number.NEGATIVE_INFINITY, Math.max, false)],
  ["softmax", softmax],
  ["concat", concat],
  ["pad", pad],
  ["reshape", () => UNCHANGED],
  ["strided", strided],
]);
