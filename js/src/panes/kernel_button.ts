/** A button that sends a request to the kernel: one at a time, with a message where it fails. */

import { button, setAttribute } from "../draw/dom";
import type { ViewContext } from "./context";

export interface KernelButton {
  readonly element: HTMLButtonElement;
  /** lets the button be clicked again */
  readonly ready: () => void;
}

export interface KernelRequest {
  /** what tests and styles find it by, and the words on it until others are set */
  readonly name: string;
  readonly label: string;
  readonly send: () => Promise<void>;
  readonly failed: (message: string) => void;
}

export function kernelButton({ scope }: ViewContext, request: KernelRequest): KernelButton {
  const made = button(request.name, request.label);
  let sent = false;
  const mark = (now: boolean): void => {
    sent = now;
    // Not `disabled`, which would throw the focus out of the widget.
    setAttribute(made, "aria-disabled", now ? "true" : undefined);
  };
  scope.listen(made, "click", () => {
    if (sent) return;
    mark(true);
    request.send().catch((error: unknown) => {
      mark(false);
      if (!scope.disposed) request.failed((error as Error).message);
    });
  });
  return { element: made, ready: () => mark(false) };
}
