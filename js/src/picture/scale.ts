/**
 * The colour scale of a map: from 0 to the largest value of the frame that is shown; shares end at 1 at the latest.
 * Where a few cells hold nearly everything a linear scale would show them alone; left to itself the scale is then a
 * square root. The reader may choose linear, logarithmic or ranks instead, and each level for itself; the colour bar
 * says so. Signed values stand evenly around zero, in the middle of the scale.
 * `wcam_widget/show/scale.py` states the same rule for figures, and a test holds the two together.
 */

export const SCALE_CHOICES = ["auto", "linear", "log", "rank"] as const;
export type ScaleChoice = (typeof SCALE_CHOICES)[number];

const PER_LEVEL = " per level";
/** A choice, of all levels alike or of each by itself: "log per level". */
export type ScaleSetting = ScaleChoice | `${ScaleChoice}${typeof PER_LEVEL}`;

/** The choice in a setting, and whether it is each level's own; "auto" where it is none. */
export function readScaleSetting(value: unknown): {
  readonly choice: ScaleChoice;
  readonly perLevel: boolean;
} {
  const text = typeof value === "string" ? value : "";
  const choice = SCALE_CHOICES.find((each) => text === each || text === each + PER_LEVEL);
  return { choice: choice ?? "auto", perLevel: choice !== undefined && text !== choice };
}

export function scaleSetting(choice: ScaleChoice, perLevel: boolean): ScaleSetting {
  return perLevel ? `${choice}${PER_LEVEL}` : choice;
}

export interface Scale {
  /** value drawn with the last colour of the map; 0 while nothing is known */
  readonly top: number;
  readonly kind: "linear" | "root" | "log" | "rank";
  /** whether it goes from minus `top` to `top` */
  readonly signed: boolean;
  /** of ranks: sizes, each once and ascending from 0, and the part of all that are no larger */
  readonly ranks?: readonly (readonly [number, number])[];
  /** of each level its own scale */
  readonly levels?: readonly Scale[];
}

/** Numbers of one map, and the run they belong to. */
export interface MapNumbers {
  readonly run: string;
  readonly numbers: Float32Array;
  readonly signed: boolean;
  /** whether they are shares, which cannot exceed 1 */
  readonly share: boolean;
  /** whether no better frame is expected */
  readonly settled: boolean;
  readonly choice?: ScaleChoice;
  /** the level of each number, where each is to have its own scale */
  readonly levels?: Uint8Array;
}

export const EMPTY_SCALE: Scale = { top: 0, kind: "linear", signed: false };

/** Median of the positive values below this share of the largest: linear would leave half the map in one colour. */
const SKEWED = 0.03;
/** Fewer positive values have no median worth the name. */
const LEAST_COUNT = 9;
/** While a map streams its scale stays where it is, as long as its top is no more than this above the values. */
const SLACK = 1.25;
/** While a map streams a square root stays one until the median is this many times past the limit. */
const LINGER = 2;
/** A logarithmic scale goes down so many powers of ten from its top. */
const DECADES = 3;

/** The scale of a map by its numbers alone: the same live, in a saved page and in a figure. */
export function scaleOf(map: MapNumbers): Scale {
  const { signed, choice = "auto", levels } = map;
  const { top, median, positive } = reach(map);
  const auto = median < SKEWED * top ? "root" : "linear";
  const scale: Scale = { top, kind: choice === "auto" ? auto : choice, signed };
  if (levels !== undefined) return { ...scale, levels: levelScales(map, levels) };
  return choice === "rank" ? { ...scale, ranks: ranksOf(positive) } : scale;
}

function levelScales(map: MapNumbers, levels: Uint8Array): Scale[] {
  const count = levels.reduce((most, level) => Math.max(most, level), 0) + 1;
  return Array.from({ length: count }, (_, level) => {
    const { levels: _all, ...own } = { ...map, numbers: map.numbers.filter((_, at) => levels[at] === level) };
    return scaleOf(own);
  });
}

/** Sizes, each once, and the part of the positive ones that are no larger. */
function ranksOf(positive: Float32Array): (readonly [number, number])[] {
  const ranks: (readonly [number, number])[] = [[0, 0]];
  positive.forEach((size, at) => {
    if (size !== positive[at + 1]) ranks.push([size, (at + 1) / positive.length]);
  });
  return ranks;
}

/** The scale of the next frame of a run: at the end that of `scaleOf`, before it calmer, so that nothing flickers. */
export function nextScale(before: Scale | null, map: MapNumbers): Scale {
  const exact = scaleOf(map);
  const steady = before !== null && !map.settled && before.signed === exact.signed;
  if (!steady || exact.kind === "rank" || exact.levels !== undefined) return exact;
  const { median } = reach(map);
  const top = before.top >= exact.top && before.top <= SLACK * exact.top ? before.top : exact.top;
  const auto = (map.choice ?? "auto") === "auto";
  const lingers = auto && before.kind === "root" && median < LINGER * SKEWED * exact.top;
  const kind = lingers ? "root" : exact.kind;
  const same = top === before.top && kind === before.kind && before.levels === undefined;
  return same ? before : { top, kind, signed: exact.signed };
}

/** The largest value, the median of those above zero, infinite where there are few, and these, ascending. */
function reach({ numbers, signed, share }: MapNumbers): {
  readonly top: number;
  readonly median: number;
  readonly positive: Float32Array;
} {
  const sizes = signed ? numbers.map(Math.abs) : numbers;
  const positive = sizes.filter((value) => value > 0 && Number.isFinite(value)).sort();
  const largest = positive[positive.length - 1] ?? 0;
  const median = positive[positive.length >> 1] ?? 0;
  return {
    top: share ? Math.min(1, largest) : largest,
    median: positive.length < LEAST_COUNT ? Number.POSITIVE_INFINITY : median,
    positive,
  };
}

/** Position of a value on the scale, 0 to 1; unless signed, values below zero (estimates scatter) stand at 0. */
export function place(scale: Scale, value: number, level?: number): number {
  const own = scale.levels?.[level ?? -1] ?? scale;
  const { top, signed } = own;
  const size = top === 0 ? 0 : Math.min(1, placeOfSize(own, Math.abs(value)));
  if (signed) return 0.5 + (value < 0 ? -size : size) / 2;
  return value > 0 ? size : 0;
}

function placeOfSize({ top, kind, ranks = [] }: Scale, size: number): number {
  const share = size / top;
  if (kind === "rank") return between(ranks, size, 0);
  if (kind === "log") return share > 0 ? Math.max(0, 1 + Math.log10(share) / DECADES) : 0;
  return kind === "root" ? Math.sqrt(share) : share;
}

/** The value that stands at a position: the inverse of `place`, for the ticks of the colour bar. */
export function valueAt({ top, kind, signed, ranks = [] }: Scale, position: number): number {
  const at = signed ? 2 * position - 1 : position;
  const size = Math.abs(at);
  const sign = at < 0 ? -1 : 1;
  if (kind === "rank") return sign * between(ranks, size, 1);
  if (kind === "log") return signed && size === 0 ? 0 : sign * top * 10 ** (DECADES * (size - 1));
  return sign * top * (kind === "root" ? size * size : size);
}

/** What lies between pairs at a number on their side `from`, on straight lines; the ends beyond them. */
function between(pairs: readonly (readonly [number, number])[], at: number, from: 0 | 1): number {
  const to = from === 0 ? 1 : 0;
  let [low, high] = [0, pairs.length - 1];
  if (high < 0) return 0;
  if (at >= (pairs[high]?.[from] ?? 0)) return pairs[high]?.[to] ?? 0;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((pairs[middle]?.[from] ?? 0) <= at) low = middle;
    else high = middle;
  }
  const [a, b] = [pairs[low] ?? [0, 0], pairs[high] ?? [0, 0]];
  const part = (at - a[from]) / (b[from] - a[from]);
  return a[to] + part * (b[to] - a[to]);
}

const KIND_WORDS = {
  linear: "",
  root: " (square-root scale)",
  log: " (log scale)",
  rank: " (rank scale: equally many in every colour)",
};

/** How values become colours, in words; nothing where they do so plainly. */
export function scaleWords({ kind, levels }: Scale): string {
  // Left to themselves levels may differ.
  const kinds = new Set(levels?.map((level) => level.kind));
  const shown = levels === undefined ? kind : kinds.size === 1 ? ([...kinds][0] ?? kind) : "linear";
  const mixed = kinds.size > 1 ? " (square-root scale where few cells hold most)" : KIND_WORDS[shown];
  return levels === undefined ? mixed : `${mixed}, each level by its own largest value`;
}
