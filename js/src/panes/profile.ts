/** The scale profile: one bar per band, grouped by level, with its interval and its Shapley effect. */

import { element, setText } from "../draw/dom";
import { type AttributionFrame, isDifference } from "../frame/attribution";
import type { Band, Picture } from "../frame/picture";
import { isShare, isShareDifference } from "../frame/shares";
import { type Axis, barWords, percentOf, rangeOf, roundTicks, tickWords } from "../picture/axis";
import { fingerprint, type ImagePoint } from "../picture/fingerprint";
import { bandOf, cellsOfBand } from "../picture/geometry";
import { levelsOf } from "../picture/levels";
import { place, type Scale } from "../picture/scale";
import { bandLabel, formatValue, structureWords } from "../picture/words";
import { computed, type ReadonlySignal } from "../reactive/signal";
import type { ViewContext } from "./context";
import { pane } from "./pane";

interface Bar {
  readonly band: number;
  readonly button: HTMLButtonElement;
  readonly total: HTMLElement;
  readonly whisker: HTMLElement;
  readonly shapley: HTMLElement;
  readonly number: HTMLElement;
  /** the cell over the point under attention, on the scale of its colour */
  readonly point: HTMLElement;
}

/** Characters that there is always room for beside the axis. */
const LEAST_AXIS = 3;
/** How many of the bands over a point are named. */
const MOST_NAMED = 3;
/** Beyond so many characters numbers over the bars would run into each other. */
const LONGEST_NUMBER = 6;
/** Beyond so many bars the number of a bar shows when the pointer or the keyboard is on it. */
const MOST_NUMBERED = 16;

export function profilePane(context: ViewContext, cells: ReadonlySignal<Scale>): HTMLElement {
  const { session, bind } = context;
  const axis = element("div", { class: "wcam-axis", "aria-hidden": "true" });
  const lines = element("div", { class: "wcam-lines", "aria-hidden": "true" });
  const groups = element("div", { class: "wcam-groups" });
  const legend = element("p", { class: "wcam-note", wcam: "profile-legend" });
  const point = element("p", {
    class: "wcam-note wcam-point-words",
    wcam: "fingerprint",
    hidden: true,
  });
  const chart = element(
    "div",
    { class: "wcam-profile", wcam: "profile" },
    axis,
    element("div", { class: "wcam-plot" }, lines, groups),
  );
  let bars: Bar[] = [];
  bind(() => {
    const picture = session.picture.value;
    bars = picture ? makeBars(context, picture) : [];
    groups.replaceChildren(...(picture ? groupByLevel(picture, bars) : []));
  });
  bind(() => {
    const [picture, attribution] = [session.picture.value, session.attribution.value];
    const range = rangeOf(attribution);
    drawAxis(axis, lines, range);
    for (const bar of bars) if (picture) updateBar(bar, picture, attribution, range);
    const longest = Math.max(0, ...bars.map(({ number }) => number.textContent.length));
    groups.dataset["crowded"] = String(bars.length > MOST_NUMBERED || longest > LONGEST_NUMBER);
    fillLegend(legend, attribution);
  });
  bind(() => {
    const [picture, chosen] = [session.picture.value, session.selection.members.value];
    for (const bar of bars) if (picture) markPressed(bar, cellsOfBand(picture, bar.band), chosen);
  });
  bind(() => {
    const hover = context.hover.value;
    const picture = session.picture.peek();
    const cell = hover?.from === "dyadic" ? hover.cells[0] : undefined;
    const lit = picture && cell !== undefined ? bandOf(picture, cell) : undefined;
    for (const bar of bars) bar.button.dataset["lit"] = String(bar.band === lit);
  });
  const print = pointOf(context);
  bind(() => {
    const [now, scale] = [print.value, cells.value];
    const levels = session.levels.all.value;
    for (const bar of bars) {
      const level = levels.findIndex(({ bands }) => bands.includes(bar.band));
      placePoint(bar.point, scale, now?.values[bar.band] ?? Number.NaN, level);
    }
    point.hidden = now === null;
    legend.hidden = now !== null;
    if (now) setText(point, pointWords(now, scale, session.picture.peek()?.bands ?? []));
  });
  return pane("profile", "Scale profile", [], chart, legend, point);
}

function makeBars(context: ViewContext, picture: Picture): Bar[] {
  return picture.bands.map((band, at) => {
    const [total, whisker, shapley] = ["total", "whisker", "shapley"].map((name) =>
      element("b", { class: `wcam-${name}` }),
    ) as [HTMLElement, HTMLElement, HTMLElement];
    const number = element("em");
    const point = element("b", { class: "wcam-point", hidden: true });
    const button = element(
      "button",
      { type: "button", class: "wcam-bar", wcam: "profile-bar", "data-band": band.name },
      element("i", {}, total, whisker, shapley, point),
      element("span", {}, bandLabel(band)),
    );
    bindBar(context, button, picture, at);
    return { band: at, button, total, whisker, shapley, number, point };
  });
}

function bindBar(context: ViewContext, button: HTMLElement, picture: Picture, band: number): void {
  const { session, scope, hover, act } = context;
  const cells = cellsOfBand(picture, band);
  const highlight = (): void => {
    hover.value = { cells, from: "profile" };
  };
  const clear = (): void => {
    hover.value = null;
  };
  scope.listen(button, "click", () => act(() => session.selection.toggle(cells)));
  scope.listen(button, "pointerenter", highlight);
  scope.listen(button, "focus", highlight);
  scope.listen(button, "pointerleave", clear);
  scope.listen(button, "blur", clear);
}

/** The bars of one level side by side over the size of what they describe, the coarse image's apart. */
function groupByLevel({ bands }: Picture, bars: readonly Bar[]): HTMLElement[] {
  return levelsOf(bands).map(({ name, bands: numbers }) => {
    const own = bars.filter((bar) => numbers.includes(bar.band));
    const { level = 0, orientation = "A" } = bands[numbers[0] ?? 0] ?? {};
    const words = level === 0 ? "" : orientation === "A" ? "coarse" : structureWords(level);
    const group = element("div", { class: "wcam-group", role: "group", "aria-label": name });
    const row = element("div", { class: "wcam-bars" }, ...own.map(slotOf));
    group.append(row, element("span", {}, words));
    group.style.flex = `${own.length === 1 ? 1.5 : own.length} 1 0`; // room for its words
    return group;
  });
}

/** A bar under its number; the number stands beside the button, whose accessible name has it in full. */
function slotOf({ button, number }: Bar): HTMLElement {
  const over = element("i", { class: "wcam-numbers", "aria-hidden": "true" }, number);
  return element("div", { class: "wcam-slot" }, button, over);
}

/** A line and a number at zero and at round numbers above it; lines alone until there is a value. */
function drawAxis(axis: HTMLElement, lines: HTMLElement, range: Axis): void {
  const empty = range.high === range.low;
  const shown = empty ? { low: 0, high: 1 } : range;
  const values = roundTicks(shown);
  const step = (values[1] ?? 1) - (values[0] ?? 0);
  const ticks = values.map((value) => {
    const words = empty && value > 0 ? "" : tickWords(value, step);
    const [label, line] = [
      element("span", {}, words),
      element("i", value === 0 ? { class: "wcam-zero" } : {}),
    ];
    label.style.bottom = line.style.bottom = `${percentOf(shown, value)}%`;
    return { label, line };
  });
  axis.replaceChildren(...ticks.map(({ label }) => label));
  const longest = Math.max(...ticks.map(({ label }) => label.textContent.length));
  axis.style.minWidth = `${Math.max(LEAST_AXIS, longest)}ch`;
  lines.replaceChildren(...ticks.map(({ line }) => line));
}

/** Lets a bar placeBar between two numbers of the axis. */
function placeBar(bar: HTMLElement, range: Axis, from: number, to: number): void {
  const [low, high] = [percentOf(range, Math.min(from, to)), percentOf(range, Math.max(from, to))];
  const known = Number.isFinite(from) && Number.isFinite(to);
  bar.hidden = !known;
  bar.style.bottom = `${low}%`;
  bar.style.height = `${known ? high - low : 0}%`;
}

function updateBar(bar: Bar, picture: Picture, attribution: AttributionFrame | null, range: Axis): void {
  const band = picture.bands[bar.band];
  const read = (name: "total" | "low" | "high" | "shapley"): number =>
    attribution?.profile[name][bar.band] ?? Number.NaN;
  const [total, low, high, shapley] = [read("total"), read("low"), read("high"), read("shapley")];
  const hasInterval = low < high; // computed sums are points
  placeBar(bar.total, range, 0, total);
  placeBar(bar.shapley, range, 0, shapley);
  placeBar(bar.whisker, range, hasInterval ? low : Number.NaN, high);
  setText(bar.number, Number.isFinite(total) ? barWords(total, range) : "");
  const interval = hasInterval ? `, ${formatValue(low, high)} to ${formatValue(high)}` : "";
  const effect = Number.isFinite(shapley) ? `, Shapley effect ${formatValue(shapley)}` : "";
  const missing = attribution === null ? "no value yet" : missingWords(attribution);
  const name = band ? bandLabel(band) : "";
  const words = Number.isFinite(total) ? `${formatValue(total)}${interval}${effect}` : missing;
  bar.button.title = `${name}: ${words}`;
  bar.button.setAttribute("aria-label", `${name}: ${words}. Toggles the band`);
}

interface Fingerprint {
  readonly at: ImagePoint;
  readonly values: Float64Array;
}

/** The cells over the point under attention; null while there is none. */
function pointOf({ session, hover }: ViewContext): ReadonlySignal<Fingerprint | null> {
  return computed(() => {
    const [at, picture, map] = [hover.value?.point, session.picture.value, session.attribution.value];
    return at && picture && map ? { at, values: fingerprint(picture, map.values, at) } : null;
  });
}

/** As high as the colour of a value stands on its bar. */
function placePoint(mark: HTMLElement, scale: Scale, value: number, level: number): void {
  mark.hidden = Number.isNaN(value);
  const [from, to] = [place(scale, 0, level), mark.hidden ? 0 : place(scale, value, level)];
  mark.style.bottom = `${100 * Math.min(from, to)}%`;
  mark.style.height = `${100 * Math.abs(to - from)}%`;
}

/** "row 89, column 77: A3 0.148, HL2 0.031, LH2 0.020; outlines: on the scale of the cells' colours, to 0.148". */
export function pointWords(
  { at, values }: Fingerprint,
  { top, levels }: Scale,
  bands: readonly Band[],
): string {
  const largest = bands
    .map((band, number) => ({ name: bandLabel(band), value: values[number] ?? Number.NaN }))
    .filter(({ value }) => !Number.isNaN(value))
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
    .slice(0, MOST_NAMED)
    .map(({ name, value }) => `${name} ${formatValue(value, top)}`);
  const place = `row ${Math.floor(at.y)}, column ${Math.floor(at.x)}`;
  const reach =
    levels === undefined ? `go to ${formatValue(top)}, as colours do` : "are as high as the colours";
  return `${place}: ${largest.join(", ")}; outlines ${reach}`;
}

function markPressed(bar: Bar, cells: readonly number[], chosen: ReadonlySet<number>): void {
  const count = cells.filter((cell) => chosen.has(cell)).length;
  const pressed = count === 0 ? "false" : count === cells.length ? "true" : "mixed";
  bar.button.setAttribute("aria-pressed", pressed);
}

function fillLegend(legend: HTMLElement, attribution: AttributionFrame | null): void {
  if (attribution === null) {
    legend.replaceChildren("no value yet");
    return;
  }
  if (attribution.stop !== "" && attribution.profile.total.every(Number.isNaN)) {
    legend.replaceChildren(`No bars: ${attribution.profile.statistic}. The names above still select bands.`);
    return;
  }
  const bar = element("i", { class: "wcam-swatch" });
  const mark = element("i", { class: "wcam-swatch wcam-swatch-shapley" });
  const { low, high } = attribution.profile;
  const hasInterval = high.some((end, band) => (low[band] ?? Number.NaN) < end);
  const { unit, profile } = attribution;
  const ends = isShare(unit) ? ", cut to 0–1" : isShareDifference(unit) ? ", cut to ±1" : "";
  const { statistic } = profile;
  const short = statistic.split(",")[0]?.replace(" of the band", "") ?? "";
  const total = `${short}${hasInterval ? `, whiskers: interval${ends}` : ""}`;
  const entries = [element("span", { class: "wcam-entry", title: statistic }, bar, total)];
  entries.push(element("span", { class: "wcam-entry" }, mark, shapleyWords(attribution)));
  legend.replaceChildren(...entries);
}

/** What the second bars are, and whether they are missing. */
function shapleyWords(attribution: AttributionFrame): string {
  const { shapley } = attribution.profile;
  const missing = shapley.filter(Number.isNaN).length;
  if (missing === 0) return `Shapley effect (all add to ${isDifference(attribution) ? 0 : 1})`;
  const where = missing === shapley.length ? "" : ` for ${missing} of ${shapley.length} bands`;
  return `Shapley effect: ${missingWords(attribution)}${where}`;
}

function missingWords(attribution: AttributionFrame): string {
  return attribution.stop === "" ? "not measured yet" : "not measured";
}
