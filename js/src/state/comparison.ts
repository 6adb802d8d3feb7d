/** Several sides of one model: a session for each that was shown, and the links between two that are. */
import { decodeFrame, type Frame } from "../frame/frame";
import { type PairedDifference, readPaired } from "../frame/paired";
import { readThumbnails, type Thumbnails } from "../frame/thumbnails";
import { translation } from "../picture/correspondence";
import { type Linked, link } from "../reactive/link";
import { effect, type ReadonlySignal, type Signal, untracked } from "../reactive/signal";
import type { Model } from "../transport/afm";
import { sideModel } from "../transport/side_model";
import { Session } from "./session";
import { readShown, readSides, type Sides } from "./sides";
import { Traits } from "./traits";

export class Comparison {
  readonly sides: ReadonlySignal<Sides>;
  /** the numbers of the sides that are shown: one, or two side by side */
  readonly shown: ReadonlySignal<readonly number[]>;
  readonly thumbnails: ReadonlySignal<Thumbnails | null>;
  /** what the kernel says of two runs that have seen the same masks; null where it says nothing */
  readonly paired: ReadonlySignal<PairedDifference | null>;
  readonly #model: Model;
  readonly #traits: Traits;
  readonly #chosen: Signal<number[]>;
  readonly #sessions = new Map<number, Session>();
  readonly #end: () => void;

  constructor(model: Model) {
    this.#model = model;
    this.#traits = new Traits(model);
    this.sides = this.#traits.readonly("_sides", readSides);
    this.thumbnails = this.#traits.readonly("_thumbnails", (bytes) => frameOf(bytes, readThumbnails));
    this.paired = this.#traits.readonly("_difference", (bytes) => frameOf(bytes, readPaired));
    const count = this.sides.peek().names.length;
    this.#chosen = this.#traits.shared("shown", (value) => [...readShown(value, count)]);
    this.shown = this.#chosen;
    this.#end = effect(() => {
      const shown = this.shown.value;
      const [first, second] = untracked(() => shown.map((side) => this.session(side)));
      return first && second ? linkSessions(first, second) : undefined;
    });
  }

  /** The session of a side; it is made when it is first wanted, and kept. */
  session(side: number): Session {
    const made = this.#sessions.get(side) ?? new Session(sideModel(this.#model, side));
    this.#sessions.set(side, made);
    return made;
  }

  /** Shows one side, or two beside each other; the selection goes with the reader. */
  show(sides: readonly number[]): void {
    const shown = readShown(sides, this.sides.peek().names.length);
    const [from, to] = [this.session(this.shown.peek()[0] ?? 0), this.session(shown[0] ?? 0)];
    if (from !== to) {
      to.selection.replace(translation(from.picture.peek(), to.picture.peek())(from.selection.cells.peek()));
    }
    this.#chosen.value = [...shown];
  }

  dispose(): void {
    this.#end();
    for (const session of this.#sessions.values()) session.dispose();
    this.#traits.close();
  }
}

/** What a trait holds; null where it is empty or cannot be read, which costs a comparison nothing that it needs. */
function frameOf<T>(bytes: unknown, read: (frame: Frame) => T): T | null {
  if (!(bytes instanceof DataView) || bytes.byteLength === 0) return null;
  try {
    return read(decodeFrame(bytes));
  } catch (error) {
    // biome-ignore lint/suspicious/noConsole: the page works without, and the console says what is wrong
    console.warn("[wcam]", error);
    return null;
  }
}

/** Lets the reader's choices on one side be those of the other; traits of the model are shared anyhow. */
function linkSessions(one: Session, other: Session): () => void {
  let endSelection: (() => void) | undefined;
  const ends = [
    effect(() => {
      const [mine, theirs] = [one.picture.value, other.picture.value];
      endSelection?.();
      endSelection = undefined;
      if (mine === null || theirs === null) return undefined;
      endSelection = link(
        selectionOf(one),
        selectionOf(other),
        translation(mine, theirs),
        translation(theirs, mine),
      );
      return endSelection;
    }),
    link(signalOf(one.packed), signalOf(other.packed), same, same),
    link(signalOf(one.withContours), signalOf(other.withContours), same, same),
    link(levelsOf(one), levelsOf(other), same, same),
  ];
  return () => {
    for (const end of ends) end();
  };
}

const same = <T>(value: T): T => value;

export function signalOf<T>(source: Signal<T>): Linked<T> {
  return {
    watch: () => source.value,
    peek: () => source.peek(),
    set: (value) => {
      source.value = value;
    },
  };
}

function selectionOf({ selection }: Session): Linked<readonly number[]> {
  return {
    watch: () => selection.cells.value,
    peek: () => selection.cells.peek(),
    set: (cells) => selection.replace(cells),
  };
}

function levelsOf({ levels }: Session): Linked<readonly { readonly name: string }[]> {
  return {
    watch: () => levels.ticked.value,
    peek: () => levels.ticked.peek(),
    set: (ticked) => levels.choose(ticked.map(({ name }) => name)),
  };
}
