import { describe, expect, it } from "vitest";
import { batch, computed, effect, signal } from "../../src/reactive/signal";

describe("signals", () => {
  it("run an effect now, after a change, and not after it was disposed", () => {
    const [count, seen]: [ReturnType<typeof signal<number>>, number[]] = [signal(1), []];
    const end = effect(() => {
      seen.push(count.value);
      return undefined;
    });
    count.value = 2;
    count.value = 2;
    end();
    count.value = 3;
    expect(seen).toEqual([1, 2]);
  });

  it("follow only what the last run read", () => {
    const [flag, a, b] = [signal(true), signal("a"), signal("b")];
    const seen: string[] = [];
    effect(() => {
      seen.push(flag.value ? a.value : b.value);
      return undefined;
    });
    b.value = "not read";
    flag.value = false;
    a.value = "no longer read";
    expect(seen).toEqual(["a", "not read"]);
  });

  it("clean up before the next run and at the end", () => {
    const [count, log]: [ReturnType<typeof signal<number>>, string[]] = [signal(1), []];
    const end = effect(() => {
      const now = count.value;
      log.push(`start ${now}`);
      return () => log.push(`end ${now}`);
    });
    count.value = 2;
    end();
    end();
    expect(log).toEqual(["start 1", "end 1", "start 2", "end 2"]);
  });

  it("show an effect a diamond once, and never half of it", () => {
    const source = signal(1);
    const [double, triple] = [computed(() => source.value * 2), computed(() => source.value * 3)];
    const seen: [number, number][] = [];
    effect(() => {
      seen.push([double.value, triple.value]);
      return undefined;
    });
    source.value = 2;
    expect(seen).toEqual([
      [2, 3],
      [4, 6],
    ]);
  });

  it("compute only when read, and once", () => {
    let runs = 0;
    const source = signal(1);
    const sum = computed(() => {
      runs++;
      return source.value + 1;
    });
    expect(runs).toBe(0);
    expect([sum.value, sum.value, runs]).toEqual([2, 2, 1]);
    source.value = 5;
    expect([runs, sum.peek(), runs]).toEqual([1, 6, 2]);
  });

  it("make a batch look like one change", () => {
    const [a, b] = [signal(1), signal(1)];
    const seen: number[] = [];
    effect(() => {
      seen.push(a.value + b.value);
      return undefined;
    });
    batch(() => {
      a.value = 2;
      b.value = 3;
    });
    expect(seen).toEqual([2, 5]);
  });

  it("run the other effects when one throws, and tell the writer", () => {
    const count = signal(0);
    const seen: number[] = [];
    effect(() => {
      if (count.value > 0) throw new Error("broken view");
      return undefined;
    });
    effect(() => {
      seen.push(count.value);
      return undefined;
    });
    expect(() => {
      count.value = 1;
    }).toThrow("broken view");
    expect(seen).toEqual([0, 1]);
  });

  it("recover from a computation that threw", () => {
    const count = signal(0);
    const inverse = computed(() => {
      if (count.value === 0) throw new Error("zero");
      return 1 / count.value;
    });
    expect(() => inverse.value).toThrow("zero");
    count.value = 4;
    expect(inverse.value).toBe(0.25);
  });

  it("let an effect write what another reads", () => {
    const [celsius, fahrenheit] = [signal(0), signal(0)];
    const seen: number[] = [];
    effect(() => {
      seen.push(fahrenheit.value);
      return undefined;
    });
    effect(() => {
      fahrenheit.value = celsius.value * 1.8 + 32;
      return undefined;
    });
    celsius.value = 100;
    expect(seen).toEqual([0, 32, 212]);
  });

  it("lets go of what it was computed from when nobody watches it any more", () => {
    const count = signal(1);
    const held = { value: 0 };
    const double = computed(() => {
      held.value++;
      return count.value * 2;
    });
    const end = effect(() => void double.value);
    expect([double.peek(), held.value]).toEqual([2, 1]); // kept while it is watched
    end();
    expect([double.peek(), held.value]).toEqual([2, 2]); // computed anew: it had let go
    const [other, seen] = [signal(0), [] as number[]];
    effect(() => {
      seen.push(double.value + other.value);
      return undefined;
    });
    const before = held.value;
    other.value = 5; // the effect runs again and finds it as it was
    expect(held.value).toBe(before);
    count.value = 3;
    expect(seen).toEqual([2, 7, 11]);
  });
});
