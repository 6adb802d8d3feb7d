/**
 * Whether a kernel that promised beats still sends them. A beat has the time by which the next one comes;
 * a kernel that never promised one, an older version for instance, is never called silent.
 */
import { type ReadonlySignal, type Signal, signal } from "../reactive/signal";

const TICK_MS = 500;
/** how late a beat may be: networks stall, and so does a kernel that holds its interpreter's lock */
const GRACE_MS = 2500;
/** how often the kernel hears that a view is still open */
const HERE_MS = 30_000;

export class Heartbeat {
  readonly #sendHere: () => void;
  readonly #silent: Signal<boolean> = signal(false);
  #views = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #lastTick = 0;
  #silence = 0;
  #sinceHere = 0;
  /** milliseconds to the next beat; undefined while none is promised */
  #interval: number | undefined;
  /** whether this kernel has ever sent a beat, and so knows what "here" means */
  #hasBeats = false;

  /** `sendHere` tells the kernel that a view is still open. */
  constructor(sendHere: () => void) {
    this.#sendHere = sendHere;
  }

  /** Whether a promised beat stays away. */
  get silent(): ReadonlySignal<boolean> {
    return this.#silent;
  }

  /** Takes a beat; `next` is in seconds, or null when no other follows. */
  beat(next: unknown): void {
    this.#hasBeats = true;
    this.#interval = typeof next === "number" && next >= 0 ? next * 1000 : undefined;
    this.noteMessage();
  }

  /** Any message of the kernel ends a silence. */
  noteMessage(): void {
    this.#silence = 0;
    this.#silent.value = false;
  }

  /** Counts silence while a view is open; returns the end of it. */
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
    // Nobody counted between two views.
    this.#silence = 0;
    this.#lastTick = Date.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  #tick(): void {
    const now = Date.now();
    // A computer that slept, or a page in the background, counts as one tick: the beats were not listened for.
    const passed = Math.min(Math.max(0, now - this.#lastTick), 2 * TICK_MS);
    this.#lastTick = now;
    this.#sinceHere += passed;
    if (this.#hasBeats && this.#sinceHere >= HERE_MS) {
      this.#sinceHere = 0;
      this.#sendHere();
    }
    if (this.#interval === undefined) return;
    this.#silence += passed;
    if (this.#silence > this.#interval + GRACE_MS) this.#silent.value = true;
  }
}
