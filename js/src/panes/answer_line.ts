/** The answer in one sentence, why the run stopped, and the buttons that continue it; the texts come from Python. */

import { element, note, setAttribute, setText } from "../draw/dom";
import { signal } from "../reactive/signal";
import type { Status } from "../state/status";
import { type ConnectionState, isReachable } from "../transport/connection";
import type { ViewContext } from "./context";
import { kernelButton } from "./kernel_button";

const PAUSE_MS = 250;

/** What more rows of the selected cells alone would take; where there can be none, why. */
interface Price {
  readonly cells: readonly number[];
  readonly words: string;
  readonly reason: string;
}

/** The label of the button that continues the run; empty where it cannot be continued. */
export function moreWords(status: Status, connection: ConnectionState): string {
  return isReachable(connection) && status.state !== "running" ? status.more : "";
}

/** Whether there are rows that more can be added to, and a kernel to do so. */
function canFocus({ state }: Status, connection: ConnectionState): boolean {
  return isReachable(connection) && (state === "done" || state === "cancelled");
}

export function answerLine(context: ViewContext): HTMLElement {
  const { session, bind } = context;
  const sentence = element("p", { class: "wcam-answer", wcam: "answer", role: "status" });
  const stop = element("span", { class: "wcam-stop", wcam: "stop" });
  const failed = (message: string): void => setText(stop, `The run did not go on: ${message}`);
  const more = kernelButton(context, { name: "more", label: "", send: () => session.deepen(), failed });
  const price = signal<Price | null>(null);
  const these = kernelButton(context, {
    name: "more-selected",
    label: "",
    send: () => session.deepen(price.peek()?.cells),
    failed,
  });
  const why = note("more-reason");
  const buttons = [more.element, these.element, why];
  const line = element("div", { class: "wcam-answer-line" }, sentence, stop, ...buttons);
  followPrice(context, (next) => {
    price.value = next;
    these.ready();
  });
  bind(() => {
    const status = session.status.value;
    const words = moreWords(status, session.connection.value);
    if (status.state === "running") more.ready();
    // Screen readers wait while it is busy: the sentence is read when it is final, not with every frame.
    setAttribute(sentence, "aria-busy", status.state === "running" ? "true" : undefined);
    setText(sentence, status.answer);
    setText(stop, status.stop);
    // Why not these is of interest only beside an offer of all.
    const texts = [words, price.value?.words ?? "", words && (price.value?.reason ?? "")];
    for (const [at, part] of buttons.entries()) {
      part.hidden = !texts[at];
      setText(part, texts[at] ?? "");
    }
    line.hidden = [status.answer, status.stop, ...texts].every((text) => text === "");
  });
  return line;
}

/** Asks the kernel, once the selection rests, for the price of more rows of it alone; `show` gets null meanwhile. */
function followPrice({ session, scope, bind }: ViewContext, show: (price: Price | null) => void): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let abort = new AbortController();
  const cancel = (): void => {
    clearTimeout(timer);
    abort.abort();
  };
  scope.add(cancel);
  bind(() => {
    const cells = session.selection.cells.value;
    const wanted = cells.length > 0 && canFocus(session.status.value, session.connection.value);
    cancel();
    show(null);
    if (!wanted) return;
    abort = new AbortController();
    const { signal: ended } = abort;
    const tell = (words: string, reason: string): void => {
      if (!ended.aborted) show({ cells, words, reason });
    };
    timer = setTimeout(() => {
      session.kernel.price(cells, ended).then(
        (words) => tell(words, ""),
        (error: unknown) => tell("", `The selection alone cannot go deeper: ${(error as Error).message}`),
      );
    }, PAUSE_MS);
  });
}
