/** The lifetime of one view: everything that was started for it ends with it, and no error escapes silently. */

export type Cleanup = () => void;

export class Scope {
  readonly #cleanups: Cleanup[] = [];
  readonly #report: (error: unknown) => void;
  #disposed = false;

  /** `report` gets every error that a guarded function throws. */
  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** Runs `work`; an error goes to the boundary instead of the caller. */
  guard<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.#report(error);
      return undefined;
    }
  }

  /** Calls `cleanup` when the view ends. */
  add(cleanup: Cleanup): void {
    if (this.#disposed) cleanup();
    else this.#cleanups.push(cleanup);
  }

  listen<K extends keyof HTMLElementEventMap>(
    target: EventTarget,
    type: K,
    handler: (event: HTMLElementEventMap[K]) => void,
    options?: AddEventListenerOptions,
  ): void {
    const guarded = (event: Event): void => {
      this.guard(() => handler(event as HTMLElementEventMap[K]));
    };
    target.addEventListener(type, guarded, options);
    this.add(() => target.removeEventListener(type, guarded, options));
  }

  /** Runs `work` while the page has nothing better to do, unless the view has ended by then. */
  whenIdle(work: () => void): void {
    const guarded = (): void => {
      if (!this.#disposed) this.guard(work);
    };
    // Safari has no idle callbacks.
    if (typeof requestIdleCallback === "function") requestIdleCallback(guarded, { timeout: 1000 });
    else setTimeout(guarded, 50);
  }

  /** Calls `changed` with the size of an element in CSS pixels, first when it has one. */
  onResize(element: Element, changed: (width: number, height: number) => void): void {
    const observer = new ResizeObserver((entries) => {
      const box = entries[entries.length - 1]?.contentRect;
      if (box && box.width > 0 && box.height > 0) this.guard(() => changed(box.width, box.height));
    });
    observer.observe(element);
    this.add(() => observer.disconnect());
  }

  dispose(): void {
    this.#disposed = true;
    for (const cleanup of this.#cleanups.splice(0).reverse()) this.guard(cleanup);
  }
}

/** Batches repaints: a painter that is requested several times runs once, in the next animation frame or flush. */
export class Repainter {
  readonly #waiting = new Set<() => void>();
  readonly #scope: Scope;
  #frame = 0;

  constructor(scope: Scope) {
    this.#scope = scope;
    scope.add(() => {
      cancelAnimationFrame(this.#frame);
      this.#waiting.clear();
    });
  }

  request(paint: () => void): void {
    if (this.#scope.disposed) return;
    this.#waiting.add(paint);
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#run());
  }

  /** Runs pending painters now: after an input event a frame of delay would be visible. */
  flush(): void {
    if (this.#frame === 0) return;
    cancelAnimationFrame(this.#frame);
    this.#run();
  }

  #run(): void {
    this.#frame = 0;
    const paints = [...this.#waiting];
    this.#waiting.clear();
    for (const paint of paints) this.#scope.guard(paint);
  }
}
