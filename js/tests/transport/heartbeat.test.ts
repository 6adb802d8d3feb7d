import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Heartbeat } from "../../src/transport/heartbeat";
import { Kernel, pause, place, stubPage } from "../kernel";
import { score } from "../samples";

beforeEach(() => {
  vi.useFakeTimers();
  stubPage();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A kernel whose widget has a view, that has answered the first question and promised beats. */
async function live(): Promise<Kernel> {
  const kernel = new Kernel();
  kernel.session.attach(place(new Set()));
  kernel.acknowledge();
  await pause();
  await kernel.answer(score("all"));
  kernel.host.message({ t: "beat", next: 1 });
  return kernel;
}

const now = (kernel: Kernel): string => kernel.session.connection.value;

/** A second at a time, as long as the kernel lives. */
async function beatFor(kernel: Kernel, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    await pause(1000);
    kernel.host.message({ t: "beat", next: 1 });
  }
}

describe("a kernel that promised beats", () => {
  it("is gone within five seconds of the last one, and what it was asked ends", async () => {
    const kernel = await live();
    await beatFor(kernel, 20);
    const stopping = expect(kernel.session.stop()).rejects.toMatchObject({ code: "gone" });
    await pause(3400);
    expect(now(kernel)).toBe("busy");
    await pause(1500);
    expect(now(kernel)).toBe("lost");
    await stopping;
  });

  it("is busy, however long, while beats come and nothing is answered", async () => {
    const kernel = await live();
    kernel.session.selection.add([0]);
    await beatFor(kernel, 120);
    expect(now(kernel)).toBe("busy");
    await kernel.answer(score("keep:0-0"));
    expect(now(kernel)).toBe("live");
  });

  it("gets a hello and the request again when it is back", async () => {
    const kernel = await live();
    kernel.session.selection.add([0]);
    await pause(6000);
    expect([now(kernel), kernel.session.scores.value.state]).toEqual(["lost", "unknown"]);
    const before = kernel.messages("hello").length;
    kernel.host.message({ t: "beat", next: 1 });
    expect([now(kernel), kernel.messages("hello").length]).toEqual(["busy", before + 1]);
    kernel.acknowledge();
    await pause();
    await kernel.answer(score("keep:0-0"));
    expect([now(kernel), kernel.session.scores.value.state]).toEqual(["live", "known"]);
  });

  it("is not gone because the computer slept", async () => {
    const kernel = await live();
    vi.setSystemTime(Date.now() + 3_600_000);
    await pause(900);
    expect(now(kernel)).toBe("live");
  });

  it("is known to be there by anything it says", async () => {
    const kernel = await live();
    await pause(2500);
    kernel.host.message({ t: "res", id: "1", client: "another" });
    await pause(2500);
    expect(now(kernel)).toBe("live");
  });

  it("may end its beats by a last one", async () => {
    const kernel = await live();
    kernel.host.message({ t: "beat", next: null });
    await pause(60_000);
    expect(now(kernel)).toBe("live");
  });

  it.each([undefined, "soon", Number.NaN, -1, {}])("promises nothing by next = %s", async (next) => {
    const kernel = await live();
    kernel.host.message({ t: "beat", next });
    await pause(60_000);
    expect(now(kernel)).toBe("live");
  });

  it("hears every half minute that a view stands", async () => {
    const kernel = await live();
    await beatFor(kernel, 65);
    const here = { t: "here", client: kernel.messages("hello")[0]?.client };
    expect(kernel.messages("here")).toEqual([here, here]);
  });
});

describe("a kernel that never promised beats", () => {
  it("is live as before, and hears nothing it does not know", async () => {
    const kernel = new Kernel();
    kernel.session.attach(place(new Set()));
    kernel.acknowledge();
    await pause();
    await kernel.answer(score("all"));
    await pause(120_000);
    expect([now(kernel), kernel.messages("here")]).toEqual(["live", []]);
  });
});

describe("the clock", () => {
  it("runs while a view stands, and no longer", async () => {
    const heart = new Heartbeat(() => undefined);
    heart.beat(1);
    expect(vi.getTimerCount()).toBe(0);
    const [one, two] = [heart.attach(), heart.attach()];
    expect(vi.getTimerCount()).toBe(1);
    one();
    one();
    expect(vi.getTimerCount()).toBe(1);
    two();
    expect(vi.getTimerCount()).toBe(0);
    await pause(60_000);
    expect(heart.silent.value).toBe(false);
    // A new view listens anew: nobody counted in between.
    const end = heart.attach();
    await pause(3000);
    expect(heart.silent.value).toBe(false);
    await pause(2000);
    expect(heart.silent.value).toBe(true);
    end();
  });

  it("stops with the session", async () => {
    const kernel = await live();
    kernel.session.dispose();
    expect(vi.getTimerCount()).toBe(0);
  });
});
