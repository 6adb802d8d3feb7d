/** A page without a kernel: what its widgets are made of lies in it as data, and each has its places. */
import type { State } from "./transport/model";
import { mountModule, type SavedModule } from "./transport/module_widget";
import { mount } from "./transport/shim";
import widget from "./widget";

/** What a page has of another package's widget; widgets of one kind share their code. */
interface PlacedModule extends Pick<SavedModule, "state" | "buffers"> {
  readonly code: number;
}

/** Draws everything; a place keeps the picture that stands in it where its widget cannot be drawn. */
export async function showSavedPage(): Promise<void> {
  for (const [name, roots] of placesOf("wcamSaved")) {
    await draw(roots, () => mountAll(roots, read(`wcam-saved-${name}`)));
  }
  for (const [name, roots] of placesOf("wcamModule")) {
    await draw(roots, () => {
      const { code, ...saved } = read<PlacedModule>(`wcam-module-${name}`);
      const shared = read<Pick<SavedModule, "esm" | "css">[]>("wcam-modules")[code];
      if (shared === undefined) throw new RangeError(`the page has no code ${code}`);
      return mountModule(roots, { ...shared, ...saved });
    });
  }
}

function mountAll(roots: readonly HTMLElement[], state: State): void {
  const [first, ...others] = roots;
  if (first === undefined) return;
  const mounted = mount(first, { widget, state, transport: null, profile: "static" });
  for (const root of others) mounted.addView(root);
}

async function draw(roots: readonly HTMLElement[], drawing: () => void | Promise<void>): Promise<void> {
  try {
    await drawing();
    for (const root of roots) root.dataset.wcamDrawn = "";
  } catch (error) {
    reportError(error);
  }
}

/** The places of one kind in the order of the page, by the name that those of one widget share. */
function placesOf(kind: "wcamSaved" | "wcamModule"): Map<string, HTMLElement[]> {
  const places = new Map<string, HTMLElement[]>();
  for (const root of document.querySelectorAll<HTMLElement>("[data-wcam-saved],[data-wcam-module]")) {
    const name = root.dataset[kind];
    if (name !== undefined) places.set(name, [...(places.get(name) ?? []), root]);
  }
  return places;
}

function read<T = State>(id: string): T {
  return JSON.parse(document.getElementById(id)?.textContent ?? "");
}
