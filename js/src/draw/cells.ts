/** Cells filled with the colours of a palette. */
import { NO_CELL } from "../frame/picture";
import { type BandGrid, gridsOf } from "../picture/band_grid";
import type { Colours } from "../picture/colormap";
import { type CellTable, cellRectangle, rectangleOf } from "../picture/geometry";
import { context2d, element } from "./dom";
import { boxOf, type Mapping } from "./marks";
import { sizeTo } from "./pixels";

/** A band of so many cells is one image with a pixel for each: rectangles one by one would take longer than a frame. */
const MANY = 1024;

/** Fills cells; `entryOf` says which colour a cell has, or -1 for none. */
export function fillCells(
  context: CanvasRenderingContext2D,
  table: CellTable,
  mapping: Mapping,
  palette: Colours,
  entryOf: (cell: number) => number,
): void {
  const scratch = element("canvas");
  gridsOf(table).forEach((grid, number) => {
    const band = table.bands[number];
    if (!band) return;
    if (grid.cells.length >= MANY && !grid.hasGaps) {
      paintGrid(scratch, grid, palette.table, entryOf);
      const { x, y, width, height } = boxOf(rectangleOf(band), mapping);
      context.imageSmoothingEnabled = width < grid.columns; // not every cell has a pixel of the screen
      context.drawImage(scratch, x, y, width, height);
      return;
    }
    for (const cell of grid.cells) {
      const entry = cell === NO_CELL ? -1 : entryOf(cell);
      if (entry < 0) continue;
      const { x, y, width, height } = boxOf(cellRectangle(table, cell), mapping);
      context.fillStyle = palette.css[entry] ?? "";
      context.fillRect(x, y, width, height);
    }
  });
}

function paintGrid(
  canvas: HTMLCanvasElement,
  grid: BandGrid,
  colours: Uint8ClampedArray,
  entryOf: (cell: number) => number,
): void {
  sizeTo(canvas, grid.rows, grid.columns);
  const pixels = new ImageData(grid.columns, grid.rows);
  grid.cells.forEach((cell, at) => {
    const entry = entryOf(cell);
    if (entry < 0) return;
    pixels.data.set(colours.subarray(3 * entry, 3 * entry + 3), 4 * at);
    pixels.data[4 * at + 3] = 255;
  });
  context2d(canvas).putImageData(pixels, 0, 0);
}

/** A palette of one CSS colour. */
export function paletteOf(colour: string): Colours {
  const pen = context2d(element("canvas", { width: 1, height: 1 }));
  pen.fillStyle = colour;
  pen.fillRect(0, 0, 1, 1);
  return { css: [colour], table: pen.getImageData(0, 0, 1, 1).data.slice(0, 3) };
}
