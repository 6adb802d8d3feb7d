/** Canvases that hold as many pixels as the screen shows, and the pointer on them. */
import { context2d } from "./dom";
import { type Rectangle, spanned } from "./geometry";
import type { Scope } from "./scope";

/** Calls `changed` when the window moves to a screen of another density, or is zoomed. */
function onPixelRatio(scope: Scope, changed: () => void): void {
  let query: MediaQueryList | undefined;
  const disarm = (): void => query?.removeEventListener("change", rearm);
  const rearm = (): void => {
    disarm();
    if (query) scope.guard(changed);
    query = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    query.addEventListener("change", rearm);
  };
  rearm();
  scope.add(disarm);
}

/** Keeps the backing store of a canvas at its CSS size times the pixel ratio; `resized` draws it anew. */
export class ScreenCanvas {
  readonly context: CanvasRenderingContext2D;
  /** device pixels per CSS pixel */
  ratio = 1;
  #cssWidth = 0;
  #cssHeight = 0;

  constructor(scope: Scope, canvas: HTMLCanvasElement, resized: () => void) {
    this.context = context2d(canvas);
    const resize = (): void => {
      this.ratio = devicePixelRatio;
      const width = Math.round(this.#cssWidth * this.ratio);
      const height = Math.round(this.#cssHeight * this.ratio);
      if (canvas.width !== width) canvas.width = width;
      if (canvas.height !== height) canvas.height = height;
      resized();
    };
    scope.onResize(canvas, (width, height) => {
      this.#cssWidth = width;
      this.#cssHeight = height;
      resize();
    });
    onPixelRatio(scope, () => {
      if (this.drawable) resize();
    });
    scope.add(() => {
      canvas.width = 0; // gives the pixels back before the element is collected
    });
  }

  /** False until the page has given the canvas a size. */
  get drawable(): boolean {
    return this.#cssWidth > 0;
  }

  get width(): number {
    return this.context.canvas.width;
  }

  get height(): number {
    return this.context.canvas.height;
  }

  clear(): void {
    this.context.setTransform(1, 0, 0, 1, 0, 0);
    this.context.clearRect(0, 0, this.width, this.height);
  }
}

/** A place on a canvas as a fraction of its height and width. */
export interface Point {
  readonly y: number;
  readonly x: number;
}

export interface PointerActions {
  hover(point: Point | null): void;
  click(point: Point, event: PointerEvent): void;
  /** a rectangle being drawn; null when it is given up */
  drag(rectangle: Rectangle | null): void;
  drop(rectangle: Rectangle): void;
}

/** CSS pixels a pointer moves before a press becomes a drag. */
const DRAG_THRESHOLD = 4;

/** Where an event happened on a canvas. */
export function pointOf(canvas: HTMLElement, event: MouseEvent): Point {
  const box = canvas.getBoundingClientRect();
  const inside = (value: number): number => Math.min(1, Math.max(0, value));
  return {
    y: inside((event.clientY - box.top) / box.height),
    x: inside((event.clientX - box.left) / box.width),
  };
}

/** Turns pointer events on a canvas into hovers, clicks and rectangles. Returns what gives a drag up. */
export function trackPointer(scope: Scope, canvas: HTMLElement, actions: PointerActions): () => boolean {
  let pressed: { readonly event: PointerEvent; readonly point: Point } | null = null;
  let dragging = false;
  const abandon = (): boolean => {
    const was = dragging;
    pressed = null;
    dragging = false;
    if (was) actions.drag(null);
    return was;
  };
  scope.listen(canvas, "pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    pressed = { event, point: pointOf(canvas, event) };
    canvas.setPointerCapture(event.pointerId);
  });
  scope.listen(canvas, "pointermove", (event) => {
    const point = pointOf(canvas, event);
    actions.hover(point);
    if (!pressed) return;
    const moved = Math.hypot(event.clientX - pressed.event.clientX, event.clientY - pressed.event.clientY);
    dragging ||= moved > DRAG_THRESHOLD;
    if (dragging) actions.drag(spanned(pressed.point, point));
  });
  scope.listen(canvas, "pointerup", (event) => {
    if (!pressed) return;
    const from = pressed.point;
    const rectangle = spanned(from, pointOf(canvas, event));
    if (abandon()) actions.drop(rectangle);
    else actions.click(from, event);
  });
  scope.listen(canvas, "pointercancel", () => {
    abandon();
    actions.hover(null);
  });
  scope.listen(canvas, "pointerleave", () => actions.hover(null));
  return abandon;
}
