/** The bands of a picture level by level. */
import type { Band } from "../frame/picture";

/** The details of one level, or the approximation; the pixel basis has one level, its pixels. */
export interface Level {
  readonly name: string;
  /** positions of its bands in the picture */
  readonly bands: readonly number[];
}

/** The levels of a picture, coarse to fine. */
export function levelsOf(bands: readonly Band[]): Level[] {
  const levels = new Map<string, number[]>();
  bands.forEach((band, at) => {
    const name = levelName(band);
    levels.set(name, [...(levels.get(name) ?? []), at]);
  });
  return [...levels].map(([name, own]) => ({ name, bands: own }));
}

function levelName({ level, orientation }: Band): string {
  if (level === 0) return "pixels";
  return orientation === "A" ? `A${level}` : `level ${level}`;
}
