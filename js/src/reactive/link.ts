/** Two values that follow each other. */
import { effect } from "./signal";

/** A value that can be watched and set. */
export interface Linked<T> {
  /** the value, and being told of its changes */
  watch(): T;
  /** the value alone */
  peek(): T;
  set(value: T): void;
}

/**
 * Keeps two values in step: what is written to one is written, translated, to the other. The first decides what both
 * begin with. What a translation has written is not translated back. Returns the end of it.
 */
export function link<A, B>(
  one: Linked<A>,
  other: Linked<B>,
  there: (value: A) => B,
  back: (value: B) => A,
): () => void {
  // What each of them was when they last agreed; nothing equals a fresh object.
  let [agreedOne, agreedOther]: [unknown, unknown] = [{}, {}];
  const agree = (): undefined => {
    [agreedOne, agreedOther] = [one.peek(), other.peek()];
    return undefined;
  };
  const ends = [
    effect(() => {
      const value = one.watch();
      if (value === agreedOne) return undefined;
      other.set(there(value));
      return agree();
    }),
    effect(() => {
      const value = other.watch();
      if (value === agreedOther) return undefined;
      one.set(back(value));
      return agree();
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}
