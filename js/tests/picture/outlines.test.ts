import { expect, it } from "vitest";
import { blockOutlines } from "../../src/picture/outlines";

it("follow the edges of a block, each side in one piece", () => {
  const map = new Float32Array(12 * 10);
  for (let y = 3; y < 6; y++) map.fill(1, y * 10 + 2, y * 10 + 7);
  const edges: string[] = [];
  const lines = blockOutlines(map, 12, 10, 0.5);
  for (let at = 0; at < lines.length; at += 4) edges.push(lines.slice(at, at + 4).join(" "));
  expect(edges.sort()).toEqual(["3 2 3 7", "3 2 6 2", "3 7 6 7", "6 2 6 7"]);
});

it("do not run along the border of the map", () => {
  expect(blockOutlines(new Float32Array(20).fill(1), 4, 5, 0.5)).toEqual([]);
  const half = Float32Array.from({ length: 16 }, (_, at) => (at % 4 < 2 ? 1 : 0));
  expect(blockOutlines(half, 4, 4, 0.5)).toEqual([0, 2, 4, 2]);
});
