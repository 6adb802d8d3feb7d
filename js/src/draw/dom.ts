/** Elements made with attributes and text nodes only: labels come from models and files and are never markup. */

/** Values by name; `wcam` stands for `data-wcam`, the name that a part of the widget has in the page. */
type Attributes = Record<string, string | number | boolean | undefined>;

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  return filled(made, attributes, children);
}

/** Gives an element its attributes and children. */
export function filled<E extends Element>(
  made: E,
  attributes: Attributes,
  children: readonly (Node | string)[],
): E {
  for (const [name, value] of Object.entries(attributes))
    setAttribute(made, name === "wcam" ? "data-wcam" : name, value);
  made.append(...children);
  return made;
}

/** A button with words on it that submits no form around the widget. */
export function button(name: string, words: string, attributes: Attributes = {}): HTMLButtonElement {
  return element("button", { type: "button", wcam: name, ...attributes }, words);
}

/** Small words that a screen reader says when they change. */
export function note(name: string): HTMLElement {
  return element("span", { class: "wcam-note", wcam: name, role: "status" });
}

/** Sets an attribute; `false` and `undefined` take it away, `true` sets it empty. */
export function setAttribute(
  target: Element,
  name: string,
  value: string | number | boolean | undefined,
): void {
  if (value === undefined || value === false) target.removeAttribute(name);
  else target.setAttribute(name, value === true ? "" : String(value));
}

/** Sets the text of an element, touching the page only when it changes. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** The 2-D context of a canvas; a page without one cannot draw anything. */
export function context2d(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("this page gives no 2-D canvas: the explorer cannot draw");
  return context;
}
