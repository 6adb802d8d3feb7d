/** The retention curve of a run: what is left of the score with only the first cells of an order. */
import { Fields, requireVersion, sectionOf } from "./fields";
import { type Frame, FrameError } from "./frame";

/** More than the kernel ever sends. */
const MOST_LINES = 8;

/** Points of one order of the cells, with ever more of them kept. */
export interface RetentionLine {
  /** "own" is the order of the map; others are there to compare */
  readonly name: string;
  readonly counts: readonly number[];
  /** the share of all coefficients that these cells hold */
  readonly shares: readonly number[];
  /** NaN where the score is not a number */
  readonly scores: Float64Array;
  /** what the model decides for, by its place in the frame's `classes` */
  readonly classes: readonly number[];
}

export interface RetentionFrame {
  readonly run: string;
  /** passes of the model behind the map that has this order */
  readonly passes: number;
  readonly complete: boolean;
  readonly subject: string;
  /** what the scores are: "probability, softmax"; empty where the subject says it */
  readonly unit: string;
  readonly original: number;
  /** what the model decided for at any point, first for the image itself */
  readonly classes: readonly string[];
  /** the smallest number of cells that keeps the decision; null until it is known */
  readonly depth: number | null;
  readonly lines: readonly RetentionLine[];
  /** all cells, the most important first */
  readonly order: Int32Array;
}

/** Reads a retention frame; throws FrameError where its parts do not fit together. */
export function readRetention(frame: Frame): RetentionFrame {
  const header = new Fields(frame.header);
  header.oneOf("kind", ["retention"]);
  requireVersion(header);
  const cells = frame.section("order").shape[0] ?? 0;
  const classes = header.texts("classes");
  const lines = header.objects("lines");
  if (lines.length > MOST_LINES)
    throw new FrameError(`header.lines must hold at most ${MOST_LINES}, found ${lines.length}`);
  const depth = header.isNull("depth") ? null : header.count("depth");
  if (depth !== null && depth > cells) throw new FrameError(`header.depth is ${depth} of ${cells} cells`);
  return {
    run: header.text("run"),
    passes: header.count("passes"),
    complete: header.flag("complete"),
    subject: header.text("subject"),
    unit: header.text("unit"),
    original: header.numberOrNull("original") ?? Number.NaN,
    classes,
    depth,
    lines: lines.map((fields) => readLine(fields, cells, classes.length)),
    order: requirePermutation(sectionOf(frame, "order", "i32", [cells])),
  };
}

function readLine(fields: Fields, cells: number, classCount: number): RetentionLine {
  const [name, counts, shares, classes] = [
    fields.text("name"),
    fields.numbers("counts"),
    fields.numbers("shares"),
    fields.numbers("classes"),
  ];
  const points = counts.length;
  const fits =
    shares.length === points &&
    classes.length === points &&
    ascending(counts, cells) &&
    ascending(shares, 1 + 1e-9) &&
    counts.every(Number.isInteger) &&
    classes.every((each) => Number.isInteger(each) && each >= 0 && each < classCount);
  if (!fits) throw new FrameError(`the points of the line ${name} do not fit together`);
  return { name, counts, shares, scores: fields.numbersOrNull("scores", points), classes };
}

/** Whether numbers grow from 0 or more to `most` at most. */
function ascending(numbers: readonly number[], most: number): boolean {
  return numbers.every((each, at) => each <= most && each > (numbers[at - 1] ?? -1) && each >= 0);
}

function requirePermutation(order: Int32Array): Int32Array {
  const seen = new Uint8Array(order.length);
  for (const cell of order) {
    if (seen[cell] !== 0) throw new FrameError("section order must hold every cell once");
    seen[cell] = 1;
  }
  return order;
}
