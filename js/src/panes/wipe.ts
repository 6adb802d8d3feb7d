/** The line that is wiped over a reconstruction: left of it stands the image. */
import { overlay } from "../draw/canvas";
import { element, setAttribute } from "../draw/dom";
import { paintBytes, sizeTo } from "../draw/pixels";
import { pointOf } from "../draw/pointer";
import { type ReadonlySignal, type Signal, signal } from "../reactive/signal";
import type { ViewContext } from "./context";

const [STEP, LEAP] = [0.02, 0.1];

/** Where a key leads the line, as a part of the width; undefined when it is none of its keys. */
export function wipeAfterKey(place: number, key: string): number | undefined {
  const moves: Record<string, number> = {
    ArrowLeft: place - STEP,
    ArrowDown: place - STEP,
    ArrowRight: place + STEP,
    ArrowUp: place + STEP,
    PageDown: place - LEAP,
    PageUp: place + LEAP,
    Home: 0,
    End: 1,
  };
  const next = moves[key];
  return next === undefined ? undefined : Math.min(1, Math.max(0, next));
}

/** The image above the reconstruction as far as the line, and the line; both are absent unless `shown`. */
export function wipeLayer(context: ViewContext, plate: HTMLElement, shown: ReadonlySignal<boolean>): void {
  const { session, repaint, bind } = context;
  const image = overlay("wipe-image");
  const line = element("div", {
    class: "wcam-wipe",
    role: "slider",
    tabindex: 0,
    wcam: "wipe",
    "aria-label": "wipe: the image on the left, the reconstruction on the right",
    "aria-valuemin": 0,
    "aria-valuemax": 100,
  });
  const place: Signal<number> = signal(0.5);
  plate.append(image, line);
  bind(() => {
    const picture = session.picture.value;
    image.hidden = line.hidden = !shown.value || picture === null;
    if (!shown.value || picture === null) return;
    repaint.request(() => {
      sizeTo(image, picture.height, picture.width);
      paintBytes(image, picture.image);
    });
  });
  bind(() => {
    const percent = Math.round(100 * place.value);
    line.style.left = `${percent}%`;
    image.style.clipPath = `inset(0 ${100 - percent}% 0 0)`;
    setAttribute(line, "aria-valuenow", percent);
    setAttribute(line, "aria-valuetext", `${percent} % image, ${100 - percent} % reconstruction`);
  });
  bindWipe(context, plate, line, place, shown);
}

function bindWipe(
  { scope }: ViewContext,
  plate: HTMLElement,
  line: HTMLElement,
  place: Signal<number>,
  shown: ReadonlySignal<boolean>,
): void {
  let pressed = false;
  const follow = (event: PointerEvent): void => {
    place.value = pointOf(plate, event).x;
  };
  scope.listen(plate, "pointerdown", (event) => {
    if (!shown.peek() || event.button !== 0) return;
    pressed = true;
    plate.setPointerCapture(event.pointerId);
    follow(event);
  });
  scope.listen(plate, "pointermove", (event) => {
    if (pressed) follow(event);
  });
  for (const end of ["pointerup", "pointercancel"] as const)
    scope.listen(plate, end, () => {
      pressed = false;
    });
  scope.listen(line, "keydown", (event) => {
    const next = wipeAfterKey(place.peek(), event.key);
    if (next === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    place.value = next;
    event.preventDefault();
    event.stopPropagation();
  });
}
