/** Files to take away: the view as a picture, the selection, and, where there is a kernel, the map. */
import { button, element, note, setAttribute, setText } from "../draw/dom";
import { selectionWords } from "../picture/selection_parts";
import { isReachable } from "../transport/connection";
import type { ViewContext } from "./context";
import { type Figure, figureOf, toPng, toSvg } from "./figure";

const SCALES = [1, 2, 3, 4] as const;
const NAME = "wcam";

/** The menu, and what went wrong beside it. */
export function saveMenu(context: ViewContext): HTMLElement {
  const { session, scope, bind } = context;
  const said = note("save-note");
  const items = element("div", { class: "wcam-menu" });
  const menu = element(
    "details",
    { class: "wcam-save", wcam: "save" },
    element("summary", {}, "save"),
    items,
  );
  const item = (name: string, label: string, make: () => Promise<Blob> | Blob): HTMLButtonElement => {
    const made = button(`save-${name}`, label);
    scope.listen(made, "click", () => {
      menu.open = false;
      setText(said, "");
      Promise.resolve()
        .then(make)
        .then((blob) => download(`${NAME}.${name.split("-")[0]}`, blob))
        .catch((error: unknown) => setText(said, `Nothing was saved: ${(error as Error).message}`));
    });
    items.append(made);
    return made;
  };
  const figure = (): Figure => {
    const root = menu.closest<HTMLElement>(".wcam");
    if (root === null) throw new Error("the view is not in the page");
    return figureOf(root, captionOf(context));
  };
  for (const scale of SCALES) item(`png-${scale}`, `picture, PNG ${scale}×`, () => toPng(figure(), scale));
  item("svg", "picture, SVG", () => toSvg(figure()));
  item("json", "selection, JSON", () => selectionFile(context));
  const map = item("npz", "map, .npz", async () => {
    const { buffer, byteOffset, byteLength } = await session.kernel.file();
    return new Blob([new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)]);
  });
  bind(() => setAttribute(map, "hidden", !isReachable(session.connection.value)));
  scope.listen(menu, "keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    event.stopPropagation();
    menu.querySelector("summary")?.focus();
    menu.open = false;
  });
  return element("span", { class: "wcam-save-place" }, menu, said);
}

/** What a picture of the view needs below it to be understood. */
function captionOf({ session }: ViewContext): string[] {
  const [picture, map] = [session.picture.peek(), session.attribution.peek()];
  const cells = session.selection.cells.peek();
  const chosen = picture !== null && cells.length > 0;
  return [
    session.status.peek().answer,
    map === null ? "" : `${map.target.label} · ${map.method}`,
    chosen ? `${session.mode.peek()}: ${selectionWords(picture, cells)}` : "",
    chosen ? (session.scores.peek().result?.verdict ?? "") : "",
  ];
}

function selectionFile({ session }: ViewContext): Blob {
  const map = session.attribution.peek();
  const contents = {
    selection: session.selection.cells.peek(),
    mode: session.mode.peek(),
    target: session.target.peek().explained?.label ?? map?.target.label ?? "",
    method: map?.method ?? "",
    cells: session.picture.peek()?.cellCount ?? 0,
  };
  return new Blob([JSON.stringify(contents, null, 1)], { type: "application/json" });
}

function download(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
