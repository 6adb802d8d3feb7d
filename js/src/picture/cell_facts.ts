/** What is known of a cell, in words: for the tooltip, and in one sentence for the screen reader. */
import type { AttributionFrame } from "../frame/attribution";
import { bandOf, type CellTable, supportRectangle } from "./geometry";
import { bandLabel, filterWords, formatValue, kindWords, placeWords } from "./words";

/** The facts about a cell, line by line; the first names it. Values have the digits of `like`. */
export function cellFacts(
  table: CellTable,
  attribution: AttributionFrame | null,
  cell: number,
  like: number | null = null,
): string[] {
  const band = table.bands[bandOf(table, cell)];
  if (!band) return [];
  const { top, left, bottom, right } = supportRectangle(table, cell);
  const size = `${Math.round(bottom - top)} × ${Math.round(right - left)} pixels per cell`;
  return [
    band.level === 0 && band.part === "" ? filterWords(band) : `${bandLabel(band)}: ${filterWords(band)}`,
    valueWords(attribution, cell, like),
    `image ${placeWords(table, cell)}: ${size}`,
  ];
}

function valueWords(attribution: AttributionFrame | null, cell: number, like: number | null): string {
  const value = attribution?.values[cell] ?? Number.NaN;
  if (attribution === null || Number.isNaN(value)) return "no value yet";
  const low = attribution.low[cell] ?? Number.NaN;
  const high = attribution.high[cell] ?? Number.NaN;
  const kind = kindWords(attribution.kind[cell] ?? -1);
  const digits = like ?? (Number.isFinite(high) ? high : value);
  const interval =
    Number.isFinite(low) && Number.isFinite(high)
      ? ` (${formatValue(low, digits)} to ${formatValue(high, digits)})`
      : "";
  return `${formatValue(value, digits)}${interval}, ${kind}`;
}
