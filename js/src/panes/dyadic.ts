/** The dyadic view: the bands as a map of importance, and the place where cells are chosen. */
import { mirrorCells } from "../a11y/cell_grid";
import { describeMap } from "../a11y/description";
import { bindCellKeys } from "../a11y/keys";
import { type BandDrawing, drawBands } from "../draw/bands";
import { overlay, ScreenCanvas } from "../draw/canvas";
import { CrossFade } from "../draw/cross_fade";
import { element, setAttribute, setText } from "../draw/dom";
import { ACCENT, fitting, outline } from "../draw/marks";
import { type Point, pointOf, trackPointer } from "../draw/pointer";
import { NO_CELL } from "../frame/picture";
import { barWords, rangeOf } from "../picture/axis";
import { cellFacts } from "../picture/cell_facts";
import type { Colours } from "../picture/colormap";
import { middleOf } from "../picture/fingerprint";
import {
  bandOf,
  type CellTable,
  cellRectangle,
  cellsOfBand,
  cellsTouched,
  type Rectangle,
  rectangleOf,
} from "../picture/geometry";
import { place, type Scale } from "../picture/scale";
import { computed, type ReadonlySignal, type Signal, signal } from "../reactive/signal";
import { arrangementSwitch } from "./arrangement_switch";
import { bandKey } from "./band_key";
import { runScale, type ViewContext } from "./context";
import { DyadicLayout } from "./dyadic_layout";
import { pane } from "./pane";
import { numbersOf, scaleChoice } from "./scale_choice";
import { Tooltip } from "./tooltip";

export class DyadicPane {
  readonly element: HTMLElement;
  /** Cancels a rectangle that is being drawn; false when there is none. */
  readonly cancelDrag: () => boolean;
  readonly #context: ViewContext;
  readonly #layout: DyadicLayout;
  /** what the colours of cells mean */
  readonly scale: ReadonlySignal<Scale>;
  readonly #colours: ReadonlySignal<Colours>;
  readonly #canvas = element("canvas", { wcam: "dyadic", tabindex: 0, role: "grid" });
  readonly #overlay = overlay("dyadic-overlay");
  readonly #tooltip = new Tooltip();
  /** the cell of the keyboard */
  readonly #cursor: Signal<number> = signal(0);
  readonly #focused: Signal<boolean> = signal(false);
  /** the rectangle being drawn, in steps of the layout */
  readonly #drag: Signal<Rectangle | null> = signal(null);

  constructor(context: ViewContext) {
    this.#context = context;
    this.#layout = new DyadicLayout(context.session);
    this.scale = runScale(
      context,
      "dyadic",
      computed(() => numbersOf(context.session)),
      () => context.session.attribution.value?.unit ?? "",
    );
    this.#colours = context.colours(this.scale);
    this.element = this.#layOut();
    this.#bindMap();
    this.#bindMarks();
    const [cancelPointer, cancelKeys] = [this.#trackPointer(), this.#bindKeyboard()];
    this.cancelDrag = () => [cancelPointer(), cancelKeys()].includes(true);
  }

  #layOut(): HTMLElement {
    const { session, bind } = this.#context;
    const canvas = this.#canvas;
    const waiting = element("p", { class: "wcam-waiting" }, "no map yet");
    const plate = element(
      "div",
      { class: "wcam-plate" },
      canvas,
      this.#overlay,
      waiting,
      this.#tooltip.element,
    );
    const description = element("p", {
      class: "wcam-unseen",
      id: `wcam-${Math.random().toString(36).slice(2)}`,
    });
    setAttribute(canvas, "aria-multiselectable", "true");
    setAttribute(canvas, "aria-label", "Dyadic view: importance by scale, filter and place");
    setAttribute(canvas, "aria-describedby", description.id);
    bind(() => {
      const [picture, table] = [session.picture.value, this.#layout.table.value];
      setAttribute(canvas, "data-picture-height", table?.pictureHeight);
      setAttribute(canvas, "data-picture-width", table?.pictureWidth);
      plate.style.aspectRatio = table ? `${table.pictureWidth} / ${table.pictureHeight}` : "";
      waiting.hidden = table !== null;
      setText(description, describeMap(picture, session.attribution.value));
    });
    const head = [...scaleChoice(this.#context), arrangementSwitch(this.#context)];
    const stage = element(
      "div",
      { class: "wcam-stage" },
      plate,
      bandKey(this.#context, this.#layout, this.scale),
    );
    this.#context.scope.onResize(stage, (width) => this.#layout.fit(width));
    return pane("dyadic", "At which scale", head, stage, description);
  }

  #bindMap(): void {
    const { session, scope, repaint, theme, bind } = this.#context;
    const fade = new CrossFade(repaint, (positions) => {
      const table = this.#layout.table.peek();
      if (!screen.drawable || table === null) return;
      drawBands(screen.context, this.#drawing(table, positions), screen.ratio);
    });
    const screen = new ScreenCanvas(scope, this.#canvas, () => fade.redraw());
    bind(() => {
      const { value: picture } = session.picture;
      const values = session.attribution.value?.values;
      const now = this.scale.value;
      const levels = session.levels.ofCells.value;
      const known = values?.map((value, cell) =>
        Number.isNaN(value) ? Number.NaN : place(now, value, levels[cell]),
      );
      fade.show(known ?? new Float32Array(picture?.cellCount ?? 0).fill(Number.NaN));
    });
    bind(() => {
      // Reading them is subscribing: each changes how the same map is drawn.
      void [session.selection.cells.value, session.kept.value, this.#colours.value];
      void [theme.value, this.#layout.window.value];
      fade.redraw();
    });
  }

  /** Everything that decides how the picture looks now. */
  #drawing(table: CellTable, positions: Float32Array): BandDrawing {
    const { session } = this.#context;
    const style = getComputedStyle(this.#canvas);
    const map = session.attribution.peek();
    const range = rangeOf(map);
    const totals = Array.from(map?.profile.total ?? []);
    return {
      table,
      positions,
      kinds: map?.kind ?? null,
      totals: totals.map((total) => (Number.isFinite(total) ? barWords(total, range) : "")),
      namesAbove: this.#layout.spaced.peek(),
      kept: session.kept.peek(),
      selection: session.selection.cells.peek(),
      colours: this.#colours.peek(),
      plate: style.getPropertyValue("--wcam-plate"),
      ground: style.getPropertyValue("--wcam-ground"),
      window: this.#layout.window.peek(),
      // White frames would be lost on a signed map, which is white at zero.
      frame: style.getPropertyValue(map?.signed ? "--wcam-control" : "--wcam-frame"),
      ink: style.getPropertyValue("--wcam-ink"),
      quiet: style.getPropertyValue("--wcam-quiet"),
    };
  }

  #bindMarks(): void {
    const { scope, repaint, hover, bind } = this.#context;
    const { table, window } = this.#layout;
    const paint = (): void => {
      const cellsAt = table.peek();
      if (!screen.drawable || cellsAt === null) return;
      screen.clear();
      const { context } = screen;
      const mapping = fitting(window.peek(), screen);
      const hovered = hover.peek();
      const band =
        hovered?.from === "profile" ? cellsAt.bands[bandOf(cellsAt, hovered.cells[0] ?? 0)] : undefined;
      // A whole band has one outline: those of its cells would hide their colours.
      const rectangles = band
        ? [rectangleOf(band)]
        : hovered?.cells.map((cell) => cellRectangle(cellsAt, cell));
      if (rectangles) outline(context, rectangles, mapping);
      if (this.#focused.peek()) {
        outline(context, [cellRectangle(cellsAt, this.#cursor.peek())], mapping, { dashed: true });
      }
      const drag = this.#drag.peek();
      if (drag) outline(context, [drag], mapping, { colour: ACCENT, dashed: true });
    };
    const screen = new ScreenCanvas(scope, this.#overlay, () => repaint.request(paint));
    bind(() => {
      void [table.value, window.value, hover.value, this.#cursor.value];
      void [this.#focused.value, this.#drag.value];
      repaint.request(paint);
    });
  }

  #trackPointer(): () => boolean {
    const { session, scope, act } = this.#context;
    const layout = this.#layout;
    scope.listen(this.#canvas, "dblclick", (event) => {
      // Its two clicks have toggled the cell there and back.
      this.#zoom(layout.cellUnder(pointOf(this.#canvas, event)));
    });
    return trackPointer(scope, this.#canvas, {
      hover: (point) => {
        const cell = point ? layout.cellUnder(point) : NO_CELL;
        this.#light(cell);
        if (point && cell !== NO_CELL) this.#explain(cell, point);
        else this.#tooltip.hide();
      },
      click: (point, event) => this.#click(layout.cellUnder(point), event.shiftKey),
      drag: (rectangle) => {
        this.#drag.value = rectangle && layout.fromView(rectangle);
      },
      drop: (rectangle) => {
        const table = layout.table.peek();
        if (table) act(() => session.selection.toggle(cellsTouched(table, layout.fromView(rectangle))));
      },
    });
  }

  /** Puts the attention on a cell. */
  #light(cell: number): void {
    const picture = this.#context.session.picture.peek();
    this.#context.hover.value =
      cell === NO_CELL || picture === null
        ? null
        : { cells: [cell], from: "dyadic", point: middleOf(picture, cell) };
  }

  #click(cell: number, ofBand: boolean): void {
    const { selection } = this.#context.session;
    const table = this.#layout.table.peek();
    if (cell === NO_CELL || table === null) return;
    this.#context.act(() => {
      this.#cursor.value = cell;
      selection.toggle(ofBand ? cellsOfBand(table, bandOf(table, cell)) : [cell]);
    });
  }

  /** Lets the band of a cell fill the view, or goes back to the whole picture. */
  #zoom(cell: number): void {
    if (this.#layout.zoomed.peek() !== null || cell === NO_CELL) this.#layout.zoomOut();
    else this.#layout.zoomTo(cell);
    this.#tooltip.hide();
  }

  #explain(cell: number, pointer: Point): void {
    const table = this.#layout.table.peek();
    const band = table?.bands[bandOf(table, cell)];
    if (!table || !band) return;
    const lines = cellFacts(table, this.#context.session.attribution.peek(), cell, this.scale.peek().top);
    const shown = this.#layout.toView(rectangleOf(band));
    this.#tooltip.show(lines, shown, pointer);
  }

  /** Returns a function that gives up a rectangle spanned by keys. */
  #bindKeyboard(): () => boolean {
    const { session, scope, hover, bind } = this.#context;
    const layout = this.#layout;
    bind(() => {
      const count = session.picture.value?.cellCount ?? 0;
      if (this.#cursor.peek() >= count) this.#cursor.value = 0;
      layout.zoomOut();
    });
    mirrorCells(this.#context, this.#canvas, layout.table, this.#cursor);
    scope.listen(this.#canvas, "focus", () => {
      this.#focused.value = this.#canvas.matches(":focus-visible");
    });
    scope.listen(this.#canvas, "blur", () => {
      this.#focused.value = false;
      hover.value = null;
      this.#tooltip.hide();
    });
    return bindCellKeys(this.#context, this.#canvas, this.#cursor, {
      table: () => layout.table.peek(),
      span: (rectangle) => {
        this.#drag.value = rectangle;
      },
      moved: (cell, table) => {
        // A zoomed view follows the cursor into its band.
        if (layout.zoomed.peek() !== null) layout.zoomTo(cell);
        this.#light(cell);
        const own = layout.toView(cellRectangle(table, cell));
        this.#explain(cell, { y: (own.top + own.bottom) / 2, x: (own.left + own.right) / 2 });
      },
      zoom: (cell) => this.#zoom(cell),
    });
  }
}
