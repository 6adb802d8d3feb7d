/** Scores of the image and of a reconstruction, as the kernel sends them, read without trusting them. */
import { asObject, isFiniteNumber, numberOr, textOr } from "../transport/untrusted";

export interface Score {
  readonly label: string;
  readonly original: number;
  readonly reconstruction: number;
}

/** One response of the model: the explained score, and the probabilities of the highest classes. */
export interface ScoreResult {
  readonly key: string;
  /** the target that it is of */
  readonly about: string;
  readonly target: Score;
  readonly classes: readonly Score[];
  /** what the numbers of the classes are: "probability, softmax", "score" */
  readonly unit: string;
  readonly seconds: number;
  /** what became of the decision, in words */
  readonly verdict: string;
  /** where the numbers come from, in words; empty where a kernel sent them */
  readonly origin: string;
}

/** The result, or null when it is not one. */
export function readScore(value: unknown): ScoreResult | null {
  const { key, about, target, classes, unit, seconds, verdict, origin } = asObject(value);
  const explained = readPair(target);
  if (typeof key !== "string" || explained === null || !Array.isArray(classes)) return null;
  const all = classes.map(readPair).filter((each) => each !== null);
  return {
    key,
    about: textOr(about, ""),
    target: explained,
    classes: all,
    unit: textOr(unit, "probability"),
    seconds: numberOr(seconds, 0),
    verdict: textOr(verdict, ""),
    origin: textOr(origin, ""),
  };
}

/** The result that a table of known results holds for a question, or null. */
export function knownScore(table: unknown, key: string): ScoreResult | null {
  const results = asObject(table);
  const result = Object.hasOwn(results, key) ? readScore(results[key]) : null;
  return result?.key === key ? result : null;
}

function readPair(value: unknown): Score | null {
  const { label, original, reconstruction } = asObject(value);
  const fits = typeof label === "string" && isFiniteNumber(original) && isFiniteNumber(reconstruction);
  return fits ? { label, original, reconstruction } : null;
}
