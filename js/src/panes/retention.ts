/** Keep the top: the score of the most important cells alone, as a curve that is a slider. */
import { button, element, setAttribute, setText } from "../draw/dom";
import { drawRetention, MARGIN } from "../draw/retention_chart";
import { svg } from "../draw/svg";
import type { RetentionFrame } from "../frame/retention";
import { type CurveValue, countAfterKey, countAt, shareWords, valueOn } from "../picture/retention";
import { formatScore } from "../picture/words";
import { computed, type ReadonlySignal, type Signal, signal } from "../reactive/signal";
import type { Scores } from "../state/score_requests";
import { questionKey } from "../state/selection";
import type { Session } from "../state/session";
import type { Status } from "../state/status";
import type { ConnectionState } from "../transport/connection";
import type { ViewContext } from "./context";
import { pane } from "./pane";

const LINES: readonly (readonly [string, string])[] = [
  ["own", "this map"],
  ["energy", "by energy"],
  ["random", "at random"],
];
const KEYS_WORDS =
  "arrow keys keep more or fewer cells, Page Up and Page Down many, Home one, End all; " +
  "Enter goes to the fewest cells that hold the decision";

/** What stands where there is no curve. */
export function absentWords(status: Status, connection: ConnectionState): string {
  if (status.state === "cancelled") return "No curve: the run was cancelled";
  if (status.state === "error") return "No curve: the run failed";
  if (connection === "static") return "This saved page has no curve";
  return status.state === "done" ? "computing the curve…" : "the curve follows the run";
}

/** Where the decision holds: "Egyptian cat from 84 of 640 cells on (2.1 % of coefficients)". */
export function depthWords(curve: RetentionFrame, shares: Float64Array): string {
  const [decision = "", all] = [curve.classes[0], curve.order.length];
  if (curve.depth === null) return "looking for the smallest set that holds the decision…";
  if (curve.depth < 1) return `${decision} even where nothing is kept`;
  const share = shareWords(shares[curve.depth] ?? 1);
  return `${decision} from ${curve.depth} of ${all} cells on (${share} of coefficients)`;
}

/** What the slider keeps and what that scores; "≈" where it is read off the curve. */
export function valueWords(
  curve: RetentionFrame,
  shares: Float64Array,
  count: number | null,
  value: CurveValue | null,
): string {
  if (count === null) return "the selection is not on this line: drag the curve to keep the top cells";
  const kept = `top ${count} of ${curve.order.length} cells, ${shareWords(shares[count] ?? 1)} of coefficients`;
  if (value === null || !Number.isFinite(value.score)) return kept;
  const number = curve.unit === "" ? formatScore(value.score) : probabilityWords(value.score);
  const says =
    value.class === null || value.class === 0 ? "" : `, the model says ${curve.classes[value.class]}`;
  const score = value.exact ? number : `≈ ${number} by the curve`;
  return `${kept}: ${score}${says}`;
}

function probabilityWords(value: number): string {
  return value < 0.005
    ? "below .01"
    : value >= 0.995 && value < 1
      ? "above .99"
      : value.toFixed(2).replace(/^0/, "");
}

/** The model's own answer where it is there, else what the curve says. */
export function shownValue(
  curve: RetentionFrame,
  shares: Float64Array,
  count: number | null,
  scores: Scores,
  key: string,
): CurveValue | null {
  const own = curve.lines.find((line) => line.name === "own");
  if (count === null || own === undefined) return null;
  const read = valueOn(own, shares, count);
  if (scores.state !== "known" || scores.result?.key !== key) return read;
  const { target, classes } = scores.result;
  const explained = curve.unit === "" ? target : classes.find(({ label }) => label === curve.subject);
  if (explained === undefined) return read;
  return { class: read?.class ?? null, score: explained.reconstruction, exact: true };
}

export function retentionPane(context: ViewContext): HTMLElement {
  const { session, bind } = context;
  const { topLine } = session;
  const chart = svg("svg", { "aria-hidden": "true", wcam: "retention-chart" });
  const waiting = element("p", { class: "wcam-waiting" });
  const slider = element(
    "div",
    {
      class: "wcam-retention",
      role: "slider",
      tabindex: 0,
      wcam: "retention",
      "aria-label": "keep the top",
    },
    waiting,
  );
  slider.append(chart);
  const words = element("p", { class: "wcam-value", wcam: "retention-value" });
  const note = element("p", { class: "wcam-note", wcam: "retention-note" });
  const value = currentValue(session);
  drawChart(context, slider, chart, value);
  bind(() => {
    const [curve, shares, count] = [topLine.curve.value, topLine.shares.value, topLine.count.value];
    waiting.hidden = curve !== null;
    setText(waiting, absentWords(session.status.value, session.connection.value));
    const text = curve ? valueWords(curve, shares, count, value.value) : "";
    setText(words, text);
    const since = topLine.outdated.value ? ", by the map before it went on" : "";
    setText(note, curve ? depthWords(curve, shares) + since : "");
    setAttribute(slider, "aria-valuemin", 1);
    setAttribute(slider, "aria-valuemax", curve?.order.length ?? 1);
    setAttribute(slider, "aria-valuenow", count ?? curve?.order.length ?? 1);
    setAttribute(slider, "aria-valuetext", text || waiting.textContent);
    setAttribute(slider, "aria-disabled", curve ? undefined : "true");
  });
  bindSlider(context, slider);
  return pane("retention", "Keep the top …", [legend(context), snapButton(context)], slider, words, note);
}

function currentValue(session: Session): ReadonlySignal<CurveValue | null> {
  const { topLine } = session;
  return computed(() => {
    const curve = topLine.curve.value;
    const key = questionKey(session.selection.cells.value, session.mode.value);
    return curve && shownValue(curve, topLine.shares.value, topLine.count.value, session.scores.value, key);
  });
}

function drawChart(
  context: ViewContext,
  slider: HTMLElement,
  chart: SVGSVGElement,
  value: ReadonlySignal<CurveValue | null>,
): void {
  const { session, scope, repaint, bind } = context;
  const { topLine } = session;
  const size: Signal<readonly [number, number]> = signal([0, 0]);
  scope.onResize(slider, (width, height) => {
    size.value = [width, height];
  });
  const paint = (): void => {
    const [[width, height], curve] = [size.peek(), topLine.curve.peek()];
    if (curve === null || width === 0) {
      chart.replaceChildren();
      return;
    }
    setAttribute(chart, "viewBox", `0 0 ${width} ${height}`);
    const [shares, count] = [topLine.shares.peek(), topLine.count.peek()];
    chart.replaceChildren(...drawRetention({ curve, shares, width, height, count, value: value.peek() }));
  };
  bind(() => {
    void [size.value, topLine.curve.value, topLine.count.value, value.value];
    repaint.request(paint);
  });
}

/** The fewest cells that hold the decision, one click away. */
function snapButton({ session, act, scope, bind }: ViewContext): HTMLElement {
  const { topLine } = session;
  const made = button("snap", "smallest set");
  scope.listen(made, "click", () => act(() => topLine.snap()));
  bind(() => {
    const curve = topLine.curve.value;
    made.hidden = curve === null || curve.depth === null;
    setAttribute(
      made,
      "title",
      `keep the fewest cells that still give ${curve?.classes[0] ?? "the decision"} (Enter)`,
    );
  });
  return made;
}

function legend({ session, bind }: ViewContext): HTMLElement {
  const made = element("span", { class: "wcam-lines-key" });
  bind(() => {
    const names = session.topLine.curve.value?.lines.map((line) => line.name) ?? [];
    const entries = LINES.filter(([name]) => names.includes(name)).map(([name, words]) => {
      const swatch = svg("svg", { viewBox: "0 0 18 8", "aria-hidden": "true" });
      swatch.append(svg("path", { class: "wcam-line", "data-line": name, d: "M0 4L18 4" }));
      const entry = element("span", {}, words);
      entry.prepend(swatch);
      return entry;
    });
    made.replaceChildren(...entries);
  });
  return made;
}

function bindSlider({ session, scope, act }: ViewContext, slider: HTMLElement): void {
  const { topLine, selection } = session;
  setAttribute(slider, "title", "drag: keep the most important cells alone");
  setAttribute(slider, "aria-description", KEYS_WORDS);
  let pressed = false;
  let changed = false;
  const keep = (count: number, paint: (change: () => void) => void): void => {
    const before = selection.cells.peek();
    paint(() => topLine.keep(count, changed));
    changed ||= selection.cells.peek() !== before;
  };
  const follow = (event: PointerEvent): void => {
    const { left, width } = slider.getBoundingClientRect();
    const place = (event.clientX - left - MARGIN.left) / (width - MARGIN.left - MARGIN.right);
    keep(countAt(topLine.shares.peek(), place), (change) => change());
  };
  scope.listen(slider, "pointerdown", (event) => {
    if (event.button !== 0 || topLine.curve.peek() === null) return;
    [pressed, changed] = [true, false];
    slider.setPointerCapture(event.pointerId);
    follow(event);
  });
  scope.listen(slider, "pointermove", (event) => {
    if (pressed) follow(event);
  });
  for (const end of ["pointerup", "pointercancel"] as const)
    scope.listen(slider, end, () => {
      pressed = false;
    });
  scope.listen(slider, "keydown", (event) => {
    const all = topLine.curve.peek()?.order.length;
    if (all === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    const next = countAfterKey(topLine.count.peek() ?? all, event.key, all);
    if (next === undefined && event.key !== "Enter") return;
    changed &&= event.repeat;
    if (next === undefined) act(() => topLine.snap());
    else keep(next, act);
    event.preventDefault();
    event.stopPropagation();
  });
}
