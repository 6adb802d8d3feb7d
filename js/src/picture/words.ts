/** Texts of the widget: bands, values, places, selections and states, as pure functions. */

import { KIND } from "../frame/attribution";
import type { Band } from "../frame/picture";
import { type CellTable, supportRectangle } from "./geometry";

const FILTERS: Record<string, string> = {
  A: "the coarse image: what is left when every detail is taken away",
  LH: "detail along y (horizontal edges)",
  HL: "detail along x (vertical edges)",
  HH: "diagonal detail",
};

const PARTS: Record<string, string> = {
  Y: "luminance",
  C: "colour beside luminance",
  R: "red",
  G: "green",
  B: "blue",
};

const KINDS = [
  "estimated",
  "bounded: an estimate between its bounds",
  "not resolved",
  "pooled: estimated from rows of cells like it, and few of its own",
  "differs for certain",
  "may be chance",
];

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** "HL3", "A3", "pixels", as Python selects them; before them the part of the colour, if there is one: "Y HL3". */
export function bandLabel(band: Band): string {
  return ofPart(band, band.level === 0 ? "pixels" : `${band.orientation}${band.level}`);
}

/** What a band is, in plain words for a small place: "coarse image", "8–16 px". */
export function plainWords(band: Band): string {
  if (band.level === 0) return "";
  return band.orientation === "A" ? "coarse image" : structureWords(band.level);
}

/** The size of what the details of a level describe: "8–16 px". */
export function structureWords(level: number): string {
  return `${2 ** level}–${2 ** (level + 1)} px`;
}

/** A name with the part of the colour before it, if there is one. */
export function ofPart({ part }: Band, label: string): string {
  return part === "" ? label : `${part} ${label}`;
}

/** What the filter of a band looks for, how large, and in which part of the colour. */
export function filterWords(band: Band): string {
  const filter = FILTERS[band.orientation] ?? band.orientation;
  const words = band.orientation === "A" ? filter : `${filter}, ${structureWords(band.level)}`;
  const description = band.level === 0 ? "the image's own pixels" : words;
  return band.part === "" ? description : `${PARTS[band.part] ?? band.part}, ${description}`;
}

export function kindWords(kind: number): string {
  return KINDS[kind] ?? "of unknown kind";
}

/**
 * A number with the decimals that show three significant figures of `like`, so that numbers which stand together
 * read alike; with a power of ten where `like` lies outside 0.001 to 99999; "<0.001" where nothing would be left.
 */
export function formatValue(value: number, like = value): string {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const exponent = Math.floor(Math.log10(Math.abs(like === 0 ? value : like)));
  const sign = value < 0 ? "−" : "";
  if (exponent >= -3 && exponent < 5) {
    const decimals = Math.max(0, 2 - exponent);
    const text = Math.abs(value).toFixed(decimals);
    if (Number(text) > 0) return sign + text;
    return `${value < 0 ? ">" : "<"}${sign}${(10 ** -decimals).toFixed(decimals)}`;
  }
  const raised = [...String(exponent)].map((c) => (c === "-" ? "⁻" : (SUPERSCRIPTS[Number(c)] ?? c)));
  return `${sign}${(Math.abs(value) / 10 ** exponent).toFixed(2)} × 10${raised.join("")}`;
}

/** Decimals of a score like this one: two, fewer from 100 on, more where it is so small that two would be 0. */
export function scoreDecimals(like: number): number {
  const size = Math.abs(like);
  if (!Number.isFinite(size) || size === 0) return 2;
  if (size >= 100) return size >= 1000 ? 0 : 1;
  return size >= 0.01 ? 2 : Math.min(20, 1 - Math.floor(Math.log10(size)));
}

/** A score, or the probability of a class, as it is written everywhere; summary.py has the same rule. */
export function formatScore(value: number, decimals = scoreDecimals(value)): string {
  return Number.isFinite(value) ? value.toFixed(decimals).replace("-", "−") : "–";
}

/** A unit as it stands under a colour bar, without the name of the index, which the profile has. */
export function unitOnly(unit: string): string {
  return unit.replace(/, total$/, "");
}

/** What a number over the image belongs to: "per cell of 28 × 28 px". */
export function areaWords([height, width]: readonly [number, number]): string {
  const [rows, columns] = [Math.floor(height + 0.5), Math.floor(width + 0.5)];
  return rows * columns === 1 ? "per pixel" : `per cell of ${rows} × ${columns} px`;
}

/** ", all scales summed", or which of them; nothing where there is one. */
export function summedWords(all: readonly { readonly name: string }[], ticked: typeof all): string {
  if (all.length < 2) return "";
  if (ticked.length === all.length) return ", all scales summed";
  const names = ticked.map((level) => level.name);
  return `, ${names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names[0]} only`;
}

/** A change with its sign, zero without one. */
export function formatChange(change: number, decimals: number): string {
  const text = Math.abs(change).toFixed(decimals);
  if (Number(text) === 0) return text;
  return (change < 0 ? "−" : "+") + text;
}

export function formatPercent(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 1) return "< 1 %";
  if (percent > 99 && percent < 100) return "> 99 %";
  return `${Math.round(percent)} %`;
}

/** "0.4 s", "9 s", "2 min 05 s". */
export function formatSeconds(seconds: number): string {
  if (seconds > 0 && seconds < 0.95) return `${Math.max(0.1, seconds).toFixed(1)} s`;
  const rounded = Math.max(0, Math.round(seconds));
  if (rounded < 60) return `${rounded} s`;
  return `${Math.floor(rounded / 60)} min ${String(rounded % 60).padStart(2, "0")} s`;
}

/** "rows 32 to 47, columns 0 to 15": the support of a cell in pixels, both ends included. */
export function placeWords(table: CellTable, cell: number): string {
  const { top, left, bottom, right } = supportRectangle(table, cell);
  return `rows ${span(top, bottom)}, columns ${span(left, right)}`;
}

function span(start: number, end: number): string {
  return `${Math.floor(start)} to ${Math.max(Math.floor(start), Math.ceil(end) - 1)}`;
}

/** A selection as a line of Python that sets it again; long runs become ranges. */
export function selectionPython(selection: readonly number[], mode: string): string {
  const parts: string[] = [];
  let at = 0;
  while (at < selection.length) {
    const start = selection[at] ?? 0;
    let end = at;
    while (selection[end + 1] === (selection[end] ?? 0) + 1) end++;
    const run = selection.slice(at, end + 1);
    parts.push(run.length > 3 ? `*range(${start}, ${start + run.length})` : run.join(", "));
    at = end + 1;
  }
  return `explorer.selection, explorer.mode = [${parts.join(", ")}], "${mode === "remove" ? "remove" : "keep"}"`;
}

const BOUNDED = "bounded: the value is an estimate between bounds";

/** What the marks on the cells mean, naming those kinds that occur. */
export function kindLegend(kinds: Uint8Array | null): string {
  if (kinds === null || kinds.length === 0) return "";
  if (kinds.includes(KIND.certain)) return "□ differs for certain, others may be chance";
  if (kinds.includes(KIND.open)) return "no cell differs for certain";
  const [bounded, unresolved] = [KIND.bounded, KIND.unresolved].map((kind) => kinds.includes(kind));
  const estimated = kinds.includes(KIND.estimated) || kinds.includes(KIND.pooled);
  const parts: string[] = [];
  if (unresolved) parts.push("○ not resolved");
  if (bounded && estimated) parts.push(`/ ${BOUNDED}`);
  else if (bounded)
    parts.push(unresolved ? `the others are ${BOUNDED}` : "every value is an estimate between bounds");
  return parts.join(" · ");
}
