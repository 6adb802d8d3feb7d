/** The widget and a host for it in one classic script, for pages that are opened from a file. */
import { showSavedPage } from "./saved_page";
import type { Profile, State, Transport } from "./transport/model";
import { type MountedWidget, mount } from "./transport/shim";
import widget from "./widget";

interface Options {
  readonly profile?: Profile;
  readonly css?: string;
}

declare global {
  var wcamStandalone: {
    /** Shows a saved state in `root`; with a transport the page has a kernel. */
    mount(root: HTMLElement, state: State, transport?: Transport | null, options?: Options): MountedWidget;
    /** Draws all widgets that a saved page holds. */
    showSavedPage(): Promise<void>;
  };
}

globalThis.wcamStandalone = {
  mount(root, state, transport = null, options = {}) {
    const profile = options.profile ?? (transport === null ? "static" : "backbone");
    return mount(root, { widget, state, transport, profile, css: options.css ?? "" });
  },
  showSavedPage,
};
