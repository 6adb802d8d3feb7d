/** A network as it stands in a page: operators in their order, and their weights. */
import { Fields, requireVersion, sectionOf } from "../frame/fields";
import { type Frame, FrameError } from "../frame/frame";

const LARGEST_TENSOR = 2 ** 28;

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** One operator with what it reads and writes; of `reshape` both are the same numbers. */
export interface Step {
  readonly operator: string;
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly settings: Fields;
}

export interface Plan {
  readonly image: Tensor;
  readonly steps: readonly Step[];
  readonly output: Tensor;
}

/** Reads a frame that wcam_widget/show/pages/network wrote, with a place for every tensor; throws FrameError. */
export function readPlan(frame: Frame): Plan {
  const header = new Fields(frame.header);
  header.oneOf("kind", ["network"]);
  requireVersion(header);
  const plan = new Fields(JSON.parse(textOf(frame, "plan")), "plan");
  const image = made(shapeOf(plan.object("image")));
  const tensors = [image];
  const take = weightsOf(frame);
  for (const fields of plan.objects("constants")) tensors.push(take(shapeOf(fields), fields.flag("brief")));
  const steps = plan.objects("steps").map((settings): Step => {
    const inputs = settings.numbers("in").map((number) => tensorOf(tensors, number));
    const operator = settings.text("op");
    const shape = shapeOf(settings);
    const same = operator === "reshape" ? inputs[0] : undefined;
    const output = same === undefined ? made(shape) : { shape, data: same.data };
    tensors.push(output);
    return { operator, inputs, output, settings };
  });
  return { image, steps, output: tensorOf(tensors, plan.count("output")) };
}

/** The text in a section of bytes. */
export function textOf(frame: Frame, name: string): string {
  return new TextDecoder().decode(sectionOf(frame, name, "u8", frame.section(name).shape));
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

function tensorOf(tensors: readonly Tensor[], number: number): Tensor {
  const tensor = tensors[number];
  if (tensor === undefined) throw new FrameError(`plan: there is no tensor ${number} yet`);
  return tensor;
}

function shapeOf(fields: Fields): number[] {
  const shape = fields.numbers("shape");
  const fits = shape.every((side) => Number.isSafeInteger(side) && side >= 1);
  if (!fits || sizeOf(shape) > LARGEST_TENSOR) throw new FrameError(`plan: shape [${shape}] is not valid`);
  return shape;
}

function made(shape: readonly number[]): Tensor {
  return { shape, data: new Float32Array(sizeOf(shape)) };
}

/** Gives constants in their order; brief ones are whole numbers with a scale for each row. */
function weightsOf(frame: Frame): (shape: readonly number[], brief: boolean) => Tensor {
  const exact = sectionOf(frame, "exact", "f32", frame.section("exact").shape);
  const scales = sectionOf(frame, "scales", "f32", frame.section("scales").shape);
  const bytes = sectionOf(frame, "brief", "u8", frame.section("brief").shape);
  // All high bytes stand before all low bytes.
  const half = bytes.length >> 1;
  let [atExact, atScale, atBrief] = [0, 0, 0];
  return (shape, brief) => {
    const tensor = made(shape);
    const { data } = tensor;
    if (!brief) {
      data.set(exact.subarray(atExact, atExact + data.length));
      atExact += data.length;
      return tensor;
    }
    const rows = shape[0] ?? 1;
    const row = data.length / rows;
    for (let at = 0; at < data.length; at++, atBrief++) {
      const pair = ((bytes[atBrief] as number) << 8) | (bytes[half + atBrief] as number);
      data[at] = ((pair << 16) >> 16) * (scales[atScale + Math.floor(at / row)] as number);
    }
    atScale += rows;
    return tensor;
  };
}
