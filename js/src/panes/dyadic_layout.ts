/** How the cells are laid out in the dyadic view, and which part of that fills it. */

import type { Point } from "../draw/pointer";
import { NO_CELL } from "../frame/picture";
import { sideBySide } from "../picture/arrangement";
import { bandOf, type CellTable, cellAt, type Rectangle, spanned } from "../picture/geometry";
import { computed, type ReadonlySignal, type Signal, signal } from "../reactive/signal";
import type { Session } from "../state/session";

/** From so many CSS pixels on, four bands stand side by side. */
const WIDE = 490;

export class DyadicLayout {
  /** the cells where they are drawn, in steps of the layout */
  readonly table: ReadonlySignal<CellTable | null>;
  /** the band that fills the view; null while all are shown */
  readonly zoomed: ReadonlySignal<number | null>;
  /** the part of the layout that fills the view */
  readonly window: ReadonlySignal<Rectangle>;
  /** whether bands stand at one size, with their names above them */
  readonly spaced: ReadonlySignal<boolean>;
  /** whether the coarse image stands beside the details, the key below it */
  readonly wide: ReadonlySignal<boolean>;
  readonly #band: Signal<number | null> = signal(null);
  readonly #room: Signal<boolean> = signal(true);

  constructor({ picture, packed }: Session) {
    // Each part of the colour has a coarse image of its own: side by side they would be small.
    this.wide = computed(() => this.#room.value && picture.value?.bands[0]?.part === "");
    this.table = computed(() => {
      const { value: table } = picture;
      if (table === null || packed.value) return table;
      return sideBySide(table, this.wide.value ? "left" : "above");
    });
    this.zoomed = this.#band;
    this.window = computed(() => {
      const { pictureHeight = 1, pictureWidth = 1, bands = [] } = this.table.value ?? {};
      const all = { top: 0, left: 0, height: pictureHeight, width: pictureWidth };
      const { top, left, height, width } = bands[this.zoomed.value ?? -1] ?? all;
      return { top, left, bottom: top + height, right: left + width };
    });
    this.spaced = computed(() => this.table.value !== picture.value && this.zoomed.value === null);
  }

  /** Lays bands out for a view of so many CSS pixels. */
  fit(width: number): void {
    this.#room.value = width >= WIDE;
  }

  /** Lets the band of a cell fill the view. */
  zoomTo(cell: number): void {
    const table = this.table.peek();
    if (table) this.#band.value = bandOf(table, cell);
  }

  /** Shows all bands again. */
  zoomOut(): void {
    this.#band.value = null;
  }

  /** The cell at a place of the view, in fractions, or NO_CELL. */
  cellUnder(point: Point): number {
    const table = this.table.peek();
    const { y, x } = this.#toLayout(point);
    return table === null ? NO_CELL : cellAt(table, y, x);
  }

  /** A rectangle of the view, in fractions, in steps of the layout. */
  fromView({ top, left, bottom, right }: Rectangle): Rectangle {
    return spanned(this.#toLayout({ y: top, x: left }), this.#toLayout({ y: bottom, x: right }));
  }

  /** A rectangle of the layout as fractions of the view. */
  toView(rectangle: Rectangle): Rectangle {
    const { top, left, bottom, right } = this.window.peek();
    return {
      top: (rectangle.top - top) / (bottom - top),
      left: (rectangle.left - left) / (right - left),
      bottom: (rectangle.bottom - top) / (bottom - top),
      right: (rectangle.right - left) / (right - left),
    };
  }

  #toLayout({ y, x }: Point): Point {
    const { top, left, bottom, right } = this.window.peek();
    return { y: top + y * (bottom - top), x: left + x * (right - left) };
  }
}
