import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DISCONNECTED_CLASS } from "../../src/transport/connection";
import { frame, Kernel, Observer, pause, place, Shadow, stubPage } from "../kernel";
import { score } from "../samples";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the connection", () => {
  const now = (kernel: Kernel): string => kernel.session.connection.value;

  it("is live once the kernel has acknowledged this client", () => {
    const kernel = new Kernel();
    kernel.host.message({ t: "hello-ack", client: "another", proto: 1 });
    expect(now(kernel)).toBe("connecting");
    kernel.acknowledge();
    expect(now(kernel)).toBe("live");
  });

  it("is busy while a run streams before the acknowledgement", () => {
    const kernel = new Kernel();
    kernel.host.update({ _frame: frame("r1", 2) });
    expect(now(kernel)).toBe("busy");
    kernel.acknowledge();
    expect(now(kernel)).toBe("live");
  });

  it("is busy while a question waits for more than a second", async () => {
    const kernel = new Kernel();
    kernel.acknowledge();
    await pause();
    await pause(900);
    expect(now(kernel)).toBe("live");
    await pause(200);
    expect(now(kernel)).toBe("busy");
    await kernel.answer(score("all"));
    expect(now(kernel)).toBe("live");
  });

  it("does not blink while one question takes the place of another", async () => {
    const kernel = new Kernel();
    kernel.acknowledge();
    await pause(1300);
    const seen: string[] = [];
    kernel.session.selection.add([0]);
    for (let step = 0; step < 20; step++) {
      await pause(20);
      seen.push(now(kernel));
    }
    expect([kernel.messages("req").length, new Set(seen)]).toEqual([2, new Set(["busy"])]);
  });

  it("is lost after a farewell, and open questions end", async () => {
    const kernel = new Kernel();
    kernel.acknowledge();
    await pause();
    const stopping = kernel.session.stop();
    kernel.host.message({ t: "bye", reason: "closed" });
    await expect(stopping).rejects.toMatchObject({ code: "closed" });
    expect([now(kernel), kernel.session.scores.value.state]).toEqual(["lost", "unknown"]);
  });

  it("asks the kernel to stop a run", async () => {
    const kernel = new Kernel({ _scores: score("all") });
    const stopping = kernel.session.stop();
    expect(kernel.question).toMatchObject({ method: "stop", params: {} });
    await kernel.answer({});
    await expect(stopping).resolves.toBeUndefined();
  });
});

describe("a view without a kernel", () => {
  beforeEach(stubPage);

  const changed = (): void => Observer.all.at(-1)?.changed();

  it("is static: known scores are shown, others are not asked for", async () => {
    const kernel = new Kernel({ _known: { all: score("all") } });
    kernel.session.attach(place(new Set([DISCONNECTED_CLASS])));
    expect([kernel.session.connection.value, kernel.session.scores.value.state]).toEqual(["static", "known"]);
    kernel.session.selection.add([0]);
    await pause();
    expect(kernel.session.scores.value).toMatchObject({
      state: "unknown",
      key: "keep:0-0",
      result: { key: "all" },
    });
    expect(kernel.messages("req")).toEqual([]);
  });

  it("is lost when there was one, and says hello when it is back", () => {
    const kernel = new Kernel();
    kernel.acknowledge();
    const classes = new Set<string>();
    // The class stands on an ancestor, outside a shadow root.
    const detach = kernel.session.attach(place(new Set(), null, new Shadow(place(classes))));
    expect(kernel.session.connection.value).toBe("live");
    classes.add(DISCONNECTED_CLASS);
    changed();
    expect(kernel.session.connection.value).toBe("lost");
    classes.clear();
    changed();
    expect([kernel.session.connection.value, kernel.messages("hello").length]).toEqual(["connecting", 2]);
    kernel.acknowledge();
    expect(kernel.session.connection.value).toBe("live");
    detach();
    expect(Observer.all).toEqual([]);
  });
});
