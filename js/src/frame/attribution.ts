/** The light, streamed part of a run: what is known of every cell so far. Each frame replaces the last. */
import { Fields, requireVersion, sectionOf } from "./fields";
import { type Frame, FrameError } from "./frame";
import { cutShares } from "./shares";

/** What the number of a cell means: an estimate, one between bounds, nothing yet, or a pooled one. */
export const KIND = {
  estimated: 0,
  bounded: 1,
  unresolved: 2,
  pooled: 3,
  /** of a difference of two maps, and in no frame: it is more than chance, or may be chance */
  certain: 4,
  open: 5,
} as const;

/** Whether a map is the difference of two. */
export function isDifference({ kind }: Pick<AttributionFrame, "kind">): boolean {
  return kind.some((each) => each >= KIND.certain);
}

export interface Target {
  readonly label: string;
  readonly score: number;
}

/** One number per band, in the picture's band order; NaN where it is not known. Shares are cut to [0, 1]. */
export interface Profile {
  readonly statistic: string;
  readonly total: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly shapley: Float64Array;
}

export interface AttributionFrame {
  readonly run: string;
  /** the target that it is of */
  readonly about: string;
  readonly rev: number;
  readonly complete: boolean;
  readonly method: string;
  readonly target: Target;
  /** forward passes done, gradients taken, forward passes planned in all */
  readonly evaluations: number;
  readonly gradients: number;
  readonly planned: number;
  readonly seconds: number;
  /** what ran most passes instead of the network itself; empty if nothing did */
  readonly engine: string;
  readonly unit: string;
  /** whether values below zero count against the target; else they are chance */
  readonly signed: boolean;
  /** why it ended; empty while it runs */
  readonly stop: string;
  readonly variance: number | null;
  readonly profile: Profile;
  /** one number per cell; NaN where it is not known; shares are cut to [0, 1] */
  readonly values: Float32Array;
  readonly low: Float32Array;
  readonly high: Float32Array;
  readonly slope: Float32Array;
  readonly kind: Uint8Array;
}

/** Reads an attribution frame; throws FrameError where its parts do not fit together. */
export function readAttribution(frame: Frame): AttributionFrame {
  const header = new Fields(frame.header);
  header.oneOf("kind", ["attribution"]);
  requireVersion(header);
  const target = header.object("target");
  const values = frame.section("values");
  const cells = [values.shape[0] ?? 0];
  const unit = header.text("unit");
  const cut = (name: string): Float32Array => cutShares(sectionOf(frame, name, "f32", cells), unit);
  return {
    run: header.text("run"),
    about: header.textOr("about", ""),
    rev: header.count("rev"),
    complete: header.flag("complete"),
    method: header.text("method"),
    target: { label: target.text("label"), score: target.number("score") },
    evaluations: header.count("evaluations"),
    gradients: header.count("gradients"),
    planned: header.count("planned"),
    seconds: header.number("seconds"),
    engine: header.textOr("engine", ""),
    unit,
    signed: header.flag("signed"),
    stop: header.text("stop"),
    variance: header.numberOrNull("variance"),
    profile: readProfile(header.object("profile"), unit),
    values: cut("values"),
    low: cut("low"),
    high: cut("high"),
    slope: sectionOf(frame, "slope", "f32", cells),
    kind: requireKinds(sectionOf(frame, "kind", "u8", cells)),
  };
}

/** Refuses an attribution whose arrays do not belong to a picture of so many cells and bands. */
export function requireFit(attribution: AttributionFrame, cellCount: number, bandCount: number): void {
  const { values, profile } = attribution;
  if (values.length !== cellCount) {
    throw new FrameError(`the attribution has ${values.length} values, the picture ${cellCount} cells`);
  }
  if (profile.total.length !== bandCount) {
    throw new FrameError(`the profile has ${profile.total.length} bars, the picture ${bandCount} bands`);
  }
}

function readProfile(fields: Fields, unit: string): Profile {
  const bands = fields.listLength("total");
  const cut = (name: string): Float64Array => cutShares(fields.numbersOrNull(name, bands), unit);
  return {
    statistic: fields.text("statistic"),
    total: cut("total"),
    low: cut("low"),
    high: cut("high"),
    shapley: fields.numbersOrNull("shapley", bands),
  };
}

function requireKinds(kind: Uint8Array): Uint8Array {
  const bad = kind.findIndex((each) => each > KIND.pooled);
  if (bad >= 0) throw new FrameError(`the kind of cell ${bad} must be 0 to 3, found ${kind[bad]}`);
  return kind;
}
