import { describe, expect, it } from "vitest";
import { difference, differenceScale } from "../../src/picture/rebuilt_difference";

describe("the difference of a reconstruction", () => {
  it("is the mean of the channels, with its sign", () => {
    const [rebuilt, image] = [Float32Array.of(0.5, 0, 0.8, 0.4), Float32Array.of(0.25, 0, 1, 0)];
    const mean = difference(rebuilt, image, 2);
    expect([...mean]).toEqual([expect.closeTo(0.025), expect.closeTo(0.2)]);
    expect([...difference(rebuilt, image, 1)].map((value) => Math.sign(value))).toEqual([1, 0, -1, 1]);
  });

  it("has a scale that changes in steps, and none where only rounding differs", () => {
    const one = (value: number, others: number): Float32Array =>
      new Float32Array(200).fill(others).fill(value, 0, 1);
    expect(differenceScale(Float32Array.of(-0.11, -0.11, 0.03))).toEqual({
      top: 0.2,
      kind: "linear",
      signed: true,
    });
    expect(differenceScale(one(-0.9, 0.11))).toMatchObject({ top: 0.2 });
    expect(differenceScale(Float32Array.of(0.15))).toMatchObject({ top: 0.2 });
    expect(differenceScale(Float32Array.of(1.7))).toMatchObject({ top: expect.closeTo(1.7) });
    expect(differenceScale(Float32Array.of(1e-6, -1e-6)).top).toBe(0);
  });
});
