/** The names of a model's classes, fetched once, when somebody wants to choose one, and searched here. */
import { asObject, isFiniteNumber } from "../transport/untrusted";

const LONGEST_NAME = 200;
const MOST_CLASSES = 200_000;

export class ClassNames {
  readonly names: readonly string[];
  /** what the image has, by class: of the highest classes only */
  readonly scores: ReadonlyMap<number, number>;
  readonly #folded: readonly string[];
  /** all classes, the highest first, then in their order */
  readonly #order: readonly number[];

  constructor(names: readonly string[], scores: ReadonlyMap<number, number>) {
    this.names = names;
    this.scores = scores;
    this.#folded = names.map(fold);
    const highest = [...scores.keys()].sort((a, b) => (scores.get(b) ?? 0) - (scores.get(a) ?? 0));
    this.#order = [...highest, ...names.keys()].filter((id, at) => at < highest.length || !scores.has(id));
  }

  /** The kernel's answer, of which nothing is trusted. */
  static read(value: unknown): ClassNames {
    const { names, top } = asObject(value);
    const all = Array.isArray(names) ? names.slice(0, MOST_CLASSES) : [];
    const texts = all.map((name) => (typeof name === "string" ? name.slice(0, LONGEST_NAME) : "?"));
    const scores = new Map<number, number>();
    for (const pair of Array.isArray(top) ? top : []) {
      const [id, score] = Array.isArray(pair) ? pair : [];
      if (isFiniteNumber(id) && isFiniteNumber(score) && texts[id] !== undefined) scores.set(id, score);
    }
    return new ClassNames(texts, scores);
  }

  /** Classes for what was typed: its number, then names of which a word begins with it, then the rest. */
  search(typed: string): number[] {
    const wanted = fold(typed.trim());
    if (wanted === "") return [...this.#order];
    const ranks: number[][] = [[], [], []];
    for (const id of this.#order) {
      const name = this.#folded[id] ?? "";
      if (String(id) === wanted) ranks[0]?.push(id);
      else if (` ${name}`.includes(` ${wanted}`)) ranks[1]?.push(id);
      else if (name.includes(wanted)) ranks[2]?.push(id);
    }
    return ranks.flat();
  }
}

/** Small letters without accents. */
function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
