/** A map of positions (0 to 1 on the colour scale; NaN where nothing is known) that fades into its successor. */
import type { Repainter } from "./scope";

const DURATION = 120;

export class CrossFade {
  readonly #repaint: Repainter;
  readonly #draw: (shown: Float32Array) => void;
  #from: Float32Array = new Float32Array(0);
  #to: Float32Array = new Float32Array(0);
  #start = 0;

  /** `draw` is called when the repainter runs, never at once. */
  constructor(repaint: Repainter, draw: (shown: Float32Array) => void) {
    this.#repaint = repaint;
    this.#draw = draw;
  }

  /** Fades to `next`; at once if there is nothing of the same shape to fade from, or motion is not wanted. */
  show(next: Float32Array): void {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const now = performance.now();
    this.#from = still || this.#to.length !== next.length ? next : this.#mixed(now);
    this.#to = next;
    this.#start = now;
    this.redraw();
  }

  /** Draws again what is shown: for a change of size, of colours or of the selection. */
  redraw(): void {
    this.#repaint.request(this.#paint);
  }

  readonly #paint = (): void => {
    const now = performance.now();
    const shown = this.#mixed(now);
    this.#draw(shown);
    if (shown !== this.#to) this.redraw();
  };

  #mixed(now: number): Float32Array {
    const share = (now - this.#start) / DURATION;
    if (share >= 1 || this.#from === this.#to) return this.#to;
    return this.#to.map((to, at) => {
      const from = this.#from[at] ?? Number.NaN;
      return Number.isNaN(from) || Number.isNaN(to) ? to : from + (to - from) * share;
    });
  }
}
