/** The map in words, for readers who cannot see it. */
import type { AttributionFrame } from "../frame/attribution";
import type { Picture } from "../frame/picture";
import { bandOf } from "../picture/geometry";
import { bandLabel, formatValue, placeWords } from "../picture/words";
import { KEY_HELP } from "./keys";

const NAMED = 5;

/** How many cells there are, where the largest values stand, and how to move among them. */
export function describeMap(picture: Picture | null, attribution: AttributionFrame | null): string {
  if (picture === null) return "No map yet.";
  const size = `${picture.cellCount} cells in ${picture.bands.length} bands.`;
  if (attribution === null) return `${size} No values yet. ${KEY_HELP}`;
  const { values } = attribution;
  const finite = [...values.keys()].filter((cell) => Number.isFinite(values[cell] ?? Number.NaN));
  const largest = finite.sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0)).slice(0, NAMED);
  const named = largest.map((cell) => {
    const band = picture.bands[bandOf(picture, cell)];
    return `${band ? bandLabel(band) : ""}, ${placeWords(picture, cell)}: ${formatValue(values[cell] ?? 0)}`;
  });
  return `${size} Largest values: ${named.join("; ")}. ${KEY_HELP}`;
}

/** A live region that announces the latest sentence only: those that are replaced within 100 ms are dropped. */
export class Announcer {
  readonly element: HTMLElement;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(document: Document) {
    this.element = document.createElement("p");
    this.element.className = "wcam-unseen";
    this.element.dataset["wcam"] = "announcement";
    this.element.setAttribute("aria-live", "polite");
  }

  say(text: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.element.textContent = text;
    }, 100);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
