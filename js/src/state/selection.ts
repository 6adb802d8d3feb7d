/** The chosen cells, with undo, and what they mean for the reconstruction. */
import { computed, type ReadonlySignal, type Signal, signal } from "../reactive/signal";

export type Mode = "keep" | "remove";

const LONGEST_HISTORY = 200;

export class Selection {
  readonly #cells: Signal<readonly number[]> = signal([]);
  readonly #past: Signal<readonly (readonly number[])[]> = signal([]);
  readonly #future: Signal<readonly (readonly number[])[]> = signal([]);
  #limit = Number.POSITIVE_INFINITY;

  /** The chosen cells, sorted, each once. */
  readonly cells: ReadonlySignal<readonly number[]> = this.#cells;
  readonly members: ReadonlySignal<ReadonlySet<number>> = computed(() => new Set(this.#cells.value));
  readonly canUndo: ReadonlySignal<boolean> = computed(() => this.#past.value.length > 0);
  readonly canRedo: ReadonlySignal<boolean> = computed(() => this.#future.value.length > 0);

  /** Takes the cells out when all of them are chosen, else adds those that are missing. */
  toggle(cells: readonly number[]): void {
    const chosen = this.members.peek();
    if (cells.every((cell) => chosen.has(cell))) this.remove(cells);
    else this.add(cells);
  }

  add(cells: readonly number[]): void {
    this.replace([...this.cells.peek(), ...cells]);
  }

  remove(cells: readonly number[]): void {
    const gone = new Set(cells);
    this.replace(this.cells.peek().filter((cell) => !gone.has(cell)));
  }

  clear(): void {
    this.replace([]);
  }

  /** Makes `cells` the selection; one step of undo, unless it is `continued` from the last one. */
  replace(cells: readonly number[], continued = false): void {
    const next = canonical(cells, this.#limit);
    const now = this.cells.peek();
    if (same(now, next)) return;
    if (!continued) this.#past.value = [...this.#past.peek(), now].slice(-LONGEST_HISTORY);
    this.#future.value = [];
    this.#cells.value = next;
  }

  /** Takes over the selection of the kernel or of a saved page for another picture, without history. */
  restart(cells: readonly number[], cellCount: number): void {
    this.#limit = cellCount;
    this.#past.value = [];
    this.#future.value = [];
    const next = canonical(cells, cellCount);
    if (!same(this.cells.peek(), next)) this.#cells.value = next;
  }

  undo(): void {
    this.#step(this.#past, this.#future);
  }

  redo(): void {
    this.#step(this.#future, this.#past);
  }

  #step(from: Signal<readonly (readonly number[])[]>, to: Signal<readonly (readonly number[])[]>): void {
    const states = from.peek();
    const next = states[states.length - 1];
    if (next === undefined) return;
    from.value = states.slice(0, -1);
    to.value = [...to.peek(), this.cells.peek()];
    this.#cells.value = next;
  }
}

/** Whole numbers from 0 below `limit`, sorted, each once; anything else in the list is dropped. */
export function canonical(cells: readonly unknown[], limit = Number.POSITIVE_INFINITY): number[] {
  const fits = (cell: unknown): cell is number => Number.isSafeInteger(cell) && (cell as number) >= 0;
  // Numbers of their own array are sorted as such, which for many is much faster than by a function.
  const sorted = Float64Array.from(cells.filter(fits).filter((cell) => cell < limit)).sort();
  return [...sorted.filter((cell, at) => cell !== sorted[at - 1])];
}

export function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((cell, at) => cell === b[at]);
}

/** The name of a question to the model: "all", or the mode and the runs of chosen cells, "keep:0-63,70-70". */
export function questionKey(cells: readonly number[], mode: Mode): string {
  if (cells.length === 0) return "all";
  const runs: string[] = [];
  let start = cells[0] ?? 0;
  cells.forEach((cell, at) => {
    const next = cells[at + 1];
    if (next === cell + 1) return;
    runs.push(`${start}-${cell}`);
    if (next !== undefined) start = next;
  });
  return `${mode}:${runs.join(",")}`;
}

/** One byte per cell: 1 where it is kept. Nothing chosen keeps everything, in both modes. */
export function keptCells(cells: readonly number[], mode: Mode, cellCount: number): Uint8Array {
  const chosen = mode === "keep" ? 1 : 0;
  const kept = new Uint8Array(cellCount).fill(cells.length === 0 ? 1 : 1 - chosen);
  for (const cell of cells) if (cell < cellCount) kept[cell] = chosen;
  return kept;
}
