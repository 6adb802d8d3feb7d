/** What a saved page says of the numbers that its own network gives, in the words that a kernel has for them. */
import { Fields } from "./frame/fields";
import { formatScore } from "./picture/words";
import type { Score, ScoreResult } from "./state/score_result";

const SHOWN = 5;
const LIKELY = 0.5;

/** What stands in the page beside its network. */
export interface Answers {
  /** the target that they are of, in one word and in words */
  readonly about: string;
  readonly label: string;
  /** the class that is explained; null where it is not a single one */
  readonly class: number | null;
  readonly labels: readonly string[];
  readonly unit: string;
  /** whether the numbers are probabilities, and whether each label has one by itself */
  readonly bounded: boolean;
  readonly each: boolean;
  /** whether images are cut to [0, 1] before they are scored */
  readonly clip: boolean;
  /** how far the page's numbers may be from the kernel's */
  readonly tolerance: number;
  /** what torch gave for the image: the numbers of all classes, and the explained score */
  readonly image: readonly number[];
}

/** Reads them; throws FrameError. */
export function readAnswers(text: string): Answers {
  const fields = new Fields(JSON.parse(text), "answers");
  return {
    about: fields.text("about"),
    label: fields.text("label"),
    class: fields.numberOrNull("class_id"),
    labels: fields.texts("labels"),
    unit: fields.text("unit"),
    bounded: fields.flag("bounded"),
    each: fields.flag("each"),
    clip: fields.flag("clip"),
    tolerance: fields.number("tolerance"),
    image: fields.numbers("image"),
  };
}

/** How far numbers for the image itself are from torch's at most, as a share of what is allowed. */
export function differenceOf({ image, tolerance }: Answers, numbers: ArrayLike<number>): number {
  if (numbers.length !== image.length) return Number.POSITIVE_INFINITY;
  const gaps = image.map(
    (value, at) => Math.abs(value - (numbers[at] as number)) / Math.max(1, Math.abs(value)),
  );
  const largest = Math.max(...gaps) / tolerance;
  return Number.isNaN(largest) ? Number.POSITIVE_INFINITY : largest;
}

/** The answer to one question, as `Inquiry` in wcam_widget/show/explorer/questions.py gives it. */
export function answerOf(
  answers: Answers,
  key: string,
  numbers: ArrayLike<number>,
  milliseconds: number,
): ScoreResult {
  const { about, image, label, labels, unit } = answers;
  const after = Array.from(numbers);
  const original = image[labels.length] ?? Number.NaN;
  const target = { label, original, reconstruction: after[labels.length] ?? Number.NaN };
  const origin = `computed in this page in ${Math.max(1, Math.round(milliseconds))} ms`;
  const classes = shownClasses(answers, after);
  const verdict = verdictOf(answers, after);
  return { key, about, target, classes, unit, seconds: milliseconds / 1000, verdict, origin };
}

/** The highest of either image; always the first of each and the explained one. */
function shownClasses({ class: explained, image, labels }: Answers, after: readonly number[]): Score[] {
  const before = image.slice(0, labels.length);
  const now = after.slice(0, labels.length);
  const either = before.map((value, at) => Math.max(value, now[at] as number));
  for (const always of [highest(before), highest(now), explained]) {
    if (always !== null) either[always] = Number.POSITIVE_INFINITY;
  }
  const places = [...either.keys()].sort((a, b) => (either[b] as number) - (either[a] as number));
  return places
    .slice(0, SHOWN)
    .sort((a, b) => (before[b] as number) - (before[a] as number))
    .map((at) => ({
      label: labels[at] as string,
      original: before[at] as number,
      reconstruction: now[at] as number,
    }));
}

/** What became of the decision; wcam_widget/show/verdict.py has the same words. */
function verdictOf({ bounded, each, image, labels }: Answers, after: readonly number[]): string {
  const number = bounded ? probabilityWords : (value: number): string => formatScore(value);
  const [first, now] = [highest(image.slice(0, labels.length)), highest(after.slice(0, labels.length))];
  const [before, left] = [image[first] as number, after[first] as number];
  const change = `${number(before)} to ${number(left)}`;
  if (each) {
    if (before < LIKELY) return `${labels[first]} ${change}`;
    return `${left >= LIKELY ? "still" : "no longer"} ${labels[first]} (${change})`;
  }
  if (labels.length === 1) return `${labels[0]} ${change}`;
  if (now === first) return `still ${labels[first]} (${change})`;
  return `now ${labels[now]} (${number(after[now] as number)}; ${labels[first]} ${change})`;
}

/** A probability with two decimals, at its ends in words. */
function probabilityWords(value: number): string {
  if (value > 0 && value < 0.005) return "below .01";
  if (value >= 0.995 && value < 1) return "above .99";
  return value > 0 ? value.toFixed(2).replace(/^0/, "") : "0";
}

function highest(numbers: readonly number[]): number {
  return numbers.indexOf(Math.max(...numbers));
}
