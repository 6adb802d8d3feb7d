import { expect, it } from "vitest";
import { keptWords } from "../../src/panes/reconstruction";

it("tells how much is kept; negative and unknown values count as nothing", () => {
  const values = Float32Array.of(0.6, 0.2, -5, Number.NaN);
  const kept = Uint8Array.of(1, 0, 1, 0);
  const map = { values, signed: false };
  expect(keptWords(kept, map, false)).toBe("50 % of cells kept · 75 % of importance");
  expect(keptWords(kept, { values, signed: true }, false)).toBe(
    "50 % of cells kept · 75 % of what counts for the target",
  );
  expect(keptWords(kept, null, false)).toBe("50 % of cells kept");
  expect(keptWords(kept, map, true)).toMatch(/everything is kept/);
});
