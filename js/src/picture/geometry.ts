/** Where cells stand in the packed picture and in the image: pure functions over the tables of a picture frame. */
import { type Band, CELL_FIELDS, NO_CELL, type Picture, SUPPORT_FIELDS } from "../frame/picture";
import { runs } from "./runs";

/** The part of a picture frame that geometry needs. */
export type CellTable = Pick<
  Picture,
  "bands" | "cells" | "support" | "cellCount" | "pictureHeight" | "pictureWidth" | "index"
>;

export interface Rectangle {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

export function bandOf(table: CellTable, cell: number): number {
  return table.cells[cell * CELL_FIELDS] ?? 0;
}

/** The corners of a band. */
export function rectangleOf({
  top,
  left,
  height,
  width,
}: Pick<Band, "top" | "left" | "height" | "width">): Rectangle {
  return { top, left, bottom: top + height, right: left + width };
}

/** The rectangle of a cell in the packed picture, in coefficients. */
export function cellRectangle(table: CellTable, cell: number): Rectangle {
  const [top = 0, left = 0, height = 0, width = 0] = table.cells.subarray(
    cell * CELL_FIELDS + 1,
    (cell + 1) * CELL_FIELDS,
  );
  return { top, left, bottom: top + height, right: left + width };
}

/** The support of a cell: its rectangle in the image, in pixels. */
export function supportRectangle(table: CellTable, cell: number): Rectangle {
  const [top = 0, left = 0, bottom = 0, right = 0] = table.support.subarray(
    cell * SUPPORT_FIELDS,
    (cell + 1) * SUPPORT_FIELDS,
  );
  return { top, left, bottom, right };
}

/** The cell at a place of the packed picture (row y, column x, fractions allowed), or NO_CELL. */
export function cellAt(table: CellTable, y: number, x: number): number {
  const { pictureHeight: height, pictureWidth: width } = table;
  if (!(y >= 0 && x >= 0 && y < height && x < width)) return NO_CELL;
  return table.index()[Math.floor(y) * width + Math.floor(x)] ?? NO_CELL;
}

/** Two corners in any order as a rectangle. */
export function spanned(a: { y: number; x: number }, b: { y: number; x: number }): Rectangle {
  return {
    top: Math.min(a.y, b.y),
    left: Math.min(a.x, b.x),
    bottom: Math.max(a.y, b.y),
    right: Math.max(a.x, b.x),
  };
}

/** The least rectangle that holds two. */
export function union(a: Rectangle, b: Rectangle): Rectangle {
  return {
    top: Math.min(a.top, b.top),
    left: Math.min(a.left, b.left),
    bottom: Math.max(a.bottom, b.bottom),
    right: Math.max(a.right, b.right),
  };
}

function cellsWhere(table: CellTable, test: (cell: number) => boolean): number[] {
  const cells: number[] = [];
  for (let cell = 0; cell < table.cellCount; cell++) if (test(cell)) cells.push(cell);
  return cells;
}

/** Cells of the packed picture that a rectangle touches. */
export function cellsTouched(table: CellTable, rectangle: Rectangle): number[] {
  return cellsWhere(table, (cell) => {
    const own = cellRectangle(table, cell);
    return (
      own.top < rectangle.bottom &&
      own.bottom > rectangle.top &&
      own.left < rectangle.right &&
      own.right > rectangle.left
    );
  });
}

/** Cells whose support holds the image point: one of each band, more where supports overlap. */
export function cellsOver({ support, cellCount }: CellTable, y: number, x: number): number[] {
  const cells: number[] = [];
  // Read in place: with a cell for each coefficient, every move of the pointer looks at 50,000.
  for (let cell = 0, at = 0; cell < cellCount; cell++, at += SUPPORT_FIELDS) {
    const [top, left, bottom, right] = [support[at], support[at + 1], support[at + 2], support[at + 3]] as [
      number,
      number,
      number,
      number,
    ];
    if (top <= y && y < bottom && left <= x && x < right) cells.push(cell);
  }
  return cells;
}

/** Cells whose support lies inside a rectangle of the image; half a pixel of slack, because hands are not exact. */
export function cellsInside(table: CellTable, rectangle: Rectangle, slack = 0.5): number[] {
  return cellsWhere(table, (cell) => {
    const own = supportRectangle(table, cell);
    return (
      own.top >= rectangle.top - slack &&
      own.bottom <= rectangle.bottom + slack &&
      own.left >= rectangle.left - slack &&
      own.right <= rectangle.right + slack
    );
  });
}

/** Cells of one band. */
export function cellsOfBand(table: CellTable, band: number): number[] {
  return cellsWhere(table, (cell) => bandOf(table, cell) === band);
}

const MOST_SIDES = 8192;

export interface Segment {
  readonly y0: number;
  readonly x0: number;
  readonly y1: number;
  readonly x1: number;
}

/**
 * The contour of a set of cells in the packed picture: every side beyond which stands no cell of the set in the same
 * band. Sides are walked in steps of one coefficient, because neighbours need not be of one size, and joined again.
 * Of more sides than `MOST_SIDES` none is given: they would hide the cells between them.
 */
export function contour(table: CellTable, members: Iterable<number>): Segment[] {
  const set = new Set(members);
  const segments: Segment[] = [];
  for (const cell of set) {
    if (segments.length > MOST_SIDES) return [];
    const { top, left, bottom, right } = cellRectangle(table, cell);
    const band = bandOf(table, cell);
    const open = (y: number, x: number): boolean => {
      const other = cellAt(table, y, x);
      return other === NO_CELL || !set.has(other) || bandOf(table, other) !== band;
    };
    for (const [y, outside] of [
      [top, top - 1],
      [bottom, bottom],
    ] as const) {
      runs(
        left,
        right,
        (x) => open(outside, x),
        (x0, x1) => segments.push({ y0: y, x0, y1: y, x1 }),
      );
    }
    for (const [x, outside] of [
      [left, left - 1],
      [right, right],
    ] as const) {
      runs(
        top,
        bottom,
        (y) => open(y, outside),
        (y0, y1) => segments.push({ y0, x0: x, y1, x1: x }),
      );
    }
  }
  return segments;
}
