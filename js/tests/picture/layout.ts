/** A picture of two levels over an 8 x 8 image, one coefficient gap, four cells per band: small enough to draw. */
import type { CellTable } from "../../src/picture/geometry";

/*
 * columns  0 1 2 3 4 5 6 7 8
 * rows 0-1 A A L L . H H H H      A: approximation, L: HL2, H: HL1; column 4 is a gap
 * rows 2-3 l l D D . H H H H      l: LH2, D: HH2
 * row  4   . . . . . H H H H
 * rows 5-8 1 1 1 1 . 2 2 2 2      1: LH1, 2: HH1 (rows 5-8); HL1 has rows 1-4
 */
const BANDS = [
  ["A2", 2, "A", 0, 0, 2],
  ["LH2", 2, "LH", 2, 0, 2],
  ["HL2", 2, "HL", 0, 2, 2],
  ["HH2", 2, "HH", 2, 2, 2],
  ["LH1", 1, "LH", 5, 0, 4],
  ["HL1", 1, "HL", 1, 5, 4],
  ["HH1", 1, "HH", 5, 5, 4],
] as const;

export function layout(): CellTable {
  const bands = BANDS.map(([name, level, orientation, top, left, side]) => ({
    name,
    level,
    orientation,
    part: "",
    top,
    left,
    height: side,
    width: side,
  }));
  const cells: number[] = [];
  const support: number[] = [];
  bands.forEach(({ top, left, height, level }, band) => {
    const half = height / 2;
    const pixels = half * 2 ** level;
    for (const row of [0, 1]) {
      for (const column of [0, 1]) {
        cells.push(band, top + row * half, left + column * half, half, half);
        support.push(row * pixels, column * pixels, (row + 1) * pixels, (column + 1) * pixels);
      }
    }
  });
  const index = new Int32Array(81).fill(-1);
  for (let cell = 0; cell < cells.length / 5; cell++) {
    const [, top = 0, left = 0, height = 0, width = 0] = cells.slice(cell * 5);
    for (let y = top; y < top + height; y++) index.fill(cell, y * 9 + left, y * 9 + left + width);
  }
  return {
    bands,
    cells: Int32Array.from(cells),
    support: Float32Array.from(support),
    cellCount: cells.length / 5,
    pictureHeight: 9,
    pictureWidth: 9,
    index: () => index,
  };
}

/** The same cells once for each part of the colour, side by side. */
export function layoutOfParts(...parts: string[]): CellTable {
  const table = layout();
  const bands = parts.flatMap((part, tile) =>
    table.bands.map((band) => ({ ...band, name: `${part}:${band.name}`, part, left: band.left + 9 * tile })),
  );
  const cells = parts.flatMap((_, tile) =>
    Array.from(table.cells, (value, at) => value + ([table.bands.length, 0, 9, 0, 0][at % 5] ?? 0) * tile),
  );
  const index = Int32Array.from({ length: 81 * parts.length }, (_, at) => {
    const [y, x] = [Math.floor(at / (9 * parts.length)), at % (9 * parts.length)];
    const own = table.index()[y * 9 + (x % 9)] ?? -1;
    return own < 0 ? own : own + table.cellCount * Math.floor(x / 9);
  });
  return {
    bands,
    cells: Int32Array.from(cells),
    support: Float32Array.from(parts.flatMap(() => [...table.support])),
    cellCount: table.cellCount * parts.length,
    pictureHeight: 9,
    pictureWidth: 9 * parts.length,
    index: () => index,
  };
}
