/** Canvases that hold as many pixels as the screen shows. */
import { context2d, element } from "./dom";
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

/** A canvas over a picture, which it says nothing new of to a screen reader. */
export function overlay(name: string): HTMLCanvasElement {
  return element("canvas", { class: "wcam-overlay", wcam: name, "aria-hidden": "true" });
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
