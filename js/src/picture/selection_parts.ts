/** A selection taken apart into pieces that have a name. */
import type { Band } from "../frame/picture";
import { bandOf, type CellTable, cellRectangle, cellsOfBand } from "./geometry";
import { bandLabel, ofPart } from "./words";

/** One part of a selection: some or all cells of one band, or all of a level. */
export interface SelectionPart {
  readonly label: string;
  readonly cells: readonly number[];
  readonly complete: boolean;
}

/** A selection band by band, coarse to fine; a level, or a part's level, that is selected completely is named once. */
export function selectionParts(table: CellTable, selection: Iterable<number>): SelectionPart[] {
  const chosen: number[][] = table.bands.map(() => []);
  for (const cell of selection) chosen[bandOf(table, cell)]?.push(cell);
  const counts = table.bands.map(() => 0);
  for (let cell = 0; cell < table.cellCount; cell++) {
    const band = bandOf(table, cell);
    counts[band] = (counts[band] ?? 0) + 1;
  }
  const isComplete = (at: number): boolean => chosen[at]?.length === counts[at];
  const parts: SelectionPart[] = [];
  const covered = new Set<number>();
  table.bands.forEach((band, at) => {
    if (covered.has(at)) return;
    const group = groupsOf(table, band).find(([, own]) => own.length > 1 && own.every(isComplete));
    if (group) {
      const [label, own] = group;
      for (const each of own) covered.add(each);
      parts.push({ label, cells: own.flatMap((each) => chosen[each] ?? []), complete: true });
      return;
    }
    const cells = chosen[at] ?? [];
    if (cells.length > 0) parts.push({ label: bandLabel(band), cells, complete: isComplete(at) });
  });
  return parts;
}

/** The level of a band of details with its bands, and what of it is in the same part of the colour. */
function groupsOf(table: CellTable, band: Band): (readonly [string, readonly number[]])[] {
  if (!isDetail(band)) return [];
  const level = `level ${band.level}`;
  const details = table.bands.flatMap((each, at) =>
    each.level === band.level && isDetail(each) ? [at] : [],
  );
  const ofSamePart = details.filter((at) => table.bands[at]?.part === band.part);
  return [
    [level, details],
    [ofPart(band, level), ofSamePart],
  ];
}

function isDetail(band: Band): boolean {
  return band.level > 0 && band.orientation !== "A";
}

/** "HL2: 6 cells; level 3: all". */
export function selectionWords(table: CellTable, selection: Iterable<number>): string {
  const parts = selectionParts(table, selection);
  if (parts.length === 0) return "nothing";
  return parts
    .map(({ label, cells, complete }) => `${label}: ${complete ? "all" : countWords(cells)}`)
    .join("; ");
}

/** A part in a few words: "HL2, rows 3–5", "HL2, row 3, column 4", "HL2: 6 cells", "level 3: all". */
export function partWords(table: CellTable, { label, cells, complete }: SelectionPart): string {
  if (complete) return `${label}: all`;
  const place = rectangleWords(table, cells);
  return place === null ? `${label}: ${countWords(cells)}` : `${label}, ${place}`;
}

function countWords({ length }: readonly number[]): string {
  return length === 1 ? "1 cell" : `${length} cells`;
}

/** Rows and columns, counted from 1, of cells that fill a rectangle of their band; null where they do not. */
function rectangleWords(table: CellTable, cells: readonly number[]): string | null {
  const [ownTops, ownLefts] = [gridLines(table, cells, "top"), gridLines(table, cells, "left")];
  if (ownTops.length * ownLefts.length !== cells.length) return null;
  const band = cellsOfBand(table, bandOf(table, cells[0] ?? 0));
  const [tops, lefts] = [gridLines(table, band, "top"), gridLines(table, band, "left")];
  if (tops.length * lefts.length !== band.length) return null; // cells of several sizes have no rows
  const [rows, columns] = [placesAmong(tops, ownTops), placesAmong(lefts, ownLefts)];
  const [down, across] = [spanWords(rows, "row"), spanWords(columns, "column")];
  if (down === null || across === null) return null;
  if (columns.length === lefts.length) return down;
  return rows.length === tops.length ? across : `${down}, ${across}`;
}

type Side = "top" | "left";

/** Where the cells begin, each place once, ascending. */
function gridLines(table: CellTable, cells: readonly number[], side: Side): number[] {
  return [...new Set(cells.map((cell) => cellRectangle(table, cell)[side]))].sort((a, b) => a - b);
}

/** Which of the lines some of them are, counted from 1. */
function placesAmong(lines: readonly number[], some: readonly number[]): number[] {
  return some.map((line) => lines.indexOf(line) + 1);
}

/** "row 3", "rows 3–5"; null where there is a gap. */
function spanWords(places: readonly number[], name: string): string | null {
  const [first = 0, last = 0] = [places[0], places[places.length - 1]];
  if (last - first + 1 !== places.length) return null;
  return first === last ? `${name} ${first}` : `${name}s ${first}–${last}`;
}
