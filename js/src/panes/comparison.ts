/** A view of several sides: one of them, or two beside each other with what differs. */
import { bindWidgetKeys } from "../a11y/keys";
import { element } from "../draw/dom";
import { Scope } from "../draw/scope";
import { type Translate, translation } from "../picture/correspondence";
import { link } from "../reactive/link";
import { computed, effect, type Signal, untracked } from "../reactive/signal";
import { type Comparison, signalOf } from "../state/comparison";
import { SessionDifference } from "../state/session_difference";
import { type Hover, ViewContext } from "./context";
import { selectionLine } from "./selection_line";
import { SharedScales } from "./shared_scales";
import { sideChooser } from "./side_chooser";
import { differenceBody, heatOfSide } from "./side_difference";
import { followHost, type Stage, sessionBody, stageView } from "./view";

/** Shows a comparison in `el`; returns the end of the view. */
export function showComparison(comparison: Comparison, el: HTMLElement): () => void {
  return stageView(el, (stage) => {
    const { root, scope, report, announcer } = stage;
    const place = element("div", { class: "wcam-comparison", wcam: "comparison" });
    root.append(place);
    scope.guard(() => place.append(...sideChooser(comparison, scope)));
    const sides = element("div", { class: "wcam-sides" });
    place.append(sides, announcer.element);
    // Other sides are other panes: what was shown ends, and what is chosen now begins.
    scope.add(
      effect(() => {
        const shown = comparison.shown.value;
        place.dataset["shown"] = String(shown.length);
        const inner = new Scope(report);
        inner.guard(() => untracked(() => fill({ ...stage, scope: inner }, comparison, shown, sides, el)));
        return () => inner.dispose();
      }),
    );
  });
}

/** The columns of the sides that are shown, and the one line of their selection. */
function fill(
  stage: Stage,
  comparison: Comparison,
  shown: readonly number[],
  sides: HTMLElement,
  el: HTMLElement,
): void {
  const { root, scope, failure, announcer } = stage;
  const scales = new SharedScales();
  const { names, linked } = comparison.sides.peek();
  const contexts = shown.map(
    (side) =>
      new ViewContext(
        comparison.session(side),
        scope,
        (text) => announcer.say(text),
        shown.length > 1 ? scales : null,
        linked ? "on all sides" : "on this side",
      ),
  );
  const [first, second] = contexts;
  if (first === undefined) return;
  const bodies = contexts.map((context, at) => {
    const { body, cancelDrags } = sessionBody(context, failure);
    const name = names[shown[at] ?? 0] ?? "";
    body.dataset["side"] = String(at);
    body.firstElementChild?.prepend(element("h3", { class: "wcam-side-name" }, name));
    // Steps back and forth are those of the first side, which the other follows.
    bindWidgetKeys(first, body, cancelDrags);
    followHost(context, root, el);
    return body;
  });
  if (second) bodies.push(difference(comparison, [first, second], shown, announcerOf(stage)));
  sides.replaceChildren(...bodies, selectionLine(first));
  scope.add(() => sides.replaceChildren());
}

function announcerOf({ announcer }: Stage): (text: string) => void {
  return (text) => announcer.say(text);
}

/** The column of what differs, linked with both sides. */
function difference(
  comparison: Comparison,
  [first, second]: readonly [ViewContext, ViewContext],
  shown: readonly number[],
  announce: (text: string) => void,
): HTMLElement {
  const { scope } = first;
  const { names } = comparison.sides.peek();
  const title = `${names[shown[1] ?? 0]} less ${names[shown[0] ?? 0]}`;
  const sessions = [first.session, second.session] as const;
  const [one, other] = sessions;
  const made = new SessionDifference({ one, other, title, heat: heatOfSide, paired: comparison.paired });
  const context = new ViewContext(made.session, scope, announce);
  const there = computed(() => translation(one.picture.value, other.picture.value));
  const back = computed(() => translation(other.picture.value, one.picture.value));
  const ends = [
    link<Hover | null, Hover | null>(
      signalOf(first.hover),
      signalOf(second.hover),
      (hover) => translated(hover, there.peek()),
      (hover) => translated(hover, back.peek()),
    ),
    linkAlike(second.hover, context.hover),
    linkAlike(first.theme, context.theme),
  ];
  for (const end of ends) scope.add(end);
  const { body, cancelDrags } = differenceBody(context, title, made, sessions);
  bindWidgetKeys(first, body, cancelDrags);
  return body;
}

function linkAlike<T>(one: Signal<T>, other: Signal<T>): () => void {
  return link(
    signalOf(one),
    signalOf(other),
    (value) => value,
    (value) => value,
  );
}

function translated(hover: Hover | null, translate: Translate): Hover | null {
  return hover && { ...hover, cells: translate(hover.cells) };
}
