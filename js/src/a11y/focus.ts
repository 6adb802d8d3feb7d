/** The widget's own events and its focus: the notebook around it has clicks and keys of its own. */
import { element } from "../draw/dom";
import type { Scope } from "../draw/scope";

/**
 * What notebooks listen to around a cell's output, to select cells and to cut, split or run them. Pointer events,
 * the wheel and the context menu belong to host and widget both.
 */
const OWN_EVENTS = [
  "mousedown",
  "mouseup",
  "click",
  "dblclick",
  "keydown",
  "keypress",
  "keyup",
  "copy",
  "cut",
  "paste",
] as const;

const CONTROLS = "button, input, select, textarea, label, summary, a";
const FOCUSABLE = `${CONTROLS}, [tabindex]`;
const PLACES = "section, [data-wcam=root]";

/** The element around a view's parts, which keeps its events and takes the focus where no part of it does. */
export function focusRoot(scope: Scope): HTMLElement {
  const root = element("div", {
    class: "wcam",
    wcam: "root",
    "data-lm-suppress-shortcuts": "true",
    tabindex: -1,
  });
  for (const type of OWN_EVENTS) scope.listen(root, type, (event) => event.stopPropagation());
  scope.listen(root, "mousedown", (event) => {
    if (event.shiftKey && event.target instanceof Element) preventTextSelection(event, event.target);
  });
  restoreFocus(scope, root);
  return root;
}

/** Shift and a click is a gesture here; the browser would select the page's text up to this point. */
function preventTextSelection(event: MouseEvent, target: Element): void {
  if (target.closest(CONTROLS) !== null) return;
  event.preventDefault();
  target.closest<HTMLElement>(FOCUSABLE)?.focus({ preventScroll: true });
}

/** Gives the focus of an element that goes away to the pane it stood in. */
function restoreFocus(scope: Scope, root: HTMLElement): void {
  /** what has the focus and what stands around it, up to the root; empty when the focus is elsewhere */
  let path: HTMLElement[] = [];
  const restore = (): void => {
    const [focused, ...around] = path;
    if (focused === undefined || isShown(focused)) return;
    path = [];
    if (isElsewhere(root, focused)) return;
    const place = around.find((each) => each.matches(PLACES) && isShown(each));
    if (place === undefined) return;
    if (place.tabIndex < 0) place.tabIndex = -1; // by default a section takes no focus
    place.focus({ preventScroll: true });
  };
  scope.listen(root, "focusin", (event) => {
    path = event.target instanceof HTMLElement ? pathOf(event.target, root) : [];
  });
  scope.listen(root, "focusout", () => {
    if (path[0] === undefined || isShown(path[0])) path = [];
    else restore();
  });
  const observer = new MutationObserver(restore);
  observer.observe(root, {
    subtree: true,
    childList: true,
    attributes: true,
    attributeFilter: ["hidden", "disabled"],
  });
  scope.add(() => observer.disconnect());
}

function pathOf(element: HTMLElement, root: HTMLElement): HTMLElement[] {
  const path: HTMLElement[] = [];
  for (let node: HTMLElement | null = element; node !== null; node = node.parentElement) {
    path.push(node);
    if (node === root) break;
  }
  return path;
}

function isShown(element: HTMLElement): boolean {
  return element.isConnected && element.getClientRects().length > 0 && !element.matches(":disabled");
}

/** Whether something else has the focus by now: not the element that goes, and not the page's body. */
function isElsewhere(root: HTMLElement, focused: HTMLElement): boolean {
  const tree = root.getRootNode();
  const active = tree instanceof ShadowRoot || tree instanceof Document ? tree.activeElement : null;
  return active !== null && active !== focused && active !== root.ownerDocument.body;
}
