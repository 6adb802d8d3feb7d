/** The canvas over the image that shows where the selection lies. */
import { overlay, ScreenCanvas } from "../draw/canvas";
import { drawContour, fitting } from "../draw/marks";
import { selectedOutline } from "../picture/selected_area";
import { computed } from "../reactive/signal";
import type { ViewContext } from "./context";

export function selectionLayer(context: ViewContext): HTMLElement {
  const { session, scope, repaint, bind } = context;
  const canvas = overlay("selected-area");
  const outline = computed(() => {
    const [picture, cells] = [session.picture.value, session.selection.cells.value];
    return picture && cells.length > 0 ? selectedOutline(picture, cells, picture.height, picture.width) : [];
  });
  const paint = (): void => {
    const picture = session.picture.peek();
    if (!screen.drawable || picture === null) return;
    screen.clear();
    const image = { top: 0, left: 0, bottom: picture.height, right: picture.width };
    drawContour(screen.context, outline.peek(), fitting(image, screen));
  };
  const screen = new ScreenCanvas(scope, canvas, () => repaint.request(paint));
  bind(() => {
    void outline.value;
    repaint.request(paint);
  });
  return canvas;
}
