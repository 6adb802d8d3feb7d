/** The line of the most important cells: how many of them are kept is a selection like any other. */
import type { AttributionFrame } from "../frame/attribution";
import type { Picture } from "../frame/picture";
import type { RetentionFrame } from "../frame/retention";
import { coefficientShares } from "../picture/retention";
import { batch, computed, type ReadonlySignal, type Signal } from "../reactive/signal";
import type { Mode, Selection } from "./selection";

export class TopLine {
  /** the curve of the picture; null until there is one */
  readonly curve: ReadonlySignal<RetentionFrame | null>;
  /** the share of coefficients of the first cells, by how many these are */
  readonly shares: ReadonlySignal<Float64Array>;
  /** how many of the first cells are kept; null where the selection keeps others */
  readonly count: ReadonlySignal<number | null>;
  /** whether the map has gone on since, so that its order may be another */
  readonly outdated: ReadonlySignal<boolean>;
  readonly #selection: Selection;
  readonly #mode: Signal<Mode>;

  constructor(
    frame: ReadonlySignal<RetentionFrame | null>,
    picture: ReadonlySignal<Picture | null>,
    attribution: ReadonlySignal<Pick<AttributionFrame, "evaluations" | "gradients"> | null>,
    selection: Selection,
    mode: Signal<Mode>,
  ) {
    this.#selection = selection;
    this.#mode = mode;
    this.curve = computed(() => {
      const [curve, image] = [frame.value, picture.value];
      return curve?.run === image?.run && curve?.order.length === image?.cellCount ? curve : null;
    });
    this.shares = computed(() => {
      const [curve, table] = [this.curve.value, picture.value];
      return curve && table ? coefficientShares(table, curve.order) : new Float64Array(1);
    });
    this.count = computed(() => {
      const order = this.curve.value?.order;
      const members = selection.members.value;
      if (order === undefined) return null;
      if (members.size === 0) return order.length;
      return mode.value === "keep" && startsWith(order, members) ? members.size : null;
    });
    this.outdated = computed(() => {
      const [curve, map] = [this.curve.value, attribution.value];
      return curve !== null && map !== null && curve.passes !== map.evaluations + 2 * map.gradients;
    });
  }

  /** Keeps the first `count` cells alone; `continued` when it goes on with the last such change. */
  keep(count: number, continued = false): void {
    const order = this.curve.peek()?.order;
    if (order === undefined) return;
    batch(() => {
      this.#mode.value = "keep";
      // All cells kept are the image itself, which has a name of its own: nothing selected.
      const kept = count >= order.length ? [] : [...order.subarray(0, count)];
      this.#selection.replace(kept, continued);
    });
  }

  /** Keeps the fewest cells that hold the model's decision; null while their number is not known. */
  snap(): number | null {
    const depth = this.curve.peek()?.depth ?? null;
    if (depth === null) return null;
    this.keep(Math.max(1, depth));
    return Math.max(1, depth);
  }
}

function startsWith(order: Int32Array, members: ReadonlySet<number>): boolean {
  return order.subarray(0, members.size).every((cell) => members.has(cell));
}
