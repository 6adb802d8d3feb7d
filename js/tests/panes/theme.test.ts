import { expect, it } from "vitest";
import { opaqueLightness } from "../../src/panes/theme";

it("sees how light an opaque colour is, and nothing in a transparent one", () => {
  expect(opaqueLightness("rgb(255, 255, 255)")).toBeCloseTo(1);
  expect(opaqueLightness("rgba(0, 0, 0, 1)")).toBe(0);
  expect(opaqueLightness("rgba(0, 0, 0, 0)")).toBeNull();
  expect(opaqueLightness("color(srgb 1 1 1)")).toBeNull();
});
