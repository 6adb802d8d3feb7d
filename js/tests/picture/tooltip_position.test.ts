import { expect, it } from "vitest";
import { tooltipPosition } from "../../src/picture/tooltip_position";

const PAGE = { left: -300, top: -60, right: 700, bottom: 640 };
const PLATE = { left: 0, top: 0, right: 350, bottom: 560 };
const SIZE = { width: 170, height: 64 };

it("never covers what it explains, and stays in the page", () => {
  for (const side of [14, 45, 116, 150]) {
    for (let left = 0; left + side <= 350; left += 29) {
      for (let top = 0; top + side <= 560; top += 37) {
        const shown = { left, top, right: left + side, bottom: top + side };
        for (const [down, across] of [
          [0, 0],
          [0.5, 0.9],
          [1, 0.2],
        ] as const) {
          const pointer = { x: left + across * side, y: top + down * side };
          const spot = tooltipPosition(shown, pointer, SIZE, [PLATE, PAGE]);
          const [right, bottom] = [spot.left + SIZE.width, spot.top + SIZE.height];
          const apart =
            spot.left >= shown.right ||
            right <= shown.left ||
            spot.top >= shown.bottom ||
            bottom <= shown.top;
          expect(apart).toBe(true);
          expect(spot.left >= PAGE.left && right <= PAGE.right).toBe(true);
          expect(spot.top >= PAGE.top && bottom <= PAGE.bottom).toBe(true);
        }
      }
    }
  }
});

it("stands on the pointer's side", () => {
  const shown = { left: 100, top: 200, right: 250, bottom: 350 };
  const high = tooltipPosition(shown, { x: 175, y: 202 }, SIZE, [PLATE, PAGE]);
  const low = tooltipPosition(shown, { x: 175, y: 348 }, SIZE, [PLATE, PAGE]);
  expect([high.top + SIZE.height < shown.top, low.top > shown.bottom]).toEqual([true, true]);
});

it("leaves a plate that its band fills", () => {
  const spot = tooltipPosition(PLATE, { x: 340, y: 200 }, SIZE, [PLATE, PAGE]);
  expect(spot.left).toBeGreaterThan(PLATE.right);
});
