/** The levels that the heatmap sums and that the pointer on the image selects: the reader's choice. */
import { CELL_FIELDS, type Picture } from "../frame/picture";
import { type Level, levelsOf } from "../picture/levels";
import { computed, type ReadonlySignal, type Signal, signal } from "../reactive/signal";

export class LevelChoice {
  /** names of the levels that are ticked; none of them stands for all */
  readonly #chosen: Signal<readonly string[]>;
  readonly all: ReadonlySignal<readonly Level[]>;
  /** The levels that count: at least one. */
  readonly ticked: ReadonlySignal<readonly Level[]>;
  /** The place of each cell's level in `all`. */
  readonly ofCells: ReadonlySignal<Uint8Array>;
  /** Whether a cell counts, one byte each. */
  readonly cells: ReadonlySignal<Uint8Array>;

  constructor(
    picture: ReadonlySignal<Pick<Picture, "bands" | "cells" | "cellCount"> | null>,
    chosen: Signal<readonly string[]> = signal([]),
  ) {
    this.#chosen = chosen;
    this.all = computed(() => levelsOf(picture.value?.bands ?? []));
    this.ticked = computed(() => {
      const all = this.all.value;
      const left = all.filter(({ name }) => chosen.value.includes(name));
      // A picture of other levels may have none of those that were left.
      return left.length > 0 ? left : all;
    });
    this.ofCells = computed(() => {
      const { cells, cellCount = 0, bands = [] } = picture.value ?? {};
      const level = bands.map((_, band) => this.all.value.findIndex(({ bands: own }) => own.includes(band)));
      return Uint8Array.from(
        { length: cellCount },
        (_, cell) => level[cells?.[cell * CELL_FIELDS] ?? -1] ?? 0,
      );
    });
    this.cells = computed(() => {
      const bands = new Set(this.ticked.value.flatMap((level) => level.bands));
      const { cells, cellCount = 0 } = picture.value ?? {};
      return Uint8Array.from({ length: cellCount }, (_, cell) =>
        bands.has(cells?.[cell * CELL_FIELDS] ?? -1) ? 1 : 0,
      );
    });
  }

  /** Ticks a level, or takes its tick away unless it is the last. */
  toggle(name: string): void {
    const ticked = this.ticked.peek().map((level) => level.name);
    const next = ticked.includes(name) ? ticked.filter((each) => each !== name) : [...ticked, name];
    if (next.length > 0) this.choose(next);
  }

  /** Ticks these levels alone. */
  choose(names: readonly string[]): void {
    const all = this.all.peek();
    const ticked = all.filter(({ name }) => names.includes(name)).map(({ name }) => name);
    this.#chosen.value = ticked.length < all.length ? ticked : [];
  }
}
