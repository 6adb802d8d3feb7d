/** Draws a retention curve: its axes, its lines, where the decision holds, and where the slider stands. */
import type { RetentionFrame, RetentionLine } from "../frame/retention";
import { type Axis, percentOf, roundTicks, tickWords } from "../picture/axis";
import { type CurveValue, placeOfShare, shareTicks, shareWords } from "../picture/retention";
import { svg } from "./svg";

/** Room around the plot for the numbers of the axes, in CSS pixels. */
export const MARGIN = { left: 32, right: 18, top: 6, bottom: 16 };

/** Characters of a subject on the chart. */
const LONGEST_TITLE = 32;
/** CSS pixels between two ticks from which on the axis says what its shares are of. */
const ROOMY = 125;

export interface ChartState {
  readonly curve: RetentionFrame;
  readonly shares: Float64Array;
  /** CSS pixels */
  readonly width: number;
  readonly height: number;
  /** how many cells the slider keeps; null where it stands nowhere */
  readonly count: number | null;
  readonly value: CurveValue | null;
}

/** The numbers that the chart must hold. */
export function chartRange({ lines, original }: RetentionFrame): Axis {
  const scores = [original, ...lines.flatMap((line) => [...line.scores])].filter(Number.isFinite);
  return { low: Math.min(0, ...scores), high: Math.max(0, ...scores) };
}

/** The chart, anew. */
export function drawRetention(state: ChartState): SVGElement[] {
  const { curve, shares, width, height } = state;
  const range = chartRange(curve);
  const low = shares[1] ?? 1;
  const x = (share: number): number =>
    MARGIN.left + placeOfShare(low, share) * (width - MARGIN.left - MARGIN.right);
  const y = (score: number): number =>
    height - MARGIN.bottom - (percentOf(range, score) / 100) * (height - MARGIN.top - MARGIN.bottom);
  return [
    ...holding(state, x),
    ...verticalAxis(range, width, y),
    ...horizontalAxis(low, state, x),
    ...[...curve.lines].reverse().flatMap((line) => drawLine(line, x, y)),
    svg("text", { x: MARGIN.left + 4, y: MARGIN.top + 9 }, titleWords(curve)),
    ...cursor(state, x, y),
  ];
}

/** What the scores are of, short enough to stand in the corner where curves are low. */
function titleWords({ subject, unit }: RetentionFrame): string {
  const short = subject.length > LONGEST_TITLE ? `${subject.slice(0, LONGEST_TITLE - 1)}…` : subject;
  return unit === "" ? short : `${unit.split(",")[0]} of ${short}`;
}

function holding({ curve, shares, height }: ChartState, x: (share: number) => number): SVGElement[] {
  if (curve.depth === null) return [];
  const from = x(shares[Math.max(1, curve.depth)] ?? 1);
  const box = { y: MARGIN.top, height: height - MARGIN.top - MARGIN.bottom };
  return [
    svg("rect", { class: "wcam-holds", x: from, width: x(1) - from, ...box }),
    svg("line", { class: "wcam-depth", x1: from, x2: from, y1: box.y, y2: box.y + box.height }),
  ];
}

function verticalAxis(range: Axis, width: number, y: (score: number) => number): SVGElement[] {
  const ticks = roundTicks(range);
  const step = (ticks[1] ?? 1) - (ticks[0] ?? 0);
  return ticks.flatMap((tick) => [
    svg("line", { class: "wcam-grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: y(tick), y2: y(tick) }),
    svg("text", { x: MARGIN.left - 4, y: y(tick) + 3, "text-anchor": "end" }, tickWords(tick, step)),
  ]);
}

function horizontalAxis(low: number, { height }: ChartState, x: (share: number) => number): SVGElement[] {
  const base = height - MARGIN.bottom;
  const ticks = shareTicks(low);
  return ticks.flatMap((tick, at) => {
    const titled = at === 0 && x(ticks[1] ?? tick) - x(tick) >= ROOMY;
    const words = titled ? `${shareWords(tick)} of coefficients` : shareWords(tick);
    return [
      svg("line", { class: "wcam-tick", x1: x(tick), x2: x(tick), y1: base, y2: base + 3 }),
      svg("text", { x: x(tick), y: height - 3, "text-anchor": titled ? "start" : "middle" }, words),
    ];
  });
}

function drawLine(
  line: RetentionLine,
  x: (share: number) => number,
  y: (score: number) => number,
): SVGElement[] {
  const points = line.counts.flatMap((count, at) => {
    const [share, score] = [line.shares[at] ?? 0, line.scores[at] ?? Number.NaN];
    return count > 0 && Number.isFinite(score) ? [[x(share), y(score)] as const] : [];
  });
  if (points.length === 0) return [];
  const path = svg("path", {
    class: "wcam-line",
    "data-line": line.name,
    d: `M${points.map(([left, top]) => `${left.toFixed(1)} ${top.toFixed(1)}`).join("L")}`,
  });
  return [path];
}

function cursor(
  { height, count, value, shares }: ChartState,
  x: (share: number) => number,
  y: (score: number) => number,
): SVGElement[] {
  if (count === null) return [];
  const at = x(shares[count] ?? 1);
  const line = svg("line", {
    class: "wcam-cursor",
    x1: at,
    x2: at,
    y1: MARGIN.top,
    y2: height - MARGIN.bottom,
  });
  if (value === null || !Number.isFinite(value.score)) return [line];
  return [
    line,
    svg("circle", {
      class: "wcam-knob",
      "data-exact": String(value.exact),
      cx: at,
      cy: y(value.score),
      r: 5,
    }),
  ];
}
