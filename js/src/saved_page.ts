/** A page without a kernel: what its widgets are made of lies in it as data, and each has its places. */
import { Fields, sectionOf } from "./frame/fields";
import { decodeFrame, type Frame } from "./frame/frame";
import { PageNetwork } from "./page_network";
import { bytesOfBase64, type State } from "./transport/model";
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
    await draw(roots, async () => {
      const state = await unpacked(textOf(`wcam-saved-${name}`));
      mountAll(roots, state, networkOf(name, state));
    });
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

/** The network that scores any selection of an explorer; null where the page has none. */
function networkOf(name: string, state: State): PageNetwork | null {
  const network = textOf(`wcam-network-${name}`);
  if (network === "") return null;
  return new PageNetwork(state, textOf("wcam-network"), inflated(network));
}

function mountAll(roots: readonly HTMLElement[], saved: State, transport: PageNetwork | null): void {
  const [first, ...others] = roots;
  if (first === undefined) return;
  const state = { ...saved, _scored: transport !== null };
  const mounted = mount(first, { widget, state, transport, profile: "static" });
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

/** A state: a deflated frame, what is binary as it is or as differences, and the rest as JSON. */
async function unpacked(base64: string): Promise<State> {
  const frame = decodeFrame(await inflated(base64));
  const apart = new Fields(frame.header).object("apart");
  const state: State = JSON.parse(new TextDecoder().decode(bytesOf(frame, "rest")));
  for (const name of frame.names) {
    if (name === "rest") continue;
    const data = bytesOf(frame, name).slice();
    const step = apart.numberOr(name, 0);
    for (let at = step; step > 0 && at < data.length; at++) {
      data[at] = (data[at] as number) + (data[at - step] as number);
    }
    state[name] = new DataView(data.buffer);
  }
  return state;
}

function inflated(base64: string): Promise<ArrayBuffer> {
  const bytes = bytesOfBase64(base64).buffer;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

function bytesOf(frame: Frame, name: string): Uint8Array {
  const section = frame.section(name);
  return sectionOf(frame, name, "u8", section.shape);
}

function textOf(id: string): string {
  return document.getElementById(id)?.textContent ?? "";
}

function read<T>(id: string): T {
  return JSON.parse(textOf(id));
}
