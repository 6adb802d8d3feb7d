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

interface Watcher {
  readonly sources: Set<Source>;
  wake(): void;
}

interface Source {
  readonly watchers: Set<Watcher>;
}

// What is being computed now. It is empty whenever no function of this module is on the stack, so widgets
// that share the module do not meet here.
let reader: Watcher | undefined;
const waiting = new Set<() => void>();
let depth = 0;

/** A value; writing an equal one (Object.is) wakes nobody. */
export function signal<T>(initial: T): Signal<T> {
  const source: Source = { watchers: new Set() };
  let current = initial;
  return {
    get value() {
      follow(source);
      return current;
    },
    set value(next: T) {
      if (Object.is(current, next)) return;
      current = next;
      batch(() => wakeAll(source));
    },
    peek: () => current,
  };
}

/** A value made from others, computed when it is read after one of them changed. */
export function computed<T>(compute: () => T): ReadonlySignal<T> {
  const source: Source = { watchers: new Set() };
  let cached: { readonly value: T } | undefined;
  const watcher: Watcher = {
    sources: new Set(),
    wake() {
      cached = undefined;
      leave(watcher);
      wakeAll(source);
    },
  };
  const peek = (): T => {
    cached ??= { value: watch(watcher, compute) };
    return cached.value;
  };
  return {
    get value() {
      follow(source);
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
    leave(watcher);
    cleanup?.();
    cleanup = undefined;
    cleanup = watch(watcher, work);
  };
  const watcher: Watcher = { sources: new Set(), wake: () => waiting.add(run) };
  run();
  return () => {
    if (disposed) return;
    disposed = true;
    waiting.delete(run);
    leave(watcher);
    cleanup?.();
  };
}

/** Makes several writes look like one: effects run after the outermost batch. */
export function batch(writes: () => void): void {
  depth++;
  try {
    writes();
    if (depth === 1) flush();
  } finally {
    depth--;
  }
}

/** Runs the effects that wait, and those that they wake; one that throws does not keep the others from running. */
function flush(): void {
  const failures: unknown[] = [];
  for (const run of waiting) {
    waiting.delete(run);
    try {
      run();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

function watch<T>(watcher: Watcher, work: () => T): T {
  const outer = reader;
  reader = watcher;
  try {
    return work();
  } finally {
    reader = outer;
  }
}

function follow(source: Source): void {
  if (reader === undefined) return;
  source.watchers.add(reader);
  reader.sources.add(source);
}

function leave(watcher: Watcher): void {
  for (const source of watcher.sources) source.watchers.delete(watcher);
  watcher.sources.clear();
}

function wakeAll(source: Source): void {
  for (const watcher of [...source.watchers]) watcher.wake();
}
