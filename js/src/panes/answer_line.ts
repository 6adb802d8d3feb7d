/** The answer in one sentence, why the run stopped, and the button that continues it; the texts come from Python. */

import { element, setAttribute, setText } from "../draw/dom";
import type { Status } from "../state/status";
import { type ConnectionState, isReachable } from "../transport/connection";
import type { ViewContext } from "./context";
import { kernelButton } from "./kernel_button";

/** The label of the button that continues the run; empty where it cannot be continued. */
export function moreWords(status: Status, connection: ConnectionState): string {
  return isReachable(connection) && status.state !== "running" ? status.more : "";
}

export function answerLine(context: ViewContext): HTMLElement {
  const { session, bind } = context;
  const sentence = element("p", { class: "wcam-answer", "data-wcam": "answer", role: "status" });
  const stop = element("span", { class: "wcam-stop", "data-wcam": "stop" });
  const more = kernelButton(context, {
    name: "more",
    label: "",
    send: () => session.deepen(),
    failed: (message) => setText(stop, `The run did not go on: ${message}`),
  });
  const line = element("div", { class: "wcam-answer-line" }, sentence, stop, more.element);
  bind(() => {
    const status = session.status.value;
    const words = moreWords(status, session.connection.value);
    if (status.state === "running") more.ready();
    // Screen readers wait while it is busy: the sentence is read when it is final, not with every frame.
    setAttribute(sentence, "aria-busy", status.state === "running" ? "true" : undefined);
    setText(sentence, status.answer);
    setText(stop, status.stop);
    more.element.hidden = words === "";
    setText(more.element, words);
    line.hidden = status.answer === "" && status.stop === "" && words === "";
  });
  return line;
}
