/** One view of a model: the panes, the theme, and the boundary that shows errors instead of a blank output. */
import { Announcer } from "../a11y/description";
import { focusRoot } from "../a11y/focus";
import { bindWidgetKeys } from "../a11y/keys";
import { element } from "../draw/dom";
import { Scope } from "../draw/scope";
import { type ReadonlySignal, signal } from "../reactive/signal";
import type { Session } from "../state/session";
import { answerLine } from "./answer_line";
import { ViewContext } from "./context";
import { DyadicPane } from "./dyadic";
import { errorPanel, headerLine } from "./header";
import { ImagePane } from "./image";
import { profilePane } from "./profile";
import { reconstructionPane } from "./reconstruction";
import { retentionPane } from "./retention";
import { scoresPane } from "./scores";
import { selectionLine } from "./selection_line";
import { hostTheme, watchHostTheme } from "./theme";

/** What a view of one session, and one of several, begin with. */
export interface Stage {
  readonly root: HTMLElement;
  readonly scope: Scope;
  /** shows an error instead of a blank output */
  report(error: unknown): void;
  /** what went wrong here; null when all is well */
  readonly failure: ReadonlySignal<string | null>;
  readonly announcer: Announcer;
}

/** Shows a session in `el`; returns the end of the view. */
export function showView(session: Session, el: HTMLElement): () => void {
  return stageView(el, ({ root, scope, failure, announcer }) => {
    const context = new ViewContext(session, scope, (text) => announcer.say(text));
    scope.guard(() => root.append(layOut(context, failure, announcer.element)));
    scope.guard(() => followHost(context, root, el));
  });
}

/** Makes the root of a view, lets `fill` fill it, and puts it into `el`; returns the end of the view. */
export function stageView(el: HTMLElement, fill: (stage: Stage) => void): () => void {
  const failure = signal<string | null>(null);
  const report = (error: unknown): void => {
    failure.value = error instanceof Error ? error.message : String(error);
    // biome-ignore lint/suspicious/noConsole: the panel shows the message, the console keeps the stack
    console.error("[wcam]", error);
  };
  const scope = new Scope(report);
  const announcer = new Announcer(el.ownerDocument);
  const root = focusRoot(scope);
  fill({ root, scope, report, failure, announcer });
  el.append(root);
  return () => {
    scope.dispose();
    announcer.close();
    root.remove();
  };
}

function layOut(
  context: ViewContext,
  failure: ReadonlySignal<string | null>,
  live: HTMLElement,
): HTMLElement {
  const { body, cancelDrags } = sessionBody(context, failure);
  body.append(selectionLine(context), live);
  bindWidgetKeys(context, body, cancelDrags);
  return body;
}

/** All panes of a session but the line of its selection. */
export function sessionBody(
  context: ViewContext,
  failure: ReadonlySignal<string | null>,
): { readonly body: HTMLElement; cancelDrags(): boolean } {
  const body = element("div", { class: "wcam-body" });
  // The panel comes first, so that whatever fails after it is seen.
  const errors = errorPanel(context, failure);
  const top = element("div", { class: "wcam-top" }, errors);
  body.append(top);
  const image = new ImagePane(context);
  const dyadic = new DyadicPane(context);
  top.prepend(headerLine(context), answerLine(context));
  body.append(
    image.element,
    dyadic.element,
    reconstructionPane(context),
    profilePane(context, dyadic.scale),
    retentionPane(context),
    scoresPane(context),
  );
  return { body, cancelDrags: () => [image.cancelDrag(), dyadic.cancelDrag()].includes(true) };
}

/** Theme and styles of the place the view stands in, read again when it is put into the page. */
export function followHost(context: ViewContext, root: HTMLElement, el: HTMLElement): void {
  const { session, scope, theme, bind } = context;
  const update = (): void => {
    const setting = session.theme.peek();
    theme.value = setting === "auto" ? hostTheme(root) : setting;
    root.dataset["theme"] = theme.value;
  };
  let detach = session.attach(el);
  scope.add(() => detach());
  let placed = false;
  scope.onResize(root, () => {
    if (!placed) {
      placed = true;
      adoptStyles(root, session);
      detach();
      detach = session.attach(el);
    }
    update();
  });
  watchHostTheme(scope, root, update);
  bind(() => {
    void session.theme.value;
    update();
  });
}

/** anywidget puts our sheet into the document's head, which a foreign shadow tree does not see: it gets a copy. */
function adoptStyles(root: HTMLElement, session: Session): void {
  const tree = root.getRootNode();
  const styled = getComputedStyle(root).getPropertyValue("--wcam-styled") !== "";
  if (styled || !(tree instanceof ShadowRoot)) return;
  const sheet = new CSSStyleSheet();
  const sheets = [...document.querySelectorAll("style")].map((style) => style.textContent);
  sheet.replaceSync(session.sheet ?? sheets.find((text) => text.includes("--wcam-styled")) ?? "");
  tree.adoptedStyleSheets = [...tree.adoptedStyleSheets, sheet];
}
