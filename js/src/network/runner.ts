/** Runs a network in the page, image by image, in places that are made once. */
import { type Frame, FrameError } from "../frame/frame";
import { OPERATORS } from "./operators";
import { readPlan, type Tensor } from "./plan";

export class Runner {
  readonly #image: Tensor;
  readonly #output: Tensor;
  readonly #steps: readonly (() => void)[];

  /** Throws FrameError for a frame that holds no network, or one with operators that are not known. */
  constructor(frame: Frame) {
    const { image, steps, output } = readPlan(frame);
    this.#image = image;
    this.#output = output;
    this.#steps = steps.map((step) => {
      const operator = OPERATORS.get(step.operator);
      if (operator === undefined) throw new FrameError(`plan: ${step.operator} is not an operator`);
      return operator(step);
    });
  }

  /** What the network gives for an image, channels x height x width in [0, 1]; the array is used again. */
  run(image: Float32Array): Float32Array {
    const { data, shape } = this.#image;
    if (image.length !== data.length) {
      throw new RangeError(`image must have [${shape}] numbers, found ${image.length}`);
    }
    data.set(image);
    for (const step of this.#steps) step();
    return this.#output.data;
  }
}
