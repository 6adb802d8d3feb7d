/** What is explained, as the kernel says it, read without trusting it. */
import { asObject, isFiniteNumber, numberOr, textOr } from "../transport/untrusted";

export interface Target {
  /** the target in one word, which maps and answers carry: those of another one are not shown */
  readonly about: string;
  /** how many classes the model has */
  readonly classes: number;
  /** the class that is explained, and the one it is to be above; -1 where there is none */
  readonly classId: number;
  readonly other: number;
  /** how Python explains it so */
  readonly code: string;
  /** its score of the image; null where the kernel did not say */
  readonly explained: { readonly label: string; readonly score: number } | null;
}

export function readTarget(value: unknown): Target {
  const fields = asObject(value);
  const { label, score } = fields;
  return {
    about: textOr(fields["about"], ""),
    classes: numberOr(fields["classes"], 0),
    classId: numberOr(fields["class_id"], -1),
    other: numberOr(fields["other"], -1),
    code: textOr(fields["code"], ""),
    explained: typeof label === "string" && isFiniteNumber(score) ? { label, score } : null,
  };
}
