/** The difference between a reconstruction and the image, over the reconstruction. */
import { overlay } from "../draw/canvas";
import { paintPositions, sizeTo } from "../draw/pixels";
import { SIGNED_COLOURS } from "../picture/colormap";
import { difference, differenceScale } from "../picture/rebuilt_difference";
import { EMPTY_SCALE, place, type Scale } from "../picture/scale";
import { computed, type ReadonlySignal, type Signal, signal } from "../reactive/signal";
import type { Rebuilder } from "../wavelet/inverse";
import { colourBar } from "./colour_bar";
import type { ViewContext } from "./context";

export interface DifferenceSource {
  readonly shown: ReadonlySignal<boolean>;
  readonly rebuilder: ReadonlySignal<Rebuilder | null>;
}

/** Puts the layer on the plate; returns its colour bar, which is absent with it. */
export function differenceLayer(
  context: ViewContext,
  plate: HTMLElement,
  { shown, rebuilder }: DifferenceSource,
): HTMLElement {
  const { session, repaint, bind } = context;
  const canvas = overlay("difference");
  plate.append(canvas);
  const scale: Signal<Scale> = signal({ ...EMPTY_SCALE, signed: true });
  const image = computed(() => {
    const [rebuild, cells] = [rebuilder.value, session.picture.value?.cellCount ?? 0];
    return rebuild?.rebuild(new Uint8Array(cells).fill(1)).slice() ?? null;
  });
  const paint = (): void => {
    const [picture, rebuild] = [session.picture.peek(), rebuilder.peek()];
    if (!shown.peek() || picture === null || rebuild === null) return;
    const full = image.peek();
    if (full === null) return;
    const values = difference(rebuild.rebuild(session.kept.peek()), full, picture.channels);
    const now = differenceScale(values);
    scale.value = now;
    sizeTo(canvas, picture.height, picture.width);
    paintPositions(
      canvas,
      values.map((value) => place(now, value)),
      SIGNED_COLOURS.table,
    );
  };
  const words = (): string =>
    scale.value.top === 0 ? "no difference: everything is kept" : "rebuilt less image, of full brightness";
  const bar = colourBar(context, scale, words);
  bind(() => {
    canvas.hidden = bar.hidden = !shown.value;
    void [rebuilder.value, session.kept.value];
    if (shown.value) repaint.request(paint);
  });
  return bar;
}
