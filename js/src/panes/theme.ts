/** Light or dark: by what is really behind the widget, not by what a class name of the host claims. */

import type { Scope } from "../draw/scope";
import { ancestorsOf } from "../transport/ancestors";

export type Theme = "light" | "dark";

/** Lightness (0 to 1) of a computed colour if it is opaque, else null. */
export function opaqueLightness(colour: string): number | null {
  const parts = colour
    .match(/^rgba?\(([^)]*)\)$/)?.[1]
    ?.split(/[\s,/]+/)
    .filter(Boolean)
    .map(Number.parseFloat);
  if (!parts || parts.length < 3) return null;
  const [red = 0, green = 0, blue = 0, alpha = 1] = parts;
  if (!(alpha > 0.95)) return null;
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}

/** The theme that the host declares, for where every background is transparent; null if it declares none. */
function declaredTheme(document: Document): Theme | null {
  const body = document.body;
  const root = document.documentElement;
  const lab = body?.getAttribute("data-jp-theme-light");
  if (lab === "true") return "light";
  if (lab === "false") return "dark";
  if (root.getAttribute("theme") === "dark") return "dark";
  for (const element of [root, body]) {
    if (element?.classList.contains("dark") || element?.getAttribute("data-theme") === "dark") return "dark";
  }
  return null;
}

/** The theme of the place where `element` stands. */
export function hostTheme(element: Element): Theme {
  for (const ancestor of ancestorsOf(element)) {
    const lightness = opaqueLightness(getComputedStyle(ancestor).backgroundColor);
    if (lightness !== null) return lightness < 0.5 ? "dark" : "light";
  }
  const declared = declaredTheme(element.ownerDocument);
  if (declared !== null) return declared;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Calls `changed` whenever the host may have changed its theme. */
export function watchHostTheme(scope: Scope, element: Element, changed: () => void): void {
  const observer = new MutationObserver(() => scope.guard(changed));
  const attributeFilter = ["class", "style", "theme", "data-theme", "data-jp-theme-light"];
  const { documentElement, body } = element.ownerDocument;
  for (const target of [documentElement, body]) {
    if (target) observer.observe(target, { attributes: true, attributeFilter });
  }
  scope.add(() => observer.disconnect());
  const preference = matchMedia("(prefers-color-scheme: dark)");
  const guarded = (): void => {
    scope.guard(changed);
  };
  preference.addEventListener("change", guarded);
  scope.add(() => preference.removeEventListener("change", guarded));
}
