/** The photograph with the heatmap over it, and what the pointer means there. */

import { overlay, ScreenCanvas } from "../draw/canvas";
import { CrossFade } from "../draw/cross_fade";
import { element, setAttribute } from "../draw/dom";
import { ACCENT, fitting, outline } from "../draw/marks";
import { paintBytes, paintPositions, sizeTo } from "../draw/pixels";
import { type Point, trackPointer } from "../draw/pointer";
import { COLORMAPS } from "../picture/colormap";
import { CONTOUR_WORDS } from "../picture/contours";
import { cellsInside, cellsOver, type Rectangle, supportRectangle } from "../picture/geometry";
import { type MapNumbers, place, type Scale } from "../picture/scale";
import { computed, type ReadonlySignal, type Signal, signal } from "../reactive/signal";
import { colourBar } from "./colour_bar";
import { runScale, type ViewContext } from "./context";
import { contourLayer } from "./contour_layer";
import { disclosure } from "./disclosure";
import { heatOf, unitWords } from "./image_map";
import { layerSelect } from "./layer_select";
import { levelRow } from "./level_row";
import { pane } from "./pane";
import { selectionLayer } from "./selection_layer";

export class ImagePane {
  readonly element: HTMLElement;
  /** Cancels a rectangle that is being drawn; false when there is none. */
  readonly cancelDrag: () => boolean;
  readonly #context: ViewContext;
  readonly #photo = element("canvas", { wcam: "image", tabindex: -1, role: "img" });
  readonly #heat = overlay("heat");
  readonly #overlay = overlay("image-overlay");
  /** the rectangle being drawn, in image pixels */
  readonly #drag: Signal<Rectangle | null> = signal(null);

  constructor(context: ViewContext) {
    this.#context = context;
    const heat = computed(() => heatOf(context.session));
    const scale = runScale(context, "image", heat, () => unitWords(context.session));
    this.element = this.#layOut(heat, scale);
    this.#bindPictures(heat, scale);
    this.#bindMarks();
    this.cancelDrag = this.#trackPointer();
  }

  #layOut(heat: ReadonlySignal<MapNumbers | null>, scale: ReadonlySignal<Scale>): HTMLElement {
    const { session, bind } = this.#context;
    const plate = element(
      "div",
      { class: "wcam-plate" },
      this.#photo,
      this.#heat,
      contourLayer(this.#context, heat),
      selectionLayer(this.#context),
      this.#overlay,
    );
    this.#photo.setAttribute("aria-label", "The image with the heatmap over it");
    bind(() => {
      const picture = session.picture.value;
      plate.style.aspectRatio = picture ? `${picture.width} / ${picture.height}` : "";
    });
    const [head, contours] = this.#controls(scale);
    const layer = layerSelect(this.#context);
    const choices = element("div", { class: "wcam-row" }, layer, levelRow(this.#context), contours);
    const bar = colourBar(
      this.#context,
      scale,
      () => unitWords(session) + (this.#context.scales?.words("image") ?? ""),
    );
    const more = disclosure("layer-details");
    bind(() => more.show(session.layers.shown.value?.details ?? ""));
    return pane("image", "Where", head, plate, bar, more.element, choices);
  }

  /** What stands beside the heading, and the tick for the lines. */
  #controls(scale: ReadonlySignal<Scale>): [readonly HTMLElement[], HTMLElement] {
    const { session, scope, act, bind } = this.#context;
    const contours = element("input", { type: "checkbox", wcam: "contours-shown" });
    const opacity = element("input", { type: "range", min: 0, max: 1, step: 0.05, wcam: "opacity" });
    const options = COLORMAPS.map((name) => element("option", { value: name }, name));
    const colormap = element("select", { wcam: "colormap" }, ...options);
    scope.listen(opacity, "input", () => {
      session.opacity.value = opacity.valueAsNumber;
    });
    scope.listen(colormap, "change", () => {
      session.colormap.value = COLORMAPS.find((name) => name === colormap.value) ?? "cividis";
    });
    scope.listen(contours, "change", () =>
      act(() => {
        session.withContours.value = contours.checked;
      }),
    );
    bind(() => {
      contours.checked = session.withContours.value;
      opacity.valueAsNumber = session.opacity.value;
      colormap.value = session.colormap.value;
      this.#heat.style.opacity = String(session.opacity.value);
    });
    const colours = element("label", { title: "colours of the maps" }, colormap);
    setAttribute(colormap, "aria-label", "colours");
    bind(() => {
      // Signed maps have colours of their own; where all that is shown is signed there is nothing to choose.
      colours.hidden = scale.value.signed && session.attribution.value?.signed === true;
    });
    const heat = element("label", { title: "opacity of the heatmap" }, "heat", opacity);
    return [[heat, colours], element("label", { title: CONTOUR_WORDS }, contours, "contours")];
  }

  #bindPictures(heat: ReadonlySignal<MapNumbers | null>, scale: ReadonlySignal<Scale>): void {
    const { session, repaint, bind } = this.#context;
    const colours = this.#context.colours(scale);
    bind(() => {
      const picture = session.picture.value;
      if (picture === null) return;
      repaint.request(() => {
        sizeTo(this.#photo, picture.height, picture.width);
        paintBytes(this.#photo, picture.image);
      });
    });
    const fade = new CrossFade(repaint, (positions) => {
      const picture = session.picture.peek();
      if (picture === null || positions.length !== picture.height * picture.width) return;
      sizeTo(this.#heat, picture.height, picture.width);
      paintPositions(this.#heat, positions, colours.peek().table);
    });
    bind(() => {
      const [picture, now] = [session.picture.value, scale.value];
      const numbers = heat.value?.numbers;
      const pixels = (picture?.height ?? 0) * (picture?.width ?? 0);
      fade.show(numbers?.map((value) => place(now, value)) ?? new Float32Array(pixels).fill(Number.NaN));
    });
    bind(() => {
      void colours.value;
      fade.redraw();
    });
  }

  #bindMarks(): void {
    const { session, scope, repaint, hover, bind } = this.#context;
    const paint = (): void => {
      const picture = session.picture.peek();
      if (!screen.drawable || picture === null) return;
      screen.clear();
      const { context } = screen;
      const mapping = fitting({ top: 0, left: 0, bottom: picture.height, right: picture.width }, screen);
      const hovered = hover.peek();
      // A point of the image lights up cells of every scale: their supports lie in each other and say little here.
      const cells = hovered?.from === "dyadic" ? hovered.cells : [];
      const supports = cells.map((cell) => supportRectangle(picture, cell));
      if (supports.length > 0) outline(context, supports, mapping, { fill: "rgba(255, 255, 255, 0.25)" });
      const drag = this.#drag.peek();
      if (drag) outline(context, [drag], mapping, { colour: ACCENT, dashed: true });
    };
    const screen = new ScreenCanvas(scope, this.#overlay, () => repaint.request(paint));
    bind(() => {
      void [session.picture.value, hover.value, this.#drag.value];
      repaint.request(paint);
    });
  }

  #trackPointer(): () => boolean {
    const { session, scope, hover, act } = this.#context;
    const inImage = ({ top, left, bottom, right }: Rectangle): Rectangle => {
      const { height = 0, width = 0 } = session.picture.peek() ?? {};
      return { top: top * height, left: left * width, bottom: bottom * height, right: right * width };
    };
    const counts = (cell: number): boolean => session.levels.cells.peek()[cell] === 1;
    const cellsAt = ({ y, x }: Point): number[] => {
      const picture = session.picture.peek();
      return picture ? cellsOver(picture, y * picture.height, x * picture.width).filter(counts) : [];
    };
    return trackPointer(scope, this.#photo, {
      hover: (point) => {
        const { height = 0, width = 0 } = session.picture.peek() ?? {};
        hover.value = point && {
          cells: cellsAt(point),
          from: "image",
          point: { y: point.y * height, x: point.x * width },
        };
      },
      click: (point) => act(() => session.selection.toggle(cellsAt(point))),
      drag: (rectangle) => {
        this.#drag.value = rectangle && inImage(rectangle);
      },
      drop: (rectangle) => {
        const picture = session.picture.peek();
        if (picture)
          act(() => session.selection.toggle(cellsInside(picture, inImage(rectangle)).filter(counts)));
      },
    });
  }
}
