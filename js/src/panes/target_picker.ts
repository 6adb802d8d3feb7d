/** Chooses what is explained: a class, by itself or rather than another one. */
import { button, element, note, setAttribute, setText } from "../draw/dom";
import { formatScore } from "../picture/words";
import { signal } from "../reactive/signal";
import type { ClassNames } from "../state/class_names";
import { isReachable } from "../transport/connection";
import { Combobox } from "./combobox";
import type { ViewContext } from "./context";

const NOBODY = -1;

/** The button that opens the picker, for the header, and the line that it opens. */
export function targetPicker(context: ViewContext): { button: HTMLElement; line: HTMLElement } {
  const { session, scope, bind } = context;
  const names = signal<ClassNames | null>(null);
  const opener = button("pick-target", "explain another class");
  const said = note("picker-note");
  const close = button("picker-close", "close");

  const nameOf = (id: number): string => names.peek()?.names[id] ?? `class ${id}`;
  const rowOf = (id: number): readonly [string, string] => {
    if (id === NOBODY) return ["no class in particular", ""];
    const score = names.peek()?.scores.get(id);
    return [nameOf(id), score === undefined ? "" : formatScore(score, 2)];
  };
  /** What fits to the text; all, the highest first, while it is the name of what is explained already. */
  const search = (typed: string, chosen: number): readonly number[] =>
    names.peek()?.search(chosen >= 0 && typed === nameOf(chosen) ? "" : typed) ?? [];
  const retarget = (classId: number, other: number): void => {
    setText(said, `asking for ${nameOf(classId)}…`);
    session.kernel.retarget(classId, other === classId || other < 0 ? null : other).then(
      () => setText(said, ""),
      (error: unknown) => setText(said, `The target stays: ${(error as Error).message}`),
    );
  };
  const wanted = new Combobox(scope, {
    name: "target-class",
    label: "the class to explain",
    search: (typed) => search(typed, session.target.peek().classId),
    row: rowOf,
    choose: (id) => retarget(id, session.target.peek().other),
  });
  const rival = new Combobox(scope, {
    name: "target-other",
    label: "the class it is to be explained against",
    search: (typed) => {
      const matches = search(typed, session.target.peek().other);
      const others = matches.filter((id) => id !== session.target.peek().classId);
      return typed.trim() === "" ? [NOBODY, ...others] : others;
    },
    row: rowOf,
    choose: (id) => retarget(session.target.peek().classId, id),
  });
  const line = element(
    "div",
    { class: "wcam-picker", role: "group", "aria-label": "what is explained", hidden: true },
    element("span", {}, "Explain"),
    wanted.element,
    element("span", {}, "rather than"),
    rival.element,
    element("span", { wcam: "picker-reach" }, context.reach),
    close,
    said,
  );

  const show = (open: boolean): void => {
    line.hidden = !open;
    setAttribute(opener, "aria-expanded", open ? "true" : "false");
  };
  const open = (): void => {
    show(true);
    wanted.input.focus();
    if (names.peek() !== null) {
      wanted.refresh();
      return;
    }
    setText(said, "asking the kernel for the names…");
    session.kernel.classNames().then(
      (known) => {
        if (scope.disposed) return;
        names.value = known;
        setText(said, "");
        wanted.input.select(); // what is typed replaces the name that has just come
        scope.guard(() => wanted.refresh());
      },
      (error: unknown) => setText(said, `There are no names to choose from: ${(error as Error).message}`),
    );
  };
  scope.listen(opener, "click", () => (line.hidden ? open() : show(false)));
  const leave = (): void => {
    opener.focus(); // before what has it goes
    show(false);
  };
  scope.listen(close, "click", leave);
  scope.listen(line, "keydown", (event) => {
    if (event.key === "Escape") leave();
    event.stopPropagation(); // what is typed here is text
  });
  bind(() => {
    const { classes, classId, other } = session.target.value;
    const usable = isReachable(session.connection.value) && classes > 1;
    setAttribute(opener, "hidden", !usable);
    if (!usable) show(false);
    wanted.input.value = names.value !== null && classId >= 0 ? nameOf(classId) : "";
    rival.input.value = names.value !== null && other >= 0 ? nameOf(other) : "";
    setAttribute(rival.input, "placeholder", "no class in particular");
    setAttribute(rival.input, "disabled", classId < 0);
  });
  for (const box of [wanted, rival]) scope.listen(box.input, "focus", () => box.input.select());
  return { button: opener, line };
}
