/** A box to type in, over a list of any length of which only what is in sight is in the page. */
import { element, setAttribute, setText } from "../draw/dom";
import type { Scope } from "../draw/scope";

const ROW = 24; // pixels; the style sheet has the same
const BEYOND = 4; // rows above and below those in sight
const PAGE = 8;

export interface Choices {
  /** what tests and styles find it by */
  readonly name: string;
  readonly label: string;
  /** the numbers of what fits to the text, best first */
  readonly search: (typed: string) => readonly number[];
  /** what a row says: a name, and a number beside it */
  readonly row: (id: number) => readonly [string, string];
  readonly choose: (id: number) => void;
}

let count = 0;

export class Combobox {
  readonly element: HTMLElement;
  readonly input: HTMLInputElement;
  readonly #choices: Choices;
  readonly #list: HTMLElement;
  readonly #rows: HTMLElement;
  readonly #none: HTMLElement;
  readonly #id = `wcam-choices-${++count}`;
  #matches: readonly number[] = [];
  #active = 0;

  constructor(scope: Scope, choices: Choices) {
    this.#choices = choices;
    this.input = element("input", {
      type: "text",
      role: "combobox",
      autocomplete: "off",
      spellcheck: "false",
      wcam: choices.name,
      "aria-label": choices.label,
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": this.#id,
    });
    this.#rows = element("div", { role: "presentation" });
    this.#none = element("p", { hidden: true }, "no class of this name");
    this.#list = element(
      "div",
      { id: this.#id, role: "listbox", "aria-label": choices.label, class: "wcam-choices", hidden: true },
      this.#rows,
      this.#none,
    );
    this.element = element("span", { class: "wcam-combobox" }, this.input, this.#list);
    scope.listen(this.input, "input", () => this.refresh());
    scope.listen(this.input, "click", () => this.refresh());
    scope.listen(this.input, "keydown", (event) => this.#key(event));
    scope.listen(this.input, "blur", () => this.close());
    scope.listen(this.#list, "scroll", () => this.#draw());
    // The focus stays in the box: the list is gone as soon as it goes.
    scope.listen(this.#list, "mousedown", (event) => event.preventDefault());
    scope.listen(this.#list, "click", (event) => {
      const row = event.target instanceof Element ? event.target.closest<HTMLElement>("[role=option]") : null;
      if (row !== null) this.#choose(Number(row.dataset["at"]));
    });
  }

  get isOpen(): boolean {
    return !this.#list.hidden;
  }

  /** Shows what fits to the text now. */
  refresh(): void {
    this.#matches = this.#choices.search(this.input.value);
    this.#list.hidden = false;
    this.#none.hidden = this.#matches.length > 0;
    setAttribute(this.input, "aria-expanded", "true");
    this.#list.scrollTop = 0;
    this.#move(0);
  }

  close(): void {
    this.#list.hidden = true;
    setAttribute(this.input, "aria-expanded", "false");
    setAttribute(this.input, "aria-activedescendant", undefined);
  }

  #key(event: KeyboardEvent): void {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE };
    const step = steps[event.key];
    if (step !== undefined) {
      if (this.isOpen) this.#move(this.#active + step);
      else this.refresh();
    } else if (event.key === "Enter" && this.isOpen) this.#choose(this.#active);
    else if (event.key === "Escape" && this.isOpen) this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #choose(at: number): void {
    const id = this.#matches[at];
    if (id === undefined) return;
    this.close();
    this.#choices.choose(id);
  }

  #move(to: number): void {
    this.#active = Math.max(0, Math.min(this.#matches.length - 1, to));
    const [top, height] = [this.#active * ROW, this.#list.clientHeight];
    if (top < this.#list.scrollTop) this.#list.scrollTop = top;
    else if (top + ROW > this.#list.scrollTop + height) this.#list.scrollTop = top + ROW - height;
    this.#draw();
  }

  #draw(): void {
    this.#rows.style.height = `${this.#matches.length * ROW}px`; // before the height of the list is read
    const { scrollTop, clientHeight } = this.#list;
    const first = Math.max(0, Math.floor(scrollTop / ROW) - BEYOND);
    const last = Math.min(this.#matches.length, Math.ceil((scrollTop + clientHeight) / ROW) + BEYOND);
    const rows: HTMLElement[] = [];
    for (let at = first; at < last; at++) rows.push(this.#row(at));
    this.#rows.replaceChildren(...rows);
    const active = this.#matches.length > 0 ? `${this.#id}-${this.#active}` : undefined;
    setAttribute(this.input, "aria-activedescendant", active);
  }

  #row(at: number): HTMLElement {
    const [name, number] = this.#choices.row(this.#matches[at] ?? 0);
    const value = element("span", { class: "wcam-quiet" });
    setText(value, number);
    const row = element(
      "div",
      {
        id: `${this.#id}-${at}`,
        role: "option",
        "aria-selected": at === this.#active ? "true" : "false",
        "aria-setsize": this.#matches.length,
        "aria-posinset": at + 1,
        "data-at": at,
      },
      element("bdi", { title: name }, name),
      value,
    );
    row.style.top = `${at * ROW}px`;
    return row;
  }
}
