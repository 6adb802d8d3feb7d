/** Maximal runs of neighbours with a property. */

/** Calls `emit` with every maximal run of [from, to) on which `test` holds. */
export function runs(
  from: number,
  to: number,
  test: (at: number) => boolean,
  emit: (a: number, b: number) => void,
): void {
  let start = -1;
  for (let at = from; at <= to; at++) {
    const inside = at < to && test(at);
    if (inside && start < 0) start = at;
    if (!inside && start >= 0) {
      emit(start, at);
      start = -1;
    }
  }
}
