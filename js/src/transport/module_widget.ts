/** Widgets of other packages on a page without a kernel: a module as text, and the state that was saved. */
import { DISCONNECTED_CLASS } from "./connection";
import { bytesOfBase64, HostModel, type State } from "./model";

/** A widget's model as notebooks save it: what is binary stands apart from the rest, with its place in it. */
export interface SavedModule {
  readonly esm: string;
  readonly css: string;
  readonly state: State;
  readonly buffers: readonly { readonly path: readonly (string | number)[]; readonly data: string }[];
}

interface OpenWidget {
  initialize?(props: { model: unknown }): unknown;
  render?(props: { model: unknown; el: HTMLElement; signal: AbortSignal }): unknown;
}

/** Runs one model of a widget with a view in each root; throws what the widget throws. */
export async function mountModule(roots: readonly HTMLElement[], saved: SavedModule): Promise<void> {
  const widget = await load(saved.esm);
  const model = new HostModel(stateOf(saved), null, "static");
  const style = document.createElement("style");
  style.textContent = saved.css;
  document.head.append(style);
  await widget.initialize?.({ model: model.view() });
  for (const root of roots) {
    const el = document.createElement("div");
    el.className = DISCONNECTED_CLASS;
    root.append(el);
    await widget.render?.({ model: model.view(), el, signal: new AbortController().signal });
  }
}

async function load(esm: string): Promise<OpenWidget> {
  const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
  try {
    const module = await import(url);
    const made: unknown = module.default ?? module;
    return (typeof made === "function" ? await made() : made) as OpenWidget;
  } finally {
    URL.revokeObjectURL(url);
  }
}

function stateOf({ state, buffers }: SavedModule): State {
  const whole = structuredClone(state);
  for (const { path, data } of buffers) {
    const parents = path.slice(0, -1);
    const parent = parents.reduce<unknown>((holder, key) => (holder as State)[key], whole);
    (parent as State)[path.at(-1) ?? ""] = bytesOfBase64(data);
  }
  return whole;
}
