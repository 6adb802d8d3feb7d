/** Each operator gives what torch does: the numbers are those that a test in Python holds against torch. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeFrame, encodeFrame, FrameError, type Section } from "../../src/frame/frame";
import { OPERATORS } from "../../src/network/operators";
import { Runner } from "../../src/network/runner";

interface Case {
  readonly name: string;
  readonly plan: object;
  readonly inputs: readonly (readonly number[])[];
  readonly result: readonly number[];
}

const cases: readonly Case[] = JSON.parse(
  readFileSync(new URL("../../../tests/reference/network_operators.json", import.meta.url), "utf8"),
);

function floats(values: readonly number[]): Section {
  return { dtype: "f32", shape: [values.length], data: Float32Array.from(values) };
}

function bytes(values: ArrayLike<number>): Section {
  return { dtype: "u8", shape: [values.length], data: Uint8Array.from(values) };
}

function runner(
  plan: object,
  constants: readonly number[],
  brief: number[] = [],
  scales: number[] = [],
): Runner {
  const text = bytes(new TextEncoder().encode(JSON.stringify(plan)));
  const sections = { plan: text, exact: floats(constants), scales: floats(scales), brief: bytes(brief) };
  return new Runner(decodeFrame(encodeFrame({ kind: "network", version: 1 }, sections)));
}

describe("operators", () => {
  it.each(cases.map((one) => [one.name, one] as const))("%s", (_, { plan, inputs, result }) => {
    const [image = [], ...constants] = inputs;
    const network = runner(plan, constants.flat());
    // Twice: places are used again.
    network.run(new Float32Array(image.length));
    const numbers = network.run(Float32Array.from(image));
    expect(numbers).toHaveLength(result.length);
    result.forEach((value, at) => {
      expect(numbers[at]).toBeCloseTo(value, 4);
    });
  });

  it("have a case each", () => {
    const tried = new Set(cases.map(({ name }) => name.split(" ")[0] ?? ""));
    expect([...tried].sort()).toEqual([...OPERATORS.keys()].sort());
  });
});

describe("Runner", () => {
  const plan = {
    image: { shape: [1, 2] },
    constants: [{ shape: [2, 2], brief: true }],
    steps: [{ op: "linear", in: [0, 1], shape: [1, 2] }],
    output: 2,
  };

  it("reads weights of 16 bits: all high bytes, then all low ones, and a scale for each row", () => {
    // 1, -2 by 0.5 and 256, 3 by 2
    const network = runner(plan, [], [0, 0xff, 1, 0, 1, 0xfe, 0, 3], [0.5, 2]);
    expect([...network.run(Float32Array.of(10, 100))]).toEqual([5 - 100, 5120 + 600]);
  });

  it("refuses what it does not know, by name", () => {
    const unknown = { ...plan, steps: [{ op: "attention", in: [0], shape: [1, 2] }] };
    expect(() => runner(unknown, [])).toThrow("plan: attention is not an operator");
    const later = { ...plan, constants: [], steps: [{ op: "clip", in: [5], shape: [1, 2] }] };
    expect(() => runner(later, [])).toThrow(FrameError);
    const empty = { ...plan, image: { shape: [1, 0] } };
    expect(() => runner(empty, [])).toThrow("plan: shape [1,0] is not valid");
  });

  it("refuses an image of another size", () => {
    const network = runner(plan, [], new Array(8).fill(0), [1, 1]);
    expect(() => network.run(new Float32Array(3))).toThrow("image must have [1,2] numbers, found 3");
  });
});
