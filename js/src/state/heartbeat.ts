/**
 * Whether a kernel that promised beats still sends them. A beat says when the next one comes at the latest;
 * a kernel that never promised one, an older version for instance, is never called silent.
 */
import { type ReadonlySignal, type Signal, signal } from "./signal";

const TICK_MS = 500;
/** how late a beat may be: networks stall, and so does a kernel that holds its interpreter's lock */
const GRACE_MS = 2500;
/** how often the kernel is told that somebody still looks */
const HERE_MS = 30_000;

export class Heartbeat {
  readonly #here: () => void;
  readonly #silent: Signal<boolean> = signal(false);
  #views = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #ticked = 0;
  #silence = 0;
  #sinceHere = 0;
  /** milliseconds to the next beat; undefined while none is promised */
  #promised: number | undefined;
  /** whether this kernel has ever sent a beat, and so knows what "here" means */
  #known = false;

  /** `here` tells the kernel that a view still stands. */
  constructor(here: () => void) {
    this.#here = here;
  }

  /** Whether a promised beat stays away. */
  get silent(): ReadonlySignal<boolean> {
    return this.#silent;
  }

  /** Takes a beat; `next` is in seconds, or null when no other follows. */
  beat(next: unknown): void {
    this.#known = true;
    this.#promised = typeof next === "number" && next >= 0 ? next * 1000 : undefined;
    this.hear();
  }

  /** Anything the kernel says is a sign of life. */
  hear(): void {
    this.#silence = 0;
    this.#silent.value = false;
  }

  /** Listens while a view stands; returns the end of it. */
  attach(): () => void {
    this.#views++;
    if (this.#views === 1) this.#start();
    let attached = true;
    return () => {
      if (!attached) return;
      attached = false;
      this.#views--;
      if (this.#views === 0) this.close();
    };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #start(): void {
    // Between two views nobody counted: the silence of then is no sign.
    this.#silence = 0;
    this.#ticked = Date.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  #tick(): void {
    const now = Date.now();
    // A computer that slept, or a page in the background, counts as one tick: the beats were not listened for.
    const passed = Math.min(Math.max(0, now - this.#ticked), 2 * TICK_MS);
    this.#ticked = now;
    this.#sinceHere += passed;
    if (this.#known && this.#sinceHere >= HERE_MS) {
      this.#sinceHere = 0;
      this.#here();
    }
    if (this.#promised === undefined) return;
    this.#silence += passed;
    if (this.#silence > this.#promised + GRACE_MS) this.#silent.value = true;
  }
}
