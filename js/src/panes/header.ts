/** The header line: what is explained, how, how far it is, and whether there is a kernel. */

import { element, setText } from "../draw/dom";
import type { AttributionFrame } from "../frame/attribution";
import { formatScore, formatSeconds } from "../picture/words";
import type { RunState, Status } from "../state/status";
import { type ConnectionState, isReachable } from "../transport/connection";
import type { ViewContext } from "./context";
import { disclosure } from "./disclosure";
import { kernelButton } from "./kernel_button";
import { targetPicker } from "./target_picker";

const CONNECTIONS: Record<ConnectionState, string> = {
  connecting: "Looking for the kernel",
  live: "Live",
  busy: "The kernel is busy: scores follow when the cell ends",
  lost: "The kernel is gone: run the cell again",
  static: "Saved page: scores are known for single bands and the top cells",
};

/** What a run took: forward passes, backward passes, and what ran them. */
type Cost = Pick<AttributionFrame, "evaluations" | "gradients" | "engine">;

/** "384 forward and 32 backward passes"; without a map, the passes that the kernel counted. */
function costWords(cost: Cost | null, done: number): string {
  if (cost === null) return `${done} passes`;
  const { evaluations, gradients } = cost;
  const counts =
    gradients > 0 ? `${evaluations} forward and ${gradients} backward` : `${evaluations} forward`;
  return `${counts} ${(gradients || evaluations) === 1 ? "pass" : "passes"}`;
}

/** "384 forward passes in 4 s by ONNX Runtime"; the network itself is not named. */
function endWords({ done, seconds }: Status, cost: Cost | null): string {
  const by = cost?.engine ? ` by ${cost.engine}` : "";
  return `${costWords(cost, done)} in ${formatSeconds(seconds)}${by}`;
}

const ENDINGS: Record<Exclude<RunState, "running">, (status: Status, cost: Cost | null) => string> = {
  waiting: () => "waiting for the first map",
  done: (status, cost) => endWords(status, cost),
  cancelled: (status, cost) => `${endWords(status, cost)}, partial`,
  error: ({ done, total }) => `stopped by an error (${done} of ${total})`,
};

/** "64 of 256 passes · 9 s left", "starting" before the first; after the run, the passes in `cost`. */
export function statusWords(status: Status, cost: Cost | null = null): string {
  if (status.state !== "running") return ENDINGS[status.state](status, cost);
  if (status.total === 0) return "starting";
  const left = status.secondsLeft === null ? "" : ` · ${formatSeconds(status.secondsLeft)} left`;
  return `${status.done} of ${status.total} passes${left}`;
}

export function headerLine(context: ViewContext): HTMLElement {
  const { session, bind } = context;
  const target = element("span", { class: "wcam-target", wcam: "target" });
  const method = element("span", { class: "wcam-method", wcam: "method" });
  const chip = element("span", { class: "wcam-chip", wcam: "connection", role: "status" });
  bind(() => {
    const attribution = session.attribution.value;
    const explained = attribution?.target ?? session.target.value.explained;
    setText(target, explained ? `${explained.label} ${formatScore(explained.score)}` : "Explaining");
    setText(method, attribution?.method ?? "");
  });
  bind(() => {
    const state = session.connection.value;
    chip.dataset["state"] = state;
    setText(chip, session.scored ? "Saved page, with the network" : CONNECTIONS[state]);
  });
  const picker = targetPicker(context);
  const line = element(
    "div",
    { class: "wcam-header" },
    target,
    picker.button,
    method,
    progress(context),
    chip,
  );
  return element("div", {}, line, picker.line);
}

function progress(context: ViewContext): HTMLElement {
  const { session, bind } = context;
  const bar = element("progress", {
    wcam: "progress",
    "aria-label": "passes done",
    max: 1,
    value: 0,
  });
  const words = element("span", { class: "wcam-progress-words", wcam: "status" });
  const cancel = kernelButton(context, {
    name: "cancel",
    label: "Cancel",
    send: () => session.stop(),
    failed: (message) => setText(words, `Cancel did not reach the kernel: ${message}`),
  });
  bind(() => {
    const status = session.status.value;
    const running = status.state === "running";
    const reachable = isReachable(session.connection.value);
    if (!running) cancel.ready();
    bar.hidden = !running;
    bar.max = Math.max(1, status.total);
    bar.value = status.done;
    cancel.element.hidden = !running || !reachable;
    setText(words, statusWords(status, session.attribution.value));
  });
  return element("div", { class: "wcam-progress" }, bar, words, cancel.element);
}

/** What went wrong: in what Python sent, in the run, or here. */
export function errorPanel(context: ViewContext, boundary: { readonly value: string | null }): HTMLElement {
  const words = element("p", { role: "alert" });
  const more = disclosure("error-details");
  const panel = element("div", { class: "wcam-error", wcam: "error", hidden: true }, words, more.element);
  context.bind(() => {
    const status = context.session.status.value;
    const failed = status.state === "error";
    const run = failed ? status.message || "The run stopped with an error." : null;
    const text = [boundary.value, context.session.error.value, run]
      .filter((part) => part !== null)
      .join("\n");
    panel.hidden = text === "";
    setText(words, text);
    more.show(failed ? status.details : "");
  });
  return panel;
}
