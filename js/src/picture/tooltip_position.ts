/** Where a tooltip stands, so that it never covers what it explains. */

export interface Extent {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface Corner {
  readonly left: number;
  readonly top: number;
}

const GAP = 6;

/**
 * The corner of a tooltip of `width` x `height` beside `shown`, on the side that is nearest to the pointer of those with
 * room inside `near`, else inside `far`; where neither has any, on the side where least of it is cut.
 */
export function tooltipPosition(
  shown: Extent,
  pointer: { readonly x: number; readonly y: number },
  size: { readonly width: number; readonly height: number },
  [near, far]: readonly [Extent, Extent],
): Corner {
  for (const bounds of [near, far]) {
    const fitting = candidates(shown, pointer, size, bounds).filter(
      (corner) => cutOff(corner, size, bounds) === 0,
    );
    const best = least(fitting, (corner) => distance(corner, size, pointer));
    if (best) return best;
  }
  const all = candidates(shown, pointer, size, far);
  return least(all, (corner) => cutOff(corner, size, far)) ?? { left: shown.right + GAP, top: shown.top };
}

/** Right, left, below and above; along the side near the pointer, and inside the bounds. */
function candidates(
  shown: Extent,
  pointer: { readonly x: number; readonly y: number },
  { width, height }: { readonly width: number; readonly height: number },
  bounds: Extent,
): Corner[] {
  const slide = (value: number, from: number, to: number): number => Math.max(from, Math.min(to, value));
  const top = slide(pointer.y - height / 2, bounds.top, bounds.bottom - height);
  const left = slide(pointer.x - width / 2, bounds.left, bounds.right - width);
  return [
    { left: shown.right + GAP, top },
    { left: shown.left - GAP - width, top },
    { left, top: shown.bottom + GAP },
    { left, top: shown.top - GAP - height },
  ];
}

function cutOff(
  { left, top }: Corner,
  { width, height }: { readonly width: number; readonly height: number },
  bounds: Extent,
): number {
  const over = (value: number): number => Math.max(0, value);
  return (
    over(bounds.left - left) +
    over(left + width - bounds.right) +
    over(bounds.top - top) +
    over(top + height - bounds.bottom)
  );
}

function distance(
  { left, top }: Corner,
  { width, height }: { readonly width: number; readonly height: number },
  { x, y }: { readonly x: number; readonly y: number },
): number {
  const away = (value: number, from: number, to: number): number => Math.max(from - value, 0, value - to);
  return Math.hypot(away(x, left, left + width), away(y, top, top + height));
}

function least<T>(all: readonly T[], cost: (one: T) => number): T | undefined {
  const [first, ...others] = all;
  if (first === undefined) return undefined;
  return others.reduce((best, one) => (cost(one) < cost(best) ? one : best), first);
}
