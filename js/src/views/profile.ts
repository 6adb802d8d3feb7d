/** The scale profile: one bar per band, grouped by level, with its interval and its Shapley effect. */
import type { AttributionFrame } from "../frame/attribution";
import type { Picture } from "../frame/picture";
import type { ViewContext } from "./context";
import { element, pane, setText } from "./dom";
import { bandOf, cellsOfBand } from "./geometry";
import { bandLabel, formatValue } from "./words";

interface Bar {
  readonly band: number;
  readonly button: HTMLButtonElement;
  readonly total: HTMLElement;
  readonly whisker: HTMLElement;
  readonly shapley: HTMLElement;
  readonly number: HTMLElement;
}

const TICKS = [0, 0.5, 1];

export function profilePane(context: ViewContext): HTMLElement {
  const { session, bind } = context;
  const axis = element("div", { class: "wcam-axis", "aria-hidden": "true" });
  const groups = element("div", { class: "wcam-groups" });
  const legend = element("p", { class: "wcam-note", "data-wcam": "profile-legend" });
  const chart = element("div", { class: "wcam-profile", "data-wcam": "profile" }, axis, groups);
  let bars: Bar[] = [];
  bind(() => {
    const picture = session.picture.value;
    bars = picture ? makeBars(context, picture) : [];
    groups.replaceChildren(...(picture ? groupByLevel(picture, bars) : []));
  });
  bind(() => {
    const [picture, attribution] = [session.picture.value, session.attribution.value];
    const top = topOf(attribution);
    drawAxis(axis, top);
    for (const bar of bars) if (picture) updateBar(bar, picture, attribution, top);
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
  return pane("profile", "Scale profile", chart, legend);
}

function makeBars(context: ViewContext, picture: Picture): Bar[] {
  return picture.bands.map((band, at) => {
    const [total, whisker, shapley] = ["total", "whisker", "shapley"].map((name) =>
      element("b", { class: `wcam-${name}` }),
    ) as [HTMLElement, HTMLElement, HTMLElement];
    const number = element("em");
    const button = element(
      "button",
      { type: "button", class: "wcam-bar", "data-wcam": "profile-bar", "data-band": band.name },
      element("i", {}, total, whisker, shapley),
      number,
      element("span", {}, band.level === 0 ? "pixels" : band.orientation),
    );
    bindBar(context, button, picture, at);
    return { band: at, button, total, whisker, shapley, number };
  });
}

function bindBar(context: ViewContext, button: HTMLElement, picture: Picture, band: number): void {
  const { session, scope, hover } = context;
  const cells = cellsOfBand(picture, band);
  const light = (): void => {
    hover.value = { cells, from: "profile" };
  };
  const leave = (): void => {
    hover.value = null;
  };
  scope.listen(button, "click", () => session.selection.toggle(cells));
  scope.listen(button, "pointerenter", light);
  scope.listen(button, "focus", light);
  scope.listen(button, "pointerleave", leave);
  scope.listen(button, "blur", leave);
}

/** The bars of one level side by side over the level's name. */
function groupByLevel(picture: Picture, bars: readonly Bar[]): HTMLElement[] {
  const levels = [...new Set(picture.bands.map((band) => band.level))];
  return levels.map((level) => {
    const own = bars.filter((bar) => picture.bands[bar.band]?.level === level);
    const name = level === 0 ? "" : `level ${level}`;
    const group = element("div", { class: "wcam-group", role: "group", "aria-label": name });
    const row = element("div", { class: "wcam-bars" }, ...own.map((bar) => bar.button));
    group.append(row, element("span", {}, name));
    group.style.flex = `${own.length} 1 0`;
    return group;
  });
}

/** The largest number the chart must hold. */
function topOf(attribution: AttributionFrame | null): number {
  if (attribution === null) return 0;
  const { total, high, shapley } = attribution.profile;
  return Math.max(0, ...[...total, ...high, ...shapley].filter(Number.isFinite));
}

function drawAxis(axis: HTMLElement, top: number): void {
  const labels = TICKS.map((tick) => {
    const label = element("span", {}, top === 0 ? (tick === 0 ? "0" : "") : formatValue(top * tick, top));
    label.style.bottom = `${tick * 100}%`;
    return label;
  });
  axis.replaceChildren(...labels);
}

function updateBar(bar: Bar, picture: Picture, attribution: AttributionFrame | null, top: number): void {
  const band = picture.bands[bar.band];
  const read = (name: "total" | "low" | "high" | "shapley"): number =>
    attribution?.profile[name][bar.band] ?? Number.NaN;
  const height = (value: number): string =>
    `${top > 0 && value > 0 ? Math.min(100, (100 * value) / top) : 0}%`;
  const [total, low, high, shapley] = [read("total"), read("low"), read("high"), read("shapley")];
  const hasInterval = Number.isFinite(low) && Number.isFinite(high);
  bar.total.style.height = height(total);
  bar.shapley.style.height = height(shapley);
  bar.whisker.hidden = !hasInterval;
  bar.whisker.style.bottom = height(low);
  bar.whisker.style.height = height(high - Math.max(0, low));
  bar.number.style.bottom = `calc(24px + (100% - 40px) * ${parseFloat(height(hasInterval ? high : total)) / 100})`;
  setText(bar.number, Number.isFinite(total) ? formatValue(total) : "");
  const interval = hasInterval ? `, ${formatValue(low, high)} to ${formatValue(high)}` : "";
  const effect = Number.isFinite(shapley) ? `, Shapley effect ${formatValue(shapley)}` : "";
  const name = band ? bandLabel(band) : "";
  const words = Number.isFinite(total) ? `${formatValue(total)}${interval}${effect}` : "no value yet";
  bar.button.title = `${name}: ${words}`;
  bar.button.setAttribute("aria-label", `${name}: ${words}. Toggles the band`);
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
  const bar = element("i", { class: "wcam-swatch" });
  const mark = element("i", { class: "wcam-swatch wcam-swatch-shapley" });
  const hasInterval = attribution.profile.high.some(Number.isFinite);
  const total = `${attribution.profile.statistic}${hasInterval ? ", whiskers: its interval" : ""}`;
  const entries = [element("span", { class: "wcam-entry" }, bar, total)];
  if (attribution.profile.shapley.some(Number.isFinite)) {
    entries.push(element("span", { class: "wcam-entry" }, mark, "Shapley effect (all add to 1)"));
  }
  legend.replaceChildren(...entries);
}
