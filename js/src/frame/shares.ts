/** Shares lie between 0 and 1; estimates of them from few rows may not, and are clipped. */

/** Whether numbers of this unit are shares. */
export function isShare(unit: string): boolean {
  return unit.startsWith("share ");
}

/** Whether they are differences of shares, which lie between -1 and 1: "foggy less clean: share of …". */
export function isShareDifference(unit: string): boolean {
  return unit.includes(": share ");
}

/** The numbers, clipped to [0, 1] if they are shares by their `unit`; NaN (not known) stays. */
export function cutShares<T extends Float32Array | Float64Array>(values: T, unit: string): T {
  if (!isShare(unit)) return values;
  return values.map((value) => Math.min(1, Math.max(0, value))) as T;
}
