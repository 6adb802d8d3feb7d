/** Buttons of which one is on: arrows move between them, as in any radio group. */
import { button, element } from "../draw/dom";
import type { Signal } from "../reactive/signal";
import type { ViewContext } from "./context";

export interface RadioChoices<T extends string> {
  /** what is chosen, for screen readers */
  readonly label: string;
  /** before the words in the name by which a test finds a button */
  readonly name: string;
  readonly options: readonly T[];
  readonly value: Signal<T>;
  readonly titles?: Readonly<Partial<Record<T, string>>>;
}

export function radioToggle<T extends string>(context: ViewContext, choices: RadioChoices<T>): HTMLElement {
  const { scope, act, bind } = context;
  const { options, value } = choices;
  const choose = (option: T): void =>
    act(() => {
      value.value = option;
    });
  const buttons = options.map((option) => {
    const made = button(`${choices.name}-${option}`, option, {
      role: "radio",
      title: choices.titles?.[option],
    });
    scope.listen(made, "click", () => choose(option));
    return made;
  });
  const toggle = element(
    "span",
    { class: "wcam-toggle", role: "radiogroup", "aria-label": choices.label },
    ...buttons,
  );
  scope.listen(toggle, "keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = (options.indexOf(value.peek()) + step + options.length) % options.length;
    choose(options[at] ?? value.peek());
    buttons[at]?.focus();
  });
  bind(() => {
    buttons.forEach((made, at) => {
      const on = options[at] === value.value;
      made.setAttribute("aria-checked", String(on));
      made.tabIndex = on ? 0 : -1;
    });
  });
  return toggle;
}
