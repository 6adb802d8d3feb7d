/** The anywidget module: one session per model, and a view of it per output. */
import type { Widget } from "./host/afm";
import { Session } from "./state/session";
import { effect } from "./state/signal";

export default (): Widget => {
  let session: Session | undefined;
  return {
    initialize({ model }) {
      const started = new Session(model);
      session = started;
      return () => started.dispose();
    },
    render({ model, el }) {
      const shown = session ?? new Session(model);
      const detach = shown.attach(el);
      const end = effect(() => {
        el.textContent = shown.error.value ?? shown.connection.value;
        return undefined;
      });
      return () => {
        end();
        detach();
        if (shown !== session) shown.dispose();
      };
    },
  };
};
