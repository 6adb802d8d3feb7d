import { describe, expect, it } from "vitest";
import { ClassNames } from "../../src/state/class_names";

const read = (names: unknown, top: unknown = []): ClassNames => ClassNames.read({ names, top });

describe("names of classes", () => {
  const cats = read(
    ["tench", "Egyptian cat", "tiger cat", "catamaran", "Café cat", "scattered"],
    [
      [2, 0.4],
      [1, 0.35],
    ],
  );

  it("begins with the highest classes, then in their order", () => {
    expect(cats.search("")).toEqual([2, 1, 0, 3, 4, 5]);
  });

  it("finds words that begin with the text, the highest classes first, before the rest", () => {
    expect(cats.search(" CAT ")).toEqual([2, 1, 3, 4, 5]);
    expect(cats.search("cafe")).toEqual([4]);
    expect(cats.search("egyptian c")).toEqual([1]);
    expect(cats.search("5")).toEqual([5]);
    expect(cats.search("dog")).toEqual([]);
  });

  it("trusts nothing", () => {
    const odd = read(
      ["<img src=x onerror=alert(1)>", 7, "x".repeat(1000)],
      [[9, 1], [0, "1"], null, [0.5, 1]],
    );
    expect(odd.names[0]).toBe("<img src=x onerror=alert(1)>");
    expect(odd.names[1]).toBe("?");
    expect(odd.names[2]?.length).toBe(200);
    expect(odd.scores.size).toBe(0);
    expect(ClassNames.read(null).search("")).toEqual([]);
  });

  it("searches twenty thousand names", () => {
    const many = read(Array.from({ length: 21_843 }, (_, at) => `class ${at}`));
    expect(many.search("").length).toBe(21_843);
    expect(many.search("class 2184")[0]).toBe(2184);
  });
});
