/**
 * A model without a notebook: what an exported page, the browser tests and a development page give a widget.
 *
 * Hosts differ, and a profile repeats how one of them behaves. backbone (Jupyter): handlers get three arguments,
 * an update sets all keys and then fires, `off` without a handler spares other views. marimo: one argument, key
 * by key, `off` without a handler removes everybody's. static: a saved page, where nothing is saved and there
 * is no kernel; what is sent reaches a network in the page, if it has one.
 */
import type { Model, TraitName, WidgetState } from "./afm";

export type Profile = "backbone" | "marimo" | "static";
export type State = Record<string, unknown>;

/** What a kernel can do to the page. */
export interface KernelSide {
  update(changes: State): void;
  message(content: unknown, buffers?: readonly DataView[]): void;
  /** the kernel has gone, or come back */
  connected(connected: boolean): void;
}

/** A kernel, or something that plays one. */
export interface Transport {
  connect(page: KernelSide): void;
  save(changes: State): void;
  send(content: unknown): void;
}

type Handler = (...args: unknown[]) => void;

/** A model of any widget; `view` gives initialize and each render their own proxy, as Jupyter does. */
export class HostModel {
  readonly profile: Profile;
  readonly #state: State;
  readonly #transport: Transport | null;
  readonly #handlers = new Map<string, { readonly owner: object; readonly handler: Handler }[]>();
  #unsaved: State = {};

  constructor(state: State, transport: Transport | null, profile: Profile) {
    this.#state = { ...state };
    this.#transport = transport;
    this.profile = profile;
  }

  get connected(): boolean {
    return this.profile !== "static" && this.#transport !== null;
  }

  /** The six methods of the module contract; `off(event)` of a proxy is what the profile makes of it. */
  view(): Model {
    const owner = {};
    const proxy = {
      get: (name: string): unknown => this.#state[name],
      set: (name: string, value: unknown): void => {
        if (Object.is(this.#state[name], value)) return;
        this.#unsaved[name] = value;
        this.#change({ [name]: value });
      },
      save_changes: (): void => {
        const changes = this.#unsaved;
        this.#unsaved = {};
        const kept = this.profile !== "static" && Object.keys(changes).length > 0;
        if (kept) this.#transport?.save(changes);
      },
      send: (content: unknown): void => this.#transport?.send(content),
      on: (event: string, handler: Handler): void => {
        this.#handlers.set(event, [...(this.#handlers.get(event) ?? []), { owner, handler }]);
      },
      off: (event: string, handler?: Handler): void => this.#removeHandlers(event, owner, handler),
    };
    return proxy as Model;
  }

  /** A change that comes from the kernel. */
  update(changes: State): void {
    this.#change(changes);
  }

  /** A custom message from the kernel. */
  message(content: unknown, buffers: readonly DataView[] = []): void {
    this.#fire("msg:custom", [content, buffers]);
  }

  /** Listeners that are left; a widget that has ended leaves none. */
  get listeners(): number {
    return [...this.#handlers.values()].reduce((sum, each) => sum + each.length, 0);
  }

  #change(changes: State): void {
    if (this.profile === "marimo") {
      for (const [name, value] of Object.entries(changes)) {
        this.#state[name] = value;
        this.#fire(`change:${name}`, [value]);
      }
      return;
    }
    Object.assign(this.#state, changes);
    for (const [name, value] of Object.entries(changes)) this.#fire(`change:${name}`, [this, value, {}]);
  }

  #fire(event: string, args: unknown[]): void {
    for (const { handler } of this.#handlers.get(event) ?? []) handler(...args);
  }

  #removeHandlers(event: string, owner: object, handler: Handler | undefined): void {
    const all = handler === undefined && this.profile === "marimo";
    const stays = (each: { owner: object; handler: Handler }): boolean =>
      !all && !(each.owner === owner && (handler === undefined || each.handler === handler));
    this.#handlers.set(event, (this.#handlers.get(event) ?? []).filter(stays));
  }
}

type BytesTrait = { [K in TraitName]: WidgetState[K] extends DataView ? K : never }[TraitName];

// A record, so that the compiler misses a name that is not in it.
const BYTES_TRAITS: Record<BytesTrait, true> = {
  _picture: true,
  _frame: true,
  _layers: true,
  _retention: true,
  _thumbnails: true,
  _difference: true,
};

/** A state as JSON, Bytes traits as base64 text, turned into what a widget finds in a notebook. */
export function stateFromJson(json: State): State {
  const state: State = { ...json };
  for (const name of Object.keys(BYTES_TRAITS)) state[name] = bytesOf(json[name], name);
  // Those of further sides have a number behind the name.
  for (const name of Object.keys(json)) {
    if (Object.hasOwn(BYTES_TRAITS, name.replace(/_\d+$/, ""))) state[name] = bytesOf(json[name], name);
  }
  return state;
}

function bytesOf(value: unknown, name: string): DataView {
  if (value instanceof DataView) return value;
  if (value !== undefined && typeof value !== "string")
    throw new TypeError(`state.${name} must be base64 text`);
  return bytesOfBase64(value ?? "");
}

export function bytesOfBase64(base64: string): DataView<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return new DataView(bytes.buffer);
}
