/** Draws the picture of bands: cells in the colours of their values, names, kinds and the selection. */
import type { Band } from "../frame/picture";
import { type Colours, entryOf } from "../picture/colormap";
import { type CellTable, contour, type Rectangle, rectangleOf } from "../picture/geometry";
import { bandLabel, plainWords } from "../picture/words";
import { fillCells, paletteOf } from "./cells";
import { markKinds } from "./kind_marks";
import { boxOf, drawContour, fitting, type Mapping } from "./marks";

export interface BandDrawing {
  readonly table: CellTable;
  /** position of every cell on the colour scale; NaN where nothing is known */
  readonly positions: Float32Array;
  readonly kinds: Uint8Array | null;
  readonly kept: Uint8Array;
  readonly selection: readonly number[];
  /** the total of every band in the profile, as text */
  readonly totals: readonly string[];
  readonly colours: Colours;
  readonly plate: string;
  readonly ground: string;
  readonly ink: string;
  readonly quiet: string;
  readonly frame: string;
  /** the part of the picture that fills the canvas, in the table's own steps */
  readonly window: Rectangle;
  /** whether names stand above the bands, in room of their own, or on them */
  readonly namesAbove: boolean;
}

/** The largest size of the names above bands, in pixels and in parts of the strip where they stand. */
const NAME = 11;
const NAME_IN_STRIP = 0.88;
/** How tall capitals are, in parts of a size. */
const CAPITALS = 0.75;
/** Pixels that stay free after the number above a band: the next band's name begins there. */
const SPARE = 2;
/** How much of a cell that is not kept the ground covers. */
const DIMMED = 0.62;

export function drawBands(context: CanvasRenderingContext2D, drawing: BandDrawing, ratio: number): void {
  const { table } = drawing;
  const { width, height } = context.canvas;
  const mapping = fitting(drawing.window, { width, height, ratio });
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width, height);
  context.fillStyle = drawing.plate;
  // Between bands that stand apart the ground is seen, and the key beside the coarse image.
  if (!drawing.namesAbove) context.fillRect(0, 0, width, height);
  fillBands(context, drawing, mapping);
  const { positions } = drawing;
  fillCells(context, table, mapping, drawing.colours, (cell) => {
    const position = positions[cell] ?? Number.NaN;
    return Number.isNaN(position) ? -1 : entryOf(position);
  });
  markKinds(context, table, drawing.kinds, mapping);
  dimRemoved(context, drawing, mapping);
  if (!drawing.namesAbove) drawFrames(context, table, mapping, drawing.frame);
  drawContour(context, contour(table, drawing.selection), mapping);
  drawNames(context, drawing, mapping);
}

/** What is not computed yet is empty with the right shape. */
function fillBands(context: CanvasRenderingContext2D, drawing: BandDrawing, mapping: Mapping): void {
  context.fillStyle = drawing.plate;
  for (const band of drawing.table.bands) {
    const { x, y, width, height } = boxOf(rectangleOf(band), mapping);
    context.fillRect(x, y, width, height);
  }
}

function dimRemoved(context: CanvasRenderingContext2D, drawing: BandDrawing, mapping: Mapping): void {
  const { table, kept, selection, ground } = drawing;
  if (selection.length === 0) return;
  context.globalAlpha = DIMMED;
  fillCells(context, table, mapping, paletteOf(ground), (cell) => (kept[cell] === 1 ? -1 : 0));
  context.globalAlpha = 1;
}

function drawFrames(
  context: CanvasRenderingContext2D,
  table: CellTable,
  mapping: Mapping,
  colour: string,
): void {
  const line = Math.max(1, Math.round(mapping.ratio));
  context.strokeStyle = colour;
  context.lineWidth = line;
  for (const band of table.bands) {
    const { x, y, width, height } = boxOf(rectangleOf(band), mapping);
    context.strokeRect(x + line / 2, y + line / 2, width - line, height - line);
  }
}

/** Names, and above the bands their totals in the profile. */
function drawNames(context: CanvasRenderingContext2D, drawing: BandDrawing, mapping: Mapping): void {
  const family = getComputedStyle(context.canvas).fontFamily;
  context.lineJoin = "round";
  drawing.table.bands.forEach((band, at) => {
    if (drawing.namesAbove) drawNameAbove(context, drawing, at, mapping, family);
    else drawNameInside(context, drawing, band, mapping, family);
  });
}

function drawNameAbove(
  context: CanvasRenderingContext2D,
  drawing: BandDrawing,
  at: number,
  mapping: Mapping,
  family: string,
): void {
  const band = drawing.table.bands[at];
  if (!band) return;
  const { ratio } = mapping;
  const box = boxOf(rectangleOf(band), mapping);
  const [{ x, y }, width] = [box, box.width - SPARE * ratio];
  // Above the first band there is a strip and nothing else.
  const strip = Math.min(...drawing.table.bands.map(({ top }) => top)) * mapping.scaleY;
  const size = Math.min(NAME * ratio, NAME_IN_STRIP * strip);
  const baseline = y - Math.min(3 * ratio, Math.floor((strip - CAPITALS * size) / 2));
  const [bold, normal] = [`600 ${size}px ${family}`, `${size}px ${family}`];
  let left = 0;
  const write = (text: string, font: string, colour: string, room: number): void => {
    context.font = font;
    const wide = context.measureText(text).width;
    if (text === "" || left + wide > room) return;
    context.fillStyle = colour;
    context.fillText(text, x + left, baseline);
    left += wide + 5 * ratio;
  };
  context.textBaseline = "alphabetic";
  write(bandLabel(band), bold, drawing.ink, width);
  const total = drawing.totals[at] ?? "";
  context.font = normal;
  const reserved = context.measureText(total).width;
  write(plainWords(band), normal, drawing.quiet, width - reserved - 4 * ratio);
  left = Math.max(left, width - reserved);
  write(total, normal, drawing.ink, width + 1);
}

function drawNameInside(
  context: CanvasRenderingContext2D,
  drawing: BandDrawing,
  band: Band,
  mapping: Mapping,
  family: string,
): void {
  const { ratio } = mapping;
  const box = boxOf(rectangleOf(band), mapping);
  const size = (box.width < 72 * ratio ? 10 : 12) * ratio;
  context.textBaseline = "top";
  context.font = `600 ${size}px ${family}`;
  const text = bandLabel(band);
  if (context.measureText(text).width > box.width - 6 * ratio || box.height < size * 1.6) return;
  const at = [box.x + 4 * ratio, box.y + 4 * ratio] as const;
  const empty = drawing.positions.every(Number.isNaN);
  context.strokeStyle = "rgba(0, 0, 0, 0.7)";
  context.lineWidth = 3 * ratio;
  if (!empty) context.strokeText(text, ...at);
  context.fillStyle = empty ? drawing.ink : "#ffffff";
  context.fillText(text, ...at);
}
