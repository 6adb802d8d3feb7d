/** What the kernel says about the run and about the model's scores, read without trusting it. */

export type RunState = "waiting" | "running" | "done" | "cancelled" | "error";

export interface Status {
  readonly state: RunState;
  /** forward passes done and planned */
  readonly done: number;
  readonly total: number;
  readonly seconds: number;
  /** null while nobody can tell */
  readonly secondsLeft: number | null;
  readonly message: string;
  /** where and at which scale the model looks, in one sentence */
  readonly answer: string;
  /** why the run ended, in words */
  readonly stop: string;
  /** the words on the button that goes on with the run; empty where it cannot */
  readonly more: string;
  readonly run: string;
  readonly rev: number;
}

export interface Score {
  readonly label: string;
  readonly original: number;
  readonly reconstruction: number;
}

/** One answer of the model: the explained score, and the probabilities of the highest classes. */
export interface ScoreResult {
  readonly key: string;
  readonly target: Score;
  readonly classes: readonly Score[];
  /** what the numbers of the classes are: "probability, softmax", "score" */
  readonly unit: string;
  readonly seconds: number;
}

const RUN_STATES: readonly RunState[] = ["waiting", "running", "done", "cancelled", "error"];

export function readStatus(value: unknown): Status {
  const fields = asObject(value);
  const left = fields["seconds_left"];
  return {
    state: RUN_STATES.find((each) => each === fields["state"]) ?? "waiting",
    done: numberOr(fields["done"], 0),
    total: numberOr(fields["total"], 0),
    seconds: numberOr(fields["seconds"], 0),
    secondsLeft: isFiniteNumber(left) ? left : null,
    message: textOr(fields["message"], ""),
    answer: textOr(fields["answer"], ""),
    stop: textOr(fields["stop"], ""),
    more: textOr(fields["more"], ""),
    run: textOr(fields["run"], ""),
    rev: numberOr(fields["rev"], 0),
  };
}

/** The answer, or null when it is not one. */
export function readScore(value: unknown): ScoreResult | null {
  const { key, target, classes, unit, seconds } = asObject(value);
  const explained = readOne(target);
  if (typeof key !== "string" || explained === null || !Array.isArray(classes)) return null;
  const all = classes.map(readOne).filter((each) => each !== null);
  return {
    key,
    target: explained,
    classes: all,
    unit: textOr(unit, "probability"),
    seconds: numberOr(seconds, 0),
  };
}

/** The answer that a table of known answers holds for a question, or null. */
export function knownScore(table: unknown, key: string): ScoreResult | null {
  const answers = asObject(table);
  const found = Object.hasOwn(answers, key) ? readScore(answers[key]) : null;
  return found?.key === key ? found : null;
}

function readOne(value: unknown): Score | null {
  const { label, original, reconstruction } = asObject(value);
  const fits = typeof label === "string" && isFiniteNumber(original) && isFiniteNumber(reconstruction);
  return fits ? { label, original, reconstruction } : null;
}

export function asObject(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function numberOr(value: unknown, otherwise: number): number {
  return isFiniteNumber(value) ? value : otherwise;
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}
