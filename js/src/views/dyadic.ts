/** The dyadic view: the packed picture as a map of importance, and the place where cells are chosen. */
import { describeMap } from "../a11y/description";
import { bindCellKeys } from "../a11y/keys";
import { NO_CELL, type Picture } from "../frame/picture";
import { computed, type ReadonlySignal, type Signal, signal } from "../state/signal";
import { type Point, pointOf, ScreenCanvas, trackPointer } from "./canvas";
import type { Colours } from "./colormap";
import { colourBar } from "./colour_bar";
import { runScale, type ViewContext } from "./context";
import { CrossFade } from "./cross_fade";
import { element, pane, setAttribute, setText } from "./dom";
import { type DyadicPicture, drawDyadic } from "./dyadic_draw";
import {
  bandOf,
  cellAt,
  cellRectangle,
  cellsOfBand,
  cellsTouched,
  type Rectangle,
  spanned,
} from "./geometry";
import { ACCENT, fitting, outline } from "./marks";
import { place, type Scale } from "./scale";
import { cellFacts, Tooltip } from "./tooltip";
import { bandLabel, kindLegend } from "./words";

export class DyadicPane {
  readonly element: HTMLElement;
  /** Gives up a rectangle that is being drawn; false when there is none. */
  readonly abandonDrag: () => boolean;
  readonly #context: ViewContext;
  readonly #colours: ReadonlySignal<Colours>;
  readonly #canvas = element("canvas", { "data-wcam": "dyadic", tabindex: 0, role: "application" });
  readonly #overlay = element("canvas", {
    class: "wcam-overlay",
    "data-wcam": "dyadic-overlay",
    "aria-hidden": "true",
  });
  readonly #tooltip = new Tooltip();
  /** the cell of the keyboard */
  readonly #cursor: Signal<number> = signal(0);
  readonly #focused: Signal<boolean> = signal(false);
  /** the band that fills the view; -1 for the whole picture */
  readonly #zoomed: Signal<number> = signal(-1);
  /** the part of the packed picture that fills the view, in coefficients */
  readonly #window: ReadonlySignal<Rectangle>;
  /** the rectangle being drawn, in coefficients of the packed picture */
  readonly #drag: Signal<Rectangle | null> = signal(null);

  constructor(context: ViewContext) {
    this.#context = context;
    const { attribution, picture } = context.session;
    this.#window = computed(() => {
      const { pictureHeight = 1, pictureWidth = 1, bands = [] } = picture.value ?? {};
      const { top, left, height, width } = bands[this.#zoomed.value] ?? {
        top: 0,
        left: 0,
        height: pictureHeight,
        width: pictureWidth,
      };
      return { top, left, bottom: top + height, right: left + width };
    });
    const scale = runScale(
      context,
      computed(() => {
        const map = attribution.value;
        return map && { run: map.run, numbers: map.values, signed: map.signed };
      }),
    );
    this.#colours = context.colours(scale);
    this.element = this.#layOut(scale);
    this.#bindMap(scale);
    this.#bindMarks();
    this.abandonDrag = this.#trackPointer();
    this.#bindKeyboard();
  }

  #layOut(scale: ReadonlySignal<Scale>): HTMLElement {
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
    const kinds = element("p", { class: "wcam-note", "data-wcam": "kinds" });
    const description = element("p", {
      class: "wcam-unseen",
      id: `wcam-${Math.random().toString(36).slice(2)}`,
    });
    setAttribute(canvas, "aria-roledescription", "wavelet picture");
    setAttribute(canvas, "aria-label", "Dyadic view: importance by scale, filter and place");
    setAttribute(canvas, "aria-describedby", description.id);
    bind(() => {
      const picture = session.picture.value;
      setAttribute(canvas, "data-picture-height", picture?.pictureHeight);
      setAttribute(canvas, "data-picture-width", picture?.pictureWidth);
      plate.style.aspectRatio = picture ? `${picture.pictureWidth} / ${picture.pictureHeight}` : "";
      waiting.hidden = picture !== null;
      const band = picture?.bands[this.#zoomed.value];
      const zoomed = band ? `only ${bandLabel(band)} is shown, double-click to go back` : "";
      const legend = kindLegend(session.attribution.value?.kind ?? null);
      setText(kinds, [zoomed, legend].filter(Boolean).join(" · "));
      setText(description, describeMap(picture, session.attribution.value));
    });
    const unit = (): string => session.attribution.value?.unit ?? "no value yet";
    return pane("dyadic", "Dyadic view", plate, colourBar(this.#context, scale, unit), kinds, description);
  }

  #bindMap(scale: ReadonlySignal<Scale>): void {
    const { session, scope, repaint, theme, bind } = this.#context;
    const fade = new CrossFade(repaint, (positions) => {
      const picture = session.picture.peek();
      if (!screen.drawable || picture === null) return;
      drawDyadic(screen.context, this.#look(picture, positions), screen.ratio);
    });
    const screen = new ScreenCanvas(scope, this.#canvas, () => fade.redraw());
    bind(() => {
      const { value: picture } = session.picture;
      const values = session.attribution.value?.values;
      const now = scale.value;
      const known = values?.map((value) => (Number.isNaN(value) ? Number.NaN : place(now, value)));
      fade.show(known ?? new Float32Array(picture?.cellCount ?? 0).fill(Number.NaN));
    });
    bind(() => {
      // Reading them is subscribing: each changes how the same map is drawn.
      void [
        session.selection.cells.value,
        session.kept.value,
        this.#colours.value,
        theme.value,
        this.#window.value,
      ];
      fade.redraw();
    });
  }

  /** Everything that decides how the picture looks now. */
  #look(picture: Picture, positions: Float32Array): DyadicPicture {
    const { session } = this.#context;
    const style = getComputedStyle(this.#canvas);
    const signed = session.attribution.peek()?.signed;
    return {
      table: picture,
      positions,
      kinds: session.attribution.peek()?.kind ?? null,
      kept: session.kept.peek(),
      selection: session.selection.cells.peek(),
      colours: this.#colours.peek().css,
      plate: style.getPropertyValue("--wcam-plate"),
      ground: style.getPropertyValue("--wcam-ground"),
      window: this.#window.peek(),
      // White frames would be lost on a signed map, which is white at zero.
      frame: style.getPropertyValue(signed ? "--wcam-control" : "--wcam-frame"),
      ink: style.getPropertyValue("--wcam-ink"),
    };
  }

  #bindMarks(): void {
    const { session, scope, repaint, hover, bind } = this.#context;
    const paint = (): void => {
      const picture = session.picture.peek();
      if (!screen.drawable || picture === null) return;
      screen.clear();
      const { context } = screen;
      const mapping = fitting(this.#window.peek(), screen);
      const cells = (hover.peek()?.cells ?? []).map((cell) => cellRectangle(picture, cell));
      if (cells.length > 0) outline(context, cells, mapping);
      if (this.#focused.peek()) {
        outline(context, [cellRectangle(picture, this.#cursor.peek())], mapping, { dashed: true });
      }
      const drag = this.#drag.peek();
      if (drag) outline(context, [drag], mapping, { colour: ACCENT, dashed: true });
    };
    const screen = new ScreenCanvas(scope, this.#overlay, () => repaint.request(paint));
    bind(() => {
      void [session.picture.value, this.#window.value, hover.value, this.#cursor.value];
      void [this.#focused.value, this.#drag.value];
      repaint.request(paint);
    });
  }

  /** Fractions of the canvas as coefficients of the packed picture. */
  #toPicture({ y, x }: Point): Point {
    const { top, left, bottom, right } = this.#window.peek();
    return { y: top + y * (bottom - top), x: left + x * (right - left) };
  }

  #cellUnder(point: Point): number {
    const picture = this.#context.session.picture.peek();
    const { y, x } = this.#toPicture(point);
    return picture === null ? NO_CELL : cellAt(picture, y, x);
  }

  #inPicture({ top, left, bottom, right }: Rectangle): Rectangle {
    return spanned(this.#toPicture({ y: top, x: left }), this.#toPicture({ y: bottom, x: right }));
  }

  #trackPointer(): () => boolean {
    const { session, scope, hover, act } = this.#context;
    scope.listen(this.#canvas, "dblclick", (event) => {
      // Its two clicks have toggled the cell there and back.
      this.#zoom(this.#cellUnder(pointOf(this.#canvas, event)));
    });
    return trackPointer(scope, this.#canvas, {
      hover: (point) => {
        const cell = point ? this.#cellUnder(point) : NO_CELL;
        hover.value = cell === NO_CELL ? null : { cells: [cell], from: "dyadic" };
        if (point && cell !== NO_CELL) this.#explain(cell, point);
        else this.#tooltip.hide();
      },
      click: (point, event) => this.#click(this.#cellUnder(point), event.shiftKey),
      drag: (rectangle) => {
        this.#drag.value = rectangle && this.#inPicture(rectangle);
      },
      drop: (rectangle) => {
        const picture = session.picture.peek();
        if (picture) act(() => session.selection.toggle(cellsTouched(picture, this.#inPicture(rectangle))));
      },
    });
  }

  #click(cell: number, wholeBand: boolean): void {
    const { selection, picture } = this.#context.session;
    const table = picture.peek();
    if (cell === NO_CELL || table === null) return;
    this.#context.act(() => {
      this.#cursor.value = cell;
      selection.toggle(wholeBand ? cellsOfBand(table, bandOf(table, cell)) : [cell]);
    });
  }

  /** Lets the band of a cell fill the view, or goes back to the whole picture. */
  #zoom(cell: number): void {
    const picture = this.#context.session.picture.peek();
    const back = this.#zoomed.peek() >= 0 || cell === NO_CELL || picture === null;
    this.#zoomed.value = back ? -1 : bandOf(picture, cell);
    this.#tooltip.hide();
  }

  #explain(cell: number, point: Point): void {
    const { picture, attribution } = this.#context.session;
    const table = picture.peek();
    if (table) this.#tooltip.show(cellFacts(table, attribution.peek(), cell), point);
  }

  #bindKeyboard(): void {
    const { session, scope, hover, bind } = this.#context;
    bind(() => {
      const count = session.picture.value?.cellCount ?? 0;
      if (this.#cursor.peek() >= count) this.#cursor.value = 0;
      this.#zoomed.value = -1;
    });
    bindCellKeys(this.#context, this.#canvas, this.#cursor, {
      moved: (cell, table) => {
        // A zoomed view follows the cursor into its band.
        if (this.#zoomed.peek() >= 0) this.#zoomed.value = bandOf(table, cell);
        hover.value = { cells: [cell], from: "dyadic" };
        const own = cellRectangle(table, cell);
        const { top, left, bottom, right } = this.#window.peek();
        this.#explain(cell, {
          y: ((own.top + own.bottom) / 2 - top) / (bottom - top),
          x: ((own.left + own.right) / 2 - left) / (right - left),
        });
      },
      zoom: (cell) => this.#zoom(cell),
    });
    scope.listen(this.#canvas, "focus", () => {
      this.#focused.value = this.#canvas.matches(":focus-visible");
    });
    scope.listen(this.#canvas, "blur", () => {
      this.#focused.value = false;
      hover.value = null;
      this.#tooltip.hide();
    });
  }
}
