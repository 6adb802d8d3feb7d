/** What is known of a cell, beside the pointer and in one sentence for the screen reader. */
import type { AttributionFrame } from "../frame/attribution";
import { element, setText } from "./dom";
import { bandOf, type CellTable } from "./geometry";
import { bandLabel, filterWords, formatValue, kindWords, placeWords } from "./words";

/** The facts about a cell, line by line; the first names it. */
export function cellFacts(table: CellTable, attribution: AttributionFrame | null, cell: number): string[] {
  const band = table.bands[bandOf(table, cell)];
  if (!band) return [];
  const step = 2 ** band.level;
  const size = step === 1 ? "1 pixel per coefficient" : `${step} × ${step} pixels per coefficient`;
  const support = table.support.subarray(cell * 4, cell * 4 + 4);
  const [top = 0, left = 0, bottom = 0, right = 0] = support;
  const covered = `${Math.round(bottom - top)} × ${Math.round(right - left)} pixels per cell, ${size}`;
  return [
    `${bandLabel(band)}: ${filterWords(band)}`,
    `image ${placeWords(table, cell)}`,
    covered,
    valueWords(attribution, cell),
  ];
}

function valueWords(attribution: AttributionFrame | null, cell: number): string {
  const value = attribution?.values[cell] ?? Number.NaN;
  if (attribution === null || Number.isNaN(value)) return "no value yet";
  const low = attribution.low[cell] ?? Number.NaN;
  const high = attribution.high[cell] ?? Number.NaN;
  const known = Number.isFinite(low) && Number.isFinite(high);
  const kind = kindWords(attribution.kind[cell] ?? -1);
  if (!known) return `${formatValue(value)}, ${kind}`;
  return `${formatValue(value, high)} (${formatValue(low, high)} to ${formatValue(high)}), ${kind}`;
}

/** A box that follows the pointer over a plate and stays inside it. */
export class Tooltip {
  readonly element = element("div", {
    class: "wcam-tooltip",
    role: "tooltip",
    "data-wcam": "tooltip",
    hidden: true,
  });

  hide(): void {
    this.element.hidden = true;
  }

  /** Shows the lines beside a place, given as fractions of the plate. */
  show(lines: readonly string[], place: { readonly y: number; readonly x: number }): void {
    while (this.element.childElementCount < lines.length) this.element.append(element("p"));
    [...this.element.children].forEach((line, at) => {
      setText(line, lines[at] ?? "");
    });
    this.element.hidden = false;
    const { style, offsetWidth: width, parentElement: plate } = this.element;
    const room = Math.max(0, (plate?.clientWidth ?? 0) - width);
    // Above or below the pointer, so that it may slide sideways to stay inside the plate.
    style.left = `${Math.min(room, place.x * (plate?.clientWidth ?? 0) + 16)}px`;
    style.top = place.y < 0.5 ? `calc(${place.y * 100}% + 16px)` : "auto";
    style.bottom = place.y < 0.5 ? "auto" : `calc(${(1 - place.y) * 100}% + 16px)`;
  }
}
