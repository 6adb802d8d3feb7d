/**
 * Perceptually even colour maps as 256-entry tables.
 *
 * A map is stored as the few knots between which straight lines stay within 1/255 of matplotlib's table
 * (cividis: Nuñez, Anderton and Renslow, 2018; viridis: van der Walt and Smith, 2015). Each knot is four
 * hexadecimal bytes: position, red, green, blue.
 */

export type ColormapName = "cividis" | "viridis";

const KNOTS: Record<ColormapName, string> = {
  cividis:
    "0000224e14003070170132711c12357027263d6e3c3f4c6c6162656f86828079" +
    "aba69c74ccc8b866e5e4ce53f6f7de3efbfde334fffee838",
  viridis:
    "0044015414481d6f2346307e3a3e4c8a5e2d718e841f948c931fa287a22ab07f" +
    "b344bf70c66ccd5adfaadc32edd0e11cf4e2e418fdf8e621fffde725",
};

export const COLORMAPS = Object.keys(KNOTS) as ColormapName[];

function readKnots(text: string): number[][] {
  const knots: number[][] = [];
  for (let start = 0; start < text.length; start += 8) {
    knots.push([0, 2, 4, 6].map((byte) => Number.parseInt(text.slice(start + byte, start + byte + 2), 16)));
  }
  return knots;
}

/** Of signed values: blue to orange, with white at zero. */
const SIGNED = "000b53947fffffff80ffffffffc65d00";

/** The table of a map: 256 x 3 bytes, row 0 the lowest value. */
export function lookupTable(name: ColormapName): Uint8ClampedArray {
  return tableOf(KNOTS[name]);
}

function tableOf(text: string): Uint8ClampedArray {
  const table = new Uint8ClampedArray(256 * 3);
  const knots = readKnots(text);
  for (let i = 1; i < knots.length; i++) {
    const [from = 0, ...low] = knots[i - 1] ?? [];
    const [to = 0, ...high] = knots[i] ?? [];
    for (let entry = from; entry <= to; entry++) {
      const t = (entry - from) / (to - from);
      for (let c = 0; c < 3; c++) {
        table[entry * 3 + c] = Math.round((low[c] ?? 0) * (1 - t) + (high[c] ?? 0) * t);
      }
    }
  }
  return table;
}

/** A map in the two forms that canvases take. */
export interface Colours {
  /** 256 x 3 bytes */
  readonly table: Uint8ClampedArray;
  /** 256 CSS colours */
  readonly css: readonly string[];
}

export function coloursOf(name: ColormapName): Colours {
  const table = lookupTable(name);
  return { table, css: cssColours(table) };
}

export const SIGNED_COLOURS: Colours = { table: tableOf(SIGNED), css: cssColours(tableOf(SIGNED)) };

/** The 256 entries of a table as CSS colours, for canvas fills. */
function cssColours(table: Uint8ClampedArray): string[] {
  return Array.from(
    { length: 256 },
    (_, i) => `rgb(${table[i * 3]},${table[i * 3 + 1]},${table[i * 3 + 2]})`,
  );
}

/** Entry (0 to 255) of a position in [0, 1]. */
export function entryOf(position: number): number {
  return Math.round(Math.min(1, Math.max(0, position)) * 255);
}
