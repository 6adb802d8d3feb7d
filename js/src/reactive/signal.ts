/** Values that views can watch: a write runs, once and after the write, every effect that read the value. */

export interface ReadonlySignal<T> {
  /** The value; inside a computed or an effect, reading it is subscribing to it. */
  readonly value: T;
  /** The value, without subscribing. */
  peek(): T;
}

export interface Signal<T> extends ReadonlySignal<T> {
  value: T;
}

interface Subscriber {
  readonly sources: Set<Source>;
  notify(): void;
}

interface Source {
  readonly subscribers: Set<Subscriber>;
  /** of a computed value: lets go of what it was computed from */
  release?(): void;
}

// What is being computed now. It is empty whenever no function of this module is on the stack, so widgets
// that share the module do not meet here.
let active: Subscriber | undefined;
const pending = new Set<() => void>();
// Computed values that nobody watched when last looked at. What they were computed from must not hold them, and
// with them a view that has ended; but an effect that runs again leaves them for a moment only.
const unwatched = new Set<Source>();
let depth = 0;

/** A value; writing an equal one (Object.is) notifies nobody. */
export function signal<T>(initial: T): Signal<T> {
  const source: Source = { subscribers: new Set() };
  let current = initial;
  return {
    get value() {
      track(source);
      return current;
    },
    set value(next: T) {
      if (Object.is(current, next)) return;
      current = next;
      batch(() => notifyAll(source));
    },
    peek: () => current,
  };
}

/** A value made from others, computed when it is read after one of them changed. */
export function computed<T>(compute: () => T): ReadonlySignal<T> {
  let cached: { readonly value: T } | undefined;
  let computing = false;
  const forget = (): void => {
    cached = undefined;
    unsubscribe(subscriber);
  };
  const source: Source = {
    subscribers: new Set(),
    release: () => {
      if (!computing) forget();
    },
  };
  const subscriber: Subscriber = {
    sources: new Set(),
    notify() {
      forget();
      notifyAll(source);
    },
  };
  const peek = (): T => {
    if (cached === undefined) {
      computing = true;
      try {
        cached = { value: watch(subscriber, compute) };
      } finally {
        computing = false;
        if (source.subscribers.size === 0) unwatched.add(source);
      }
    }
    return cached.value;
  };
  return {
    get value() {
      track(source);
      return peek();
    },
    peek,
  };
}

/**
 * Runs `work` now and again after a signal it read has changed; what it returns runs before the next time and
 * at the end. Returns the disposer.
 */
export function effect(work: () => undefined | (() => void)): () => void {
  let cleanup: undefined | (() => void);
  let disposed = false;
  const run = (): void => {
    if (disposed) return;
    unsubscribe(subscriber);
    cleanup?.();
    cleanup = undefined;
    cleanup = watch(subscriber, work);
  };
  const subscriber: Subscriber = { sources: new Set(), notify: () => pending.add(run) };
  run();
  return () => {
    if (disposed) return;
    disposed = true;
    pending.delete(run);
    unsubscribe(subscriber);
    cleanup?.();
    if (depth === 0) releaseUnwatched();
  };
}

/** Runs `work` so that nothing it reads is watched by what runs now. */
export function untracked<T>(work: () => T): T {
  const outer = active;
  active = undefined;
  try {
    return work();
  } finally {
    active = outer;
  }
}

/** Makes several writes look like one: effects run after the outermost batch. */
export function batch(writes: () => void): void {
  depth++;
  try {
    writes();
    if (depth === 1) flush();
  } finally {
    depth--;
    if (depth === 0) releaseUnwatched();
  }
}

function releaseUnwatched(): void {
  for (const source of unwatched) {
    unwatched.delete(source);
    if (source.subscribers.size === 0) source.release?.();
  }
}

/** Runs the effects that wait, and those that they wake; one that throws does not keep the others from running. */
function flush(): void {
  const failures: unknown[] = [];
  for (const run of pending) {
    pending.delete(run);
    try {
      run();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

function watch<T>(subscriber: Subscriber, work: () => T): T {
  const outer = active;
  active = subscriber;
  try {
    return work();
  } finally {
    active = outer;
  }
}

function track(source: Source): void {
  if (active === undefined) return;
  source.subscribers.add(active);
  active.sources.add(source);
}

function unsubscribe(subscriber: Subscriber): void {
  for (const source of subscriber.sources) {
    source.subscribers.delete(subscriber);
    if (source.release && source.subscribers.size === 0) unwatched.add(source);
  }
  subscriber.sources.clear();
}

function notifyAll(source: Source): void {
  for (const subscriber of [...source.subscribers]) subscriber.notify();
}
