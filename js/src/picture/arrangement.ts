/**
 * The bands side by side at one size: the coarse image, larger, on top or to the left, and a row of details for each
 * level, coarse to fine. In the transform's own layout each level has a quarter of the room of the next finer one, so that
 * what matters most is the hardest to see.
 *
 * The arrangement is a table of cells like that of a picture, in a plane of its own: what draws, points at and walks
 * through the one does so in the other.
 */
import { type Band, CELL_FIELDS, NO_CELL, partsOf } from "../frame/picture";
import { bandOf, type CellTable, cellRectangle } from "./geometry";

/** The coarse image is drawn so many times as large as a band of details. */
const COARSE = 1.25;
/** Of the width of a band: the strip above it, where its name stands, and the gap beside it. */
const STRIP = 0.125;
const GAP = 0.035;
/** Steps of the plane along the longer side of a band: fewer would move cells, more would only take memory. */
const MOST_STEPS = 512;

/** Where the coarse image stands: above the details, or to their left, which is as wide as high. */
export type CoarsePlace = "above" | "left";

/** Where the bands of a picture stand at one size. A picture of one band is its own arrangement. */
export function sideBySide(table: CellTable, place: CoarsePlace = "above"): CellTable {
  const { bands } = table;
  if (bands.every((band) => band.level === 0)) return table;
  const unit = stepsOf(bands);
  const [strip, gap] = [Math.round(STRIP * unit.width), Math.round(GAP * unit.width)];
  const places: Band[] = [...bands];
  let [left, bottom] = [0, 0];
  const large = { height: Math.round(COARSE * unit.height), width: Math.round(COARSE * unit.width) };
  const [down, across] = place === "left" ? [0, large.width + strip] : [large.height + strip, 0];
  for (const part of partsOf(bands)) {
    part.forEach((band, at) => {
      const [row, column] = [Math.floor((at - 1) / 3), (at - 1) % 3];
      const detail = {
        top: strip + down + row * (unit.height + strip),
        left: left + across + column * (unit.width + gap),
        ...unit,
      };
      const own = band.orientation === "A" ? { top: strip, left, ...large } : detail;
      places[bands.indexOf(band)] = { ...band, ...own };
      bottom = Math.max(bottom, own.top + own.height);
    });
    left += across + 3 * unit.width + 2 * gap + strip;
  }
  return tableOf(table, places, bottom, left - strip);
}

/** The strip above a band, in the plane's own steps. */
export function stripOf(table: CellTable): number {
  return Math.round(STRIP * stepsOf(table.bands).width);
}

/** The size of a band of details in the plane: that of the finest one, unless it is very fine. */
function stepsOf(bands: readonly Band[]): { readonly height: number; readonly width: number } {
  const [height, width] = [Math.max(...bands.map((b) => b.height)), Math.max(...bands.map((b) => b.width))];
  const shrink = Math.max(1, Math.max(height, width) / MOST_STEPS);
  return { height: Math.max(1, Math.round(height / shrink)), width: Math.max(1, Math.round(width / shrink)) };
}

function tableOf(table: CellTable, bands: readonly Band[], height: number, width: number): CellTable {
  const cells = new Int32Array(table.cells.length);
  for (let cell = 0; cell < table.cellCount; cell++) {
    const number = bandOf(table, cell);
    const [from, to] = [table.bands[number], bands[number]];
    if (!from || !to) continue;
    const own = cellRectangle(table, cell);
    const down = (y: number): number => to.top + Math.round(((y - from.top) * to.height) / from.height);
    const across = (x: number): number => to.left + Math.round(((x - from.left) * to.width) / from.width);
    const [top, left] = [down(own.top), across(own.left)];
    cells.set([number, top, left, down(own.bottom) - top, across(own.right) - left], cell * CELL_FIELDS);
  }
  const made = { ...table, bands, cells, pictureHeight: height, pictureWidth: width };
  let index: Int32Array | undefined;
  return {
    ...made,
    index: () => {
      index ??= painted(made);
      return index;
    },
  };
}

/** For every step of the plane its cell. */
function painted(table: Omit<CellTable, "index">): Int32Array {
  const { cells, cellCount, pictureHeight: height, pictureWidth: width } = table;
  const index = new Int32Array(height * width).fill(NO_CELL);
  for (let cell = 0; cell < cellCount; cell++) {
    const [, top = 0, left = 0, rows = 0, columns = 0] = cells.subarray(cell * CELL_FIELDS);
    for (let y = top; y < top + rows; y++) {
      index.fill(cell, y * width + left, y * width + left + columns);
    }
  }
  return index;
}
