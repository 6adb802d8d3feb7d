/** Which cells of two pictures belong together: the same ones, or those of the same level over the same place. */
import type { Picture } from "../frame/picture";
import { bandOf, cellsOfBand, type Rectangle, supportRectangle } from "./geometry";

/** Leads cells of one picture to those of another. */
export type Translate = (cells: readonly number[]) => readonly number[];

function equal(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return (
    a.length === b.length && Array.prototype.every.call(a, (value: number, at: number) => value === b[at])
  );
}

/** Whether a number of a cell means the same on both pictures. */
export function sameCells(one: Picture, other: Picture): boolean {
  const named = (picture: Picture): string => picture.bands.map((band) => band.name).join();
  return named(one) === named(other) && equal(one.cells, other.cells) && equal(one.support, other.support);
}

/** Cells as they are where both pictures have the same ones, else by place and level. */
export function translation(from: Picture | null, to: Picture | null): Translate {
  if (from === null || to === null) return () => [];
  if (sameCells(from, to)) return (cells) => cells;
  const bands = from.bands.map((_, band) =>
    likeBand(from, band, to).flatMap((like) => cellsOfBand(to, like)),
  );
  return (cells) => {
    const found = new Set<number>();
    for (const cell of cells) {
      const own = share(from, cell);
      for (const candidate of bands[bandOf(from, cell)] ?? []) {
        const theirs = share(to, candidate);
        if (holdsMiddle(own, theirs) || holdsMiddle(theirs, own)) found.add(candidate);
      }
    }
    return [...found].sort((a, b) => a - b);
  };
}

/** The bands of the same filter and level; of another transform those of the same level. */
function likeBand(from: Picture, number: number, to: Picture): number[] {
  const band = from.bands[number];
  const all = [...to.bands.keys()];
  const exact = all.filter((at) => to.bands[at]?.name === band?.name);
  if (exact.length > 0) return exact;
  return all.filter((at) => to.bands[at]?.level === band?.level);
}

/** The place of a cell in its image, in fractions of it. */
function share(picture: Picture, cell: number): Rectangle {
  const { top, left, bottom, right } = supportRectangle(picture, cell);
  const { height, width } = picture;
  return { top: top / height, left: left / width, bottom: bottom / height, right: right / width };
}

function holdsMiddle(outer: Rectangle, inner: Rectangle): boolean {
  const [y, x] = [(inner.top + inner.bottom) / 2, (inner.left + inner.right) / 2];
  return outer.top <= y && y < outer.bottom && outer.left <= x && x < outer.right;
}
