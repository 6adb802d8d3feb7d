import { describe, expect, expectTypeOf, it } from "vitest";
import type { ReadonlySignal } from "../../src/reactive/signal";
import { signal } from "../../src/reactive/signal";
import type { Model, WidgetState } from "../../src/transport/afm";
import { createModel } from "../../src/transport/shim";
import { state } from "../samples";

describe("the model's types", () => {
  it("know every trait by name", () => {
    const model = createModel(state(), null).view();
    expectTypeOf(model.get("selection")).toEqualTypeOf<number[]>();
    expectTypeOf(model.get<"_picture">).returns.toEqualTypeOf<DataView>();
    expectTypeOf<Parameters<Model["get"]>[0]>().toEqualTypeOf<keyof WidgetState>();
    // @ts-expect-error no such trait
    expect(model.get("selections")).toBeUndefined();
    // @ts-expect-error the kernel alone writes it
    model.set("_status", {});
    // @ts-expect-error no such event
    model.on("change:selections", () => undefined);
    // @ts-expect-error off needs the handler: without it some hosts remove everybody's
    expect(() => model.off("change:mode")).not.toThrow();
  });

  it("do not let a view write what it may only read", () => {
    const shown: ReadonlySignal<number> = signal(1);
    // @ts-expect-error value is read-only here
    shown.value = 2;
    expectTypeOf(shown.peek()).toEqualTypeOf<number>();
  });
});
