/** What the panes of one view share: the model's session, the view's lifetime, and what the pointer is on. */

import { Repainter, type Scope } from "../draw/scope";
import { type Colours, coloursOf, SIGNED_COLOURS } from "../picture/colormap";
import type { ImagePoint } from "../picture/fingerprint";
import { EMPTY_SCALE, type MapNumbers, nextScale, type Scale } from "../picture/scale";
import { computed, effect, type ReadonlySignal, type Signal, signal } from "../reactive/signal";
import type { Session } from "../state/session";
import type { SharedScales } from "./shared_scales";
import type { Theme } from "./theme";

/** Cells under attention, and the pane the attention comes from. */
export interface Hover {
  readonly cells: readonly number[];
  readonly from: "dyadic" | "image" | "profile";
  /** the place in the image that they lie over, if it is one */
  readonly point?: ImagePoint;
}

export class ViewContext {
  readonly session: Session;
  readonly scope: Scope;
  readonly repaint: Repainter;
  readonly hover: Signal<Hover | null> = signal(null);
  readonly theme: Signal<Theme> = signal("light");
  /** the scales that this side has in common with another; null where it is not compared */
  readonly scales: SharedScales | null;
  /** of which sides another target is chosen, in words; empty where nothing is compared */
  readonly reach: string;
  readonly #chosen: ReadonlySignal<Colours>;
  readonly #announce: (text: string) => void;

  constructor(
    session: Session,
    scope: Scope,
    announce: (text: string) => void,
    scales: SharedScales | null = null,
    reach = "",
  ) {
    this.session = session;
    this.reach = reach;
    this.scales = scales;
    this.scope = scope;
    this.repaint = new Repainter(scope);
    this.#announce = announce;
    this.#chosen = computed(() => coloursOf(session.colormap.value));
  }

  /** The colours of a map with this scale: the reader's choice, unless its values are signed. */
  colours(scale: ReadonlySignal<Scale>): ReadonlySignal<Colours> {
    return computed(() => (scale.value.signed ? SIGNED_COLOURS : this.#chosen.value));
  }

  /** Runs `work` now and after every change of a signal it read, until the view ends. */
  readonly bind = (work: () => void): void => {
    this.scope.add(
      effect(() => {
        this.scope.guard(work);
        return undefined;
      }),
    );
  };

  /** Makes a change in response to a click or a key, and paints its consequences before the next frame. */
  readonly act = (change: () => void): void => {
    change();
    this.repaint.flush();
  };

  /** Announces a sentence to screen readers. */
  announce(text: string): void {
    this.#announce(text);
  }
}

/**
 * The colour scale over the numbers of each frame of a run; a new run and another target start it anew. `unit`
 * reads what they are: where two sides are compared, the same pane of the other side is on the same scale if it has the same unit.
 */
export function runScale(
  context: ViewContext,
  pane: string,
  values: ReadonlySignal<MapNumbers | null>,
  unit: () => string,
): ReadonlySignal<Scale> {
  const scale = signal(EMPTY_SCALE);
  const pooled = context.scales?.pool(pane, values, unit) ?? values;
  let run: string | null = null;
  context.bind(() => {
    const now = pooled.value;
    if (now === null) return;
    const its = `${now.run} ${context.session.target.value.about}`;
    scale.value = nextScale(its === run ? scale.peek() : null, now);
    run = its;
  });
  return scale;
}
