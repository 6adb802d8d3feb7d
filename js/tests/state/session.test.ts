import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HostModel, type State } from "../../src/host/model";
import { DISCONNECTED_CLASS } from "../../src/state/connection";
import { Session } from "../../src/state/session";
import { attributionParts, bytesOf, pictureParts, score, state, viewOf } from "../samples";

interface Message {
  t: string;
  id: string;
  client: string;
  method: string;
  params: { selection: number[]; mode: string };
}

/** A kernel that writes down what it gets and answers when a test says so. */
class Kernel {
  readonly sent: Message[] = [];
  readonly saved: State[] = [];
  readonly host: HostModel;
  readonly session: Session;

  constructor(changes: State = {}) {
    const transport = {
      connect: () => undefined,
      save: (patch: State) => this.saved.push(patch),
      send: (content: unknown) => this.sent.push(content as Message),
    };
    this.host = new HostModel(state(changes), transport, "backbone");
    this.session = new Session(this.host.view());
  }

  of(t: string): Message[] {
    return this.sent.filter((message) => message.t === t);
  }

  get question(): Message | undefined {
    return this.of("req").at(-1);
  }

  greet(): void {
    this.host.message({
      t: "hello-ack",
      client: this.of("hello").at(-1)?.client,
      proto: 1,
      run: "r1",
      rev: 1,
    });
  }

  async answer(result: unknown, question = this.question): Promise<void> {
    this.host.message({ t: "res", id: question?.id, client: question?.client, result });
    await vi.advanceTimersByTimeAsync(0);
  }

  async refuse(code: string, message = ""): Promise<void> {
    this.host.message({ t: "err", id: this.question?.id, client: this.question?.client, code, message });
    await vi.advanceTimersByTimeAsync(0);
  }
}

const frame = (run: string, rev: number): DataView => viewOf(bytesOf(attributionParts(run, rev)));
const picture = (run: string): DataView => viewOf(bytesOf(pictureParts(run)));
const pause = (ms = 150): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("what the kernel shows", () => {
  it("is read when the session starts", () => {
    const { session } = new Kernel();
    expect(session.picture.value?.cellCount).toBe(4);
    expect(session.attribution.value?.rev).toBe(1);
    expect(session.status.value).toMatchObject({ state: "running", done: 32, secondsLeft: 1 });
    expect(session.error.value).toBeNull();
  });

  it("is acknowledged frame by frame", () => {
    const kernel = new Kernel();
    kernel.host.update({ _frame: frame("r1", 2) });
    expect(kernel.of("ack")).toEqual([
      { t: "ack", rev: 1 },
      { t: "ack", rev: 2 },
    ]);
    expect(kernel.of("hello")[0]).toMatchObject({ proto: 1, have: { run: "r1", rev: 1 } });
  });

  it("may be nothing yet", () => {
    const empty = new DataView(new ArrayBuffer(0));
    const { session } = new Kernel({ _picture: empty, _frame: empty, _status: {} });
    expect([session.picture.value, session.attribution.value, session.error.value]).toEqual([
      null,
      null,
      null,
    ]);
    expect([session.status.value.state, session.scores.value.state]).toEqual(["waiting", "none"]);
  });

  it("keeps the old map until the new run's picture and map are both there, in either order", () => {
    const { host, session } = new Kernel();
    host.update({ _frame: frame("r2", 1) });
    expect(session.attribution.value?.run).toBe("r1");
    host.update({ _picture: picture("r2") });
    expect(session.attribution.value?.run).toBe("r2");
    host.update({ _picture: picture("r3") });
    expect(session.attribution.value).toBeNull();
    host.update({ _frame: frame("r3", 1) });
    expect(session.attribution.value?.run).toBe("r3");
  });

  it("is named when it cannot be read, and forgotten when it is mended", () => {
    const { host, session } = new Kernel();
    host.update({ _frame: new DataView(new ArrayBuffer(12)) });
    expect(session.error.value).toBe("a frame starts with WCF1");
    expect(session.attribution.value?.rev).toBe(1);
    host.update({ _frame: frame("r1", 5) });
    expect([session.error.value, session.attribution.value?.rev]).toEqual([null, 5]);
  });

  it("is refused when map and picture have different cells", () => {
    const parts = attributionParts("r1", 2);
    Object.assign(parts.header, {
      profile: { statistic: "total", total: [], low: [], high: [], shapley: [] },
    });
    const { session } = new Kernel({ _frame: viewOf(bytesOf(parts)) });
    expect(session.error.value).toBe("the profile has 0 bars, the picture 4 bands");
    expect(session.attribution.value).toBeNull();
  });

  it("is refused when it speaks another protocol", () => {
    expect(new Kernel({ _proto: 2 }).session.error.value).toMatch(/the kernel version 2: reload the page/);
  });

  it("survives traits that are anything", () => {
    const junk = {
      _status: null,
      _scores: 3,
      _known: "x",
      selection: { a: 1 },
      mode: 1,
      opacity: "NaN",
      colormap: null,
    };
    const { session } = new Kernel(junk);
    expect([session.mode.value, session.opacity.value, session.colormap.value]).toEqual([
      "keep",
      0.6,
      "cividis",
    ]);
    expect(session.selection.cells.value).toEqual([]);
  });
});

describe("the reader's choices", () => {
  it("go to the kernel together, after a moment", async () => {
    const kernel = new Kernel();
    kernel.session.selection.add([2]);
    kernel.session.selection.add([1]);
    kernel.session.mode.value = "remove";
    expect(kernel.saved).toEqual([]);
    await pause(60);
    expect(kernel.saved).toEqual([{ selection: [1, 2], mode: "remove" }]);
    expect(Array.from(kernel.session.kept.value)).toEqual([1, 0, 0, 1]);
  });

  it("follow the kernel, as a step that can be undone", () => {
    const { host, session } = new Kernel({ selection: [3] });
    expect([session.selection.cells.value, session.selection.canUndo.value]).toEqual([[3], false]);
    host.update({ selection: [2, 1, 99], theme: "dark", opacity: 7 });
    expect(session.selection.cells.value).toEqual([1, 2]);
    expect([session.theme.value, session.opacity.value]).toEqual(["dark", 1]);
    session.selection.undo();
    expect(session.selection.cells.value).toEqual([3]);
  });

  it("are saved when the session ends, which leaves no listener", async () => {
    const kernel = new Kernel();
    kernel.session.selection.add([1]);
    kernel.session.dispose();
    expect([kernel.saved, kernel.host.listeners]).toEqual([[{ selection: [1] }], 0]);
    const before = kernel.sent.length;
    await pause(5000);
    expect(kernel.sent).toHaveLength(before);
  });
});

describe("scores", () => {
  it("are asked for after a pause, once for many clicks", async () => {
    const kernel = new Kernel();
    kernel.greet();
    kernel.session.selection.add([0]);
    kernel.session.selection.add([1]);
    expect(kernel.session.scores.value).toMatchObject({ state: "asking", key: "keep:0-1", result: null });
    await pause();
    expect(kernel.of("req")).toHaveLength(1);
    expect(kernel.question).toMatchObject({ method: "score", params: { selection: [0, 1], mode: "keep" } });
    await kernel.answer(score("keep:0-1"));
    expect(kernel.session.scores.value).toMatchObject({ state: "known", result: { key: "keep:0-1" } });
  });

  it("of an earlier selection stay in sight while new ones are asked, and a late answer changes nothing", async () => {
    const kernel = new Kernel();
    await pause();
    await kernel.answer(score("all"));
    kernel.session.selection.add([0]);
    await pause();
    const slow = kernel.question;
    kernel.session.selection.add([2]);
    await pause();
    expect(kernel.of("cancel")).toEqual([{ t: "cancel", id: slow?.id, client: slow?.client }]);
    await kernel.answer(score("keep:0-0"), slow);
    expect(kernel.session.scores.value).toMatchObject({
      state: "asking",
      key: "keep:0-0,2-2",
      result: { key: "all" },
    });
  });

  it("that are known are not asked for", async () => {
    const kernel = new Kernel({ _known: { "keep:1-1": score("keep:1-1") }, _scores: score("all") });
    await pause();
    kernel.session.selection.add([1]);
    await pause();
    expect(kernel.session.scores.value).toMatchObject({ state: "known", result: { key: "keep:1-1" } });
    expect(kernel.of("req")).toEqual([]);
  });

  it("that are known under another name are not believed", () => {
    const { session } = new Kernel({ _known: { all: score("keep:1-1"), constructor: 1 } });
    expect(session.scores.value.state).toBe("asking");
  });

  it("that come while the reader has moved on are not shown for the new selection", async () => {
    const kernel = new Kernel();
    await pause();
    const first = kernel.question;
    kernel.session.selection.add([0]);
    await kernel.answer(score("all"), first);
    expect(kernel.session.scores.value).toMatchObject({ state: "asking", key: "keep:0-0" });
    await pause();
    expect(kernel.question?.params.selection).toEqual([0]);
  });

  it("come through the trait when another tab asked", async () => {
    const kernel = new Kernel();
    await pause();
    kernel.host.update({ _scores: score("all") });
    expect(kernel.session.scores.value.state).toBe("known");
    expect(kernel.of("cancel")).toHaveLength(1);
  });

  it("are asked for again when another question took their place", async () => {
    const kernel = new Kernel();
    await pause();
    await kernel.refuse("superseded");
    expect(kernel.session.scores.value.state).toBe("asking");
    await pause(700);
    expect(kernel.of("req")).toHaveLength(2);
  });

  it("say why there are none", async () => {
    const kernel = new Kernel();
    await pause();
    await kernel.refuse("model_error", "model returned NaN");
    expect(kernel.session.scores.value).toMatchObject({ state: "failed", message: "model returned NaN" });
    kernel.session.selection.add([1]);
    await pause();
    await kernel.answer({ key: "keep:1-1", target: null });
    expect(kernel.session.scores.value).toMatchObject({
      state: "failed",
      message: "The kernel's answer could not be read.",
    });
  });

  it("of another run are not shown as this one's", async () => {
    const kernel = new Kernel({ _scores: score("all") });
    kernel.host.update({ _scores: {}, _picture: picture("r2") });
    expect(kernel.session.scores.value).toMatchObject({ state: "asking", result: null });
    await pause();
    expect(kernel.of("req")).toHaveLength(1);
  });
});

describe("the connection", () => {
  const now = (kernel: Kernel): string => kernel.session.connection.value;

  it("is live once the kernel greets this client back", () => {
    const kernel = new Kernel();
    kernel.host.message({ t: "hello-ack", client: "another", proto: 1 });
    expect(now(kernel)).toBe("connecting");
    kernel.greet();
    expect(now(kernel)).toBe("live");
  });

  it("is busy while a run streams and nobody greets back", () => {
    const kernel = new Kernel();
    kernel.host.update({ _frame: frame("r1", 2) });
    expect(now(kernel)).toBe("busy");
    kernel.greet();
    expect(now(kernel)).toBe("live");
  });

  it("is busy while a question waits for more than a second", async () => {
    const kernel = new Kernel();
    kernel.greet();
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
    kernel.greet();
    await pause(1300);
    const seen: string[] = [];
    kernel.session.selection.add([0]);
    for (let step = 0; step < 20; step++) {
      await pause(20);
      seen.push(now(kernel));
    }
    expect([kernel.of("req").length, new Set(seen)]).toEqual([2, new Set(["busy"])]);
  });

  it("is lost after a farewell, and open questions end", async () => {
    const kernel = new Kernel();
    kernel.greet();
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
  class Observer {
    static readonly all: Observer[] = [];
    readonly changed: () => void;
    constructor(changed: () => void) {
      this.changed = changed;
      Observer.all.push(this);
    }
    observe(): void {
      Observer.all.push(this);
    }
    disconnect(): void {
      Observer.all.splice(0, Observer.all.length, ...Observer.all.filter((each) => each !== this));
    }
  }

  class Shadow {
    readonly host: unknown;
    constructor(host: unknown) {
      this.host = host;
    }
  }

  function place(classes: Set<string>, parentElement: unknown = null, root: unknown = null): HTMLElement {
    const classList = { contains: (name: string) => classes.has(name) };
    return { classList, parentElement, getRootNode: () => root } as unknown as HTMLElement;
  }

  beforeEach(() => {
    Observer.all.length = 0;
    vi.stubGlobal("MutationObserver", Observer);
    vi.stubGlobal("ShadowRoot", Shadow);
  });

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
    expect(kernel.of("req")).toEqual([]);
  });

  it("is lost when there was one, and greets it when it is back", () => {
    const kernel = new Kernel();
    kernel.greet();
    const classes = new Set<string>();
    // The class stands on an ancestor, outside a shadow root.
    const detach = kernel.session.attach(place(new Set(), null, new Shadow(place(classes))));
    expect(kernel.session.connection.value).toBe("live");
    classes.add(DISCONNECTED_CLASS);
    changed();
    expect(kernel.session.connection.value).toBe("lost");
    classes.clear();
    changed();
    expect([kernel.session.connection.value, kernel.of("hello").length]).toEqual(["connecting", 2]);
    kernel.greet();
    expect(kernel.session.connection.value).toBe("live");
    detach();
    expect(Observer.all).toEqual([]);
  });
});
