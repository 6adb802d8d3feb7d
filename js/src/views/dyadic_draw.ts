/** Draws the packed picture: cells in the colours of their values, band frames, labels, kinds and the selection. */
import { KIND } from "../frame/attribution";
import { entryOf } from "./colormap";
import { type CellTable, cellRectangle, contour, type Rectangle } from "./geometry";
import { drawContour, fitting, type Mapping, toPixels } from "./marks";
import { bandLabel, shortBandLabel } from "./words";

export interface DyadicPicture {
  readonly table: CellTable;
  /** position of every cell on the colour scale; NaN where nothing is known */
  readonly positions: Float32Array;
  readonly kinds: Uint8Array | null;
  readonly kept: Uint8Array;
  readonly selection: readonly number[];
  /** 256 CSS colours */
  readonly colours: readonly string[];
  readonly plate: string;
  readonly ground: string;
  readonly ink: string;
  readonly frame: string;
  /** the part of the picture that fills the canvas, in coefficients */
  readonly window: Rectangle;
}

/** How much of a cell that is not kept the ground covers. */
const DIMMED = 0.62;

export function drawDyadic(context: CanvasRenderingContext2D, picture: DyadicPicture, ratio: number): void {
  const { table } = picture;
  const { width, height } = context.canvas;
  const mapping = fitting(picture.window, { width, height, ratio });
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = picture.plate;
  context.fillRect(0, 0, width, height);
  fillCells(context, picture, mapping);
  markKinds(context, picture, mapping);
  dimOthers(context, picture, mapping);
  drawFrames(context, table, mapping, picture.frame);
  drawContour(context, contour(table, picture.selection), mapping);
  drawLabels(context, picture, mapping);
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function boxOf({ top, left, bottom, right }: Rectangle, mapping: Mapping): Box {
  const { y, x } = toPixels(mapping, top, left);
  const end = toPixels(mapping, bottom, right);
  return { x, y, width: end.x - x, height: end.y - y };
}

function fillCells(context: CanvasRenderingContext2D, picture: DyadicPicture, mapping: Mapping): void {
  const { table, positions, colours } = picture;
  for (let cell = 0; cell < table.cellCount; cell++) {
    const position = positions[cell] ?? Number.NaN;
    if (Number.isNaN(position)) continue;
    const box = boxOf(cellRectangle(table, cell), mapping);
    context.fillStyle = colours[entryOf(position)] ?? picture.plate;
    context.fillRect(box.x, box.y, box.width, box.height);
  }
}

/** Bounded cells are hatched, unless all are: then the words below the picture say it. Unresolved ones are dotted. */
function markKinds(context: CanvasRenderingContext2D, picture: DyadicPicture, mapping: Mapping): void {
  const { table, kinds } = picture;
  if (kinds === null) return;
  const hatched = kinds.some((kind) => kind !== KIND.bounded);
  const bounded = new Path2D();
  const unresolved = new Path2D();
  for (let cell = 0; cell < table.cellCount; cell++) {
    if (kinds[cell] === KIND.estimated) continue;
    const { x, y, width, height } = boxOf(cellRectangle(table, cell), mapping);
    if (kinds[cell] === KIND.bounded) bounded.rect(x, y, width, height);
    else unresolved.rect(x + 1, y + 1, width - 2, height - 2);
  }
  if (hatched) {
    context.fillStyle = hatching(context, mapping.ratio);
    context.fill(bounded);
  }
  context.strokeStyle = "rgba(255, 255, 255, 0.55)";
  context.lineWidth = mapping.ratio;
  context.setLineDash([mapping.ratio, 2 * mapping.ratio]);
  context.stroke(unresolved);
  context.setLineDash([]);
}

/** Light diagonal lines, 6 CSS pixels apart. */
function hatching(context: CanvasRenderingContext2D, ratio: number): CanvasPattern | string {
  const tile = context.canvas.ownerDocument.createElement("canvas");
  const side = Math.max(4, Math.round(6 * ratio));
  tile.width = side;
  tile.height = side;
  const pen = tile.getContext("2d");
  if (pen) {
    pen.strokeStyle = "rgba(255, 255, 255, 0.3)";
    pen.lineWidth = ratio;
    for (const shift of [-side, 0, side]) {
      pen.moveTo(shift - 1, side + 1);
      pen.lineTo(shift + side + 1, -1);
    }
    pen.stroke();
  }
  return context.createPattern(tile, "repeat") ?? "transparent";
}

function dimOthers(context: CanvasRenderingContext2D, picture: DyadicPicture, mapping: Mapping): void {
  const { table, kept } = picture;
  if (picture.selection.length === 0) return;
  context.fillStyle = picture.ground;
  context.globalAlpha = DIMMED;
  for (let cell = 0; cell < table.cellCount; cell++) {
    if (kept[cell] === 1) continue;
    const { x, y, width, height } = boxOf(cellRectangle(table, cell), mapping);
    context.fillRect(x, y, width, height);
  }
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
  for (const { top, left, height, width } of table.bands) {
    const box = boxOf({ top, left, bottom: top + height, right: left + width }, mapping);
    context.strokeRect(box.x + line / 2, box.y + line / 2, box.width - line, box.height - line);
  }
}

function drawLabels(context: CanvasRenderingContext2D, picture: DyadicPicture, mapping: Mapping): void {
  const { table } = picture;
  const empty = picture.positions.every(Number.isNaN);
  const { ratio } = mapping;
  const family = getComputedStyle(context.canvas).fontFamily;
  context.textBaseline = "top";
  context.lineJoin = "round";
  for (const band of table.bands) {
    const { top, left, height, width } = band;
    const box = boxOf({ top, left, bottom: top + height, right: left + width }, mapping);
    const size = (box.width < 72 * ratio ? 10 : 12) * ratio;
    context.font = `600 ${size}px ${family}`;
    const room = Math.min(box.width - 8 * ratio, (box.height - 4 * ratio) * 4);
    const text = [bandLabel(band), shortBandLabel(band)].find((t) => context.measureText(t).width <= room);
    if (text === undefined || box.height < size * 1.6) continue;
    const at = [box.x + 4 * ratio, box.y + 4 * ratio] as const;
    context.strokeStyle = "rgba(0, 0, 0, 0.7)";
    context.lineWidth = 3 * ratio;
    if (!empty) context.strokeText(text, ...at);
    context.fillStyle = empty ? picture.ink : "#ffffff";
    context.fillText(text, ...at);
  }
}
