/** The pointer on a canvas: hovers, clicks and rectangles. */
import { type Rectangle, spanned } from "../picture/geometry";
import type { Scope } from "./scope";

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

/** Turns pointer events on a canvas into hovers, clicks and rectangles. Returns a function that cancels a drag. */
export function trackPointer(scope: Scope, canvas: HTMLElement, actions: PointerActions): () => boolean {
  let pressed: { readonly event: PointerEvent; readonly point: Point } | null = null;
  let dragging = false;
  const cancel = (): boolean => {
    const was = dragging;
    pressed = null;
    dragging = false;
    if (was) actions.drag(null);
    return was;
  };
  scope.listen(canvas, "pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    pressed = { event, point: pointOf(canvas, event) };
    actions.hover(pressed.point); // a finger does not hover before it presses
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
    if (cancel()) actions.drop(rectangle);
    else actions.click(from, event);
  });
  scope.listen(canvas, "pointercancel", () => {
    cancel();
    actions.hover(null);
  });
  scope.listen(canvas, "pointerleave", () => actions.hover(null));
  return cancel;
}
