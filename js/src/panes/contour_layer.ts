/** The canvas over the image that shows lines of equal heat. */
import { overlay, ScreenCanvas } from "../draw/canvas";
import { drawContourLines } from "../draw/contours";
import { contourLines } from "../picture/contours";
import { computed, type ReadonlySignal } from "../reactive/signal";
import type { ViewContext } from "./context";

/** The layer; it is empty while the reader has switched contours off. */
export function contourLayer(
  context: ViewContext,
  heat: ReadonlySignal<{ readonly numbers: Float32Array } | null>,
): HTMLElement {
  const { session, scope, repaint, bind } = context;
  const canvas = overlay("contours");
  const lines = computed(() => {
    const [picture, numbers] = [session.picture.value, heat.value?.numbers];
    return session.withContours.value && picture && numbers
      ? contourLines(numbers, picture, session.layers.shown.value === null)
      : [];
  });
  const paint = (): void => {
    const picture = session.picture.peek();
    if (!screen.drawable || picture === null) return;
    screen.clear();
    const [down, across] = [screen.height / picture.height, screen.width / picture.width];
    drawContourLines(screen, lines.peek(), down, across);
  };
  const screen = new ScreenCanvas(scope, canvas, () => repaint.request(paint));
  bind(() => {
    void lines.value;
    repaint.request(paint);
  });
  return canvas;
}
