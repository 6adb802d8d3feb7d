import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Model, Widget } from "../../src/transport/afm";
import { HostModel, type KernelSide, type Profile, stateFromJson } from "../../src/transport/model";
import { createModel, mount } from "../../src/transport/shim";
import { bytesOf, pictureParts, state } from "../samples";

const both: Profile[] = ["backbone", "marimo"];

/** The model as a widget sees it, with handlers that show what the host passes. */
interface Open {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  send(content: unknown): void;
  on(event: string, handler: (...args: unknown[]) => void): void;
  off(event: string, handler?: (...args: unknown[]) => void): void;
}
const open = (host: HostModel): Open => host.view() as unknown as Open;

function transport() {
  return { connect: vi.fn<(page: KernelSide) => void>(), save: vi.fn(), send: vi.fn() };
}

describe("HostModel", () => {
  it("passes three arguments to handlers as Backbone does, one as marimo does", () => {
    for (const [profile, count] of [
      ["backbone", 3],
      ["marimo", 1],
    ] as const) {
      const host = new HostModel({ mode: "keep" }, null, profile);
      const handler = vi.fn();
      open(host).on("change:mode", handler);
      host.update({ mode: "remove" });
      expect(handler.mock.calls[0], profile).toHaveLength(count);
    }
  });

  it("sets all keys before it fires, or key by key", () => {
    for (const [profile, other] of [
      ["backbone", 2],
      ["marimo", 1],
    ] as const) {
      const host = new HostModel({ a: 1, b: 1 }, null, profile);
      const view = open(host);
      const seen: unknown[] = [];
      view.on("change:a", () => seen.push(view.get("b")));
      host.update({ a: 2, b: 2 });
      expect(seen, profile).toEqual([other]);
    }
  });

  it("without a handler, off spares other views in Jupyter and nobody in marimo", () => {
    for (const [profile, left] of [
      ["backbone", 1],
      ["marimo", 0],
    ] as const) {
      const host = new HostModel({ a: 1 }, null, profile);
      const [one, two] = [open(host), open(host)];
      one.on("change:a", () => undefined);
      two.on("change:a", () => undefined);
      one.off("change:a");
      expect(host.listeners, profile).toBe(left);
    }
  });

  it.each(both)("%s: with a handler, off removes this one", (profile) => {
    const host = new HostModel({ a: 1 }, null, profile);
    const view = open(host);
    const [stays, goes] = [vi.fn(), vi.fn()];
    view.on("change:a", stays);
    view.on("change:a", goes);
    view.off("change:a", goes);
    host.update({ a: 2 });
    expect([stays.mock.calls.length, goes.mock.calls.length]).toEqual([1, 0]);
  });

  it.each(both)("%s: saves what was set since the last time, and fires for every view", (profile) => {
    const kernel = transport();
    const host = new HostModel({ a: 1, b: 1 }, kernel, profile);
    const [one, two] = [open(host), open(host)];
    const heard = vi.fn();
    two.on("change:a", heard);
    one.set("a", 1);
    one.set("a", 2);
    one.save_changes();
    one.save_changes();
    expect(kernel.save.mock.calls).toEqual([[{ a: 2 }]]);
    expect([heard.mock.calls.length, two.get("a")]).toEqual([1, 2]);
  });

  it("as a saved page fires changes, saves nothing, and sends to what scores its images", () => {
    const kernel = transport();
    const view = open(new HostModel({ a: 1 }, kernel, "static"));
    const heard = vi.fn();
    view.on("change:a", heard);
    view.set("a", 2);
    view.save_changes();
    view.send({ t: "hello" });
    expect([kernel.save.mock.calls.length, kernel.send.mock.calls.length, heard.mock.calls.length]).toEqual([
      0, 1, 1,
    ]);
  });

  it.each(both)("%s: delivers custom messages", (profile) => {
    const host = new HostModel({}, transport(), profile);
    const heard = vi.fn();
    open(host).on("msg:custom", heard);
    host.message({ t: "bye" });
    expect(heard.mock.calls[0]?.[0]).toEqual({ t: "bye" });
  });
});

describe("stateFromJson", () => {
  it("turns base64 into bytes, and nothing into none", () => {
    const bytes = bytesOf(pictureParts());
    const read = stateFromJson({ _picture: Buffer.from(bytes).toString("base64"), mode: "keep" });
    expect(Buffer.from((read["_picture"] as DataView).buffer).equals(Buffer.from(bytes))).toBe(true);
    expect([(read["_frame"] as DataView).byteLength, read["mode"]]).toEqual([0, "keep"]);
  });

  it("refuses what is no text", () => {
    expect(() => stateFromJson({ _frame: [1, 2] })).toThrow("state._frame must be base64 text");
  });
});

describe("mount", () => {
  /** As much of an element as the host needs. */
  class Place {
    readonly children: Place[] = [];
    readonly classes = new Set<string>();
    shadowRoot: Place | null = null;
    parent: Place | null = null;
    textContent = "";
    readonly classList = {
      toggle: (name: string, on: boolean) => (on ? this.classes.add(name) : this.classes.delete(name)),
    };
    append(child: Place): void {
      child.parent = this;
      this.children.push(child);
    }
    remove(): void {
      this.parent?.children.splice(this.parent.children.indexOf(this), 1);
    }
    attachShadow(): Place {
      this.shadowRoot = new Place();
      return this.shadowRoot;
    }
  }

  beforeEach(() => {
    vi.stubGlobal("document", { createElement: () => new Place() });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  function recorder() {
    const log: string[] = [];
    const models: Model[] = [];
    const signals: AbortSignal[] = [];
    const widget = (): Widget => ({
      initialize({ model }) {
        models.push(model);
        log.push("initialize");
        return () => log.push("end model");
      },
      render({ model, el, signal }) {
        models.push(model);
        if (signal) signals.push(signal);
        log.push((el as unknown as Place).parent === null ? "render detached" : "render attached");
        return () => log.push("end view");
      },
    });
    return { log, models, signals, widget };
  }
  const root = (): HTMLElement => new Place() as unknown as HTMLElement;

  it("initializes once, renders each view before it stands in the page, and ends all", () => {
    const { log, models, signals, widget } = recorder();
    const home = root();
    const mounted = mount(home, { widget, state: state(), transport: transport(), profile: "backbone" });
    const end = mounted.addView(home);
    expect(log).toEqual(["initialize", "render detached", "render detached"]);
    expect(new Set(models).size).toBe(3);
    end();
    end();
    mounted.dispose();
    expect(log.slice(3)).toEqual(["end view", "end view", "end model"]);
    expect([(home as unknown as Place).children.length, signals.every((each) => each.aborted)]).toEqual([
      0,
      true,
    ]);
  });

  it("renders into a shadow root with the style, as marimo does", () => {
    const { log, widget } = recorder();
    const home = root() as unknown as Place;
    mount(home as unknown as HTMLElement, {
      widget,
      state: state(),
      transport: null,
      profile: "marimo",
      css: ".wcam{}",
    });
    expect(log).toEqual(["initialize", "render attached"]);
    expect(home.shadowRoot?.children.map((each) => each.textContent)).toEqual([".wcam{}", ""]);
  });

  it("marks views without a kernel as Jupyter does, also when it goes later", () => {
    const { widget } = recorder();
    const marks = (place: HTMLElement): string[] => [
      ...((place as unknown as Place).children[0]?.classes ?? []),
    ];
    const saved = root();
    mount(saved, { widget, state: state(), transport: null, profile: "static" });
    const kernel = transport();
    const live = root();
    mount(live, { widget, state: state(), transport: kernel, profile: "backbone" });
    expect([marks(saved), marks(live)]).toEqual([["jupyter-widgets-disconnected"], []]);
    kernel.connect.mock.calls[0]?.[0].connected(false);
    expect(marks(live)).toEqual(["jupyter-widgets-disconnected"]);
  });

  it("makes a model without a widget too", () => {
    expect(
      createModel(state({ mode: "remove" }), null)
        .view()
        .get("mode"),
    ).toBe("remove");
  });
});
