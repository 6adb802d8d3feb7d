/** Shares of a whole lie between 0 and 1; what a few rows estimate of them may not, and is cut there. */

/** Whether a unit says that its numbers are shares. */
export function isShare(unit: string): boolean {
  return unit.startsWith("share ");
}

/** The numbers, cut to [0, 1] if `unit` says that they are shares; what is not known (NaN) stays so. */
export function cutShares<T extends Float32Array | Float64Array>(values: T, unit: string): T {
  if (!isShare(unit)) return values;
  return values.map((value) => Math.min(1, Math.max(0, value))) as T;
}
