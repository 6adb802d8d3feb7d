/** The anywidget module: one session per model, or a comparison of several, and a view of it per output. */

import { showComparison } from "./panes/comparison";
import { showView } from "./panes/view";
import { Comparison } from "./state/comparison";
import { Session } from "./state/session";
import { readSides } from "./state/sides";
import type { Model, Widget } from "./transport/afm";

function open(model: Model): Session | Comparison {
  const sides = readSides(model.get("_sides")).names.length;
  return sides > 1 ? new Comparison(model) : new Session(model);
}

export default (): Widget => {
  let session: Session | Comparison | undefined;
  return {
    initialize({ model }) {
      const started = open(model);
      session = started;
      return () => started.dispose();
    },
    render({ model, el, signal }) {
      const shown = session ?? open(model);
      const endView = shown instanceof Comparison ? showComparison(shown, el) : showView(shown, el);
      let ended = false;
      const end = (): void => {
        if (ended) return;
        ended = true;
        signal?.removeEventListener("abort", end);
        endView();
        if (shown !== session) shown.dispose();
      };
      // Hosts end a view by the signal, by the returned function, or by both.
      if (signal?.aborted) end();
      else signal?.addEventListener("abort", end);
      return end;
    },
  };
};
