/** The anywidget module: one session per model, and a view of it per output. */

import { showView } from "./panes/view";
import { Session } from "./state/session";
import type { Widget } from "./transport/afm";

export default (): Widget => {
  let session: Session | undefined;
  return {
    initialize({ model }) {
      const started = new Session(model);
      session = started;
      return () => started.dispose();
    },
    render({ model, el, signal }) {
      const shown = session ?? new Session(model);
      const endView = showView(shown, el);
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
