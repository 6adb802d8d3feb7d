/** The progress of the run, as the kernel sends it, read without trusting it. */
import { asObject, isFiniteNumber, numberOr, textOr } from "../transport/untrusted";

export type RunState = "waiting" | "running" | "done" | "cancelled" | "error";

export interface Status {
  readonly state: RunState;
  /** forward passes done and planned */
  readonly done: number;
  readonly total: number;
  readonly seconds: number;
  /** null while it is not known */
  readonly secondsLeft: number | null;
  readonly message: string;
  /** where in the kernel's program an error came from */
  readonly details: string;
  /** where and at which scale the model looks, in one sentence */
  readonly answer: string;
  /** why the run ended, in words */
  readonly stop: string;
  /** the words on the button that goes on with the run; empty where it cannot */
  readonly more: string;
  readonly run: string;
  readonly rev: number;
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
    details: textOr(fields["details"], ""),
    answer: textOr(fields["answer"], ""),
    stop: textOr(fields["stop"], ""),
    more: textOr(fields["more"], ""),
    run: textOr(fields["run"], ""),
    rev: numberOr(fields["rev"], 0),
  };
}
