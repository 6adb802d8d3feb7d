/** A page of its own as a host of the widget: exported pages, browser tests and development run on it. */

import type { Cleanup, Widget, WidgetFactory } from "./afm";
import { DISCONNECTED_CLASS } from "./connection";
import { HostModel, type Profile, type State, stateFromJson, type Transport } from "./model";

export interface MountOptions {
  readonly widget: WidgetFactory;
  /** all traits; Bytes as DataView or as base64 text */
  readonly state: State;
  /** the kernel; null for a page without one */
  readonly transport: Transport | null;
  readonly profile: Profile;
  /** style text, put into the shadow root that the marimo profile renders in */
  readonly css?: string;
}

export interface MountedWidget {
  readonly model: HostModel;
  /** one more view of the same model; returns its end */
  addView(root: HTMLElement): () => void;
  /** ends all views and the model */
  dispose(): void;
}

/** The model that a state and a kernel make, before any widget. */
export function createModel(
  state: State,
  transport: Transport | null,
  profile: Profile = "static",
): HostModel {
  return new HostModel(stateFromJson(state), transport, profile);
}

/** Runs a widget in `root`; throws a TypeError when the state is not one. */
export function mount(root: HTMLElement, options: MountOptions): MountedWidget {
  const { state, transport, profile } = options;
  const host = new Host(createModel(state, transport, profile), options.widget(), options.css ?? "");
  transport?.connect(host);
  host.addView(root);
  return host;
}

class Host implements MountedWidget {
  readonly model: HostModel;
  readonly #widget: Widget;
  readonly #css: string;
  readonly #views = new Map<HTMLElement, () => void>();
  readonly #endModel: Cleanup | undefined;
  #connected: boolean;

  constructor(model: HostModel, widget: Widget, css: string) {
    this.model = model;
    this.#widget = widget;
    this.#css = css;
    this.#connected = model.connected;
    this.#endModel = widget.initialize?.({ model: model.view() });
  }

  update(changes: State): void {
    this.model.update(changes);
  }

  message(content: unknown, buffers?: readonly DataView[]): void {
    this.model.message(content, buffers);
  }

  connected(connected: boolean): void {
    this.#connected = connected;
    for (const el of this.#views.keys()) el.classList.toggle(DISCONNECTED_CLASS, !connected);
  }

  addView(root: HTMLElement): () => void {
    const el = document.createElement("div");
    el.classList.toggle(DISCONNECTED_CLASS, !this.#connected);
    const abort = new AbortController();
    const place = this.model.profile === "marimo" ? this.#shadow(root) : root;
    // Jupyter renders before the element stands in the page, marimo after.
    if (this.model.profile === "marimo") place.append(el);
    const cleanup = this.#widget.render?.({ model: this.model.view(), el, signal: abort.signal });
    if (this.model.profile !== "marimo") place.append(el);
    const end = (): void => {
      if (!this.#views.delete(el)) return;
      abort.abort();
      cleanup?.();
      el.remove();
    };
    this.#views.set(el, end);
    return end;
  }

  dispose(): void {
    for (const end of [...this.#views.values()]) end();
    this.#endModel?.();
  }

  #shadow(root: HTMLElement): ShadowRoot {
    const shadow = root.shadowRoot ?? root.attachShadow({ mode: "open" });
    const style = document.createElement("style");
    style.textContent = this.#css;
    shadow.append(style);
    return shadow;
  }
}
