/** Traits as signals: the kernel's changes come in, the reader's go out. */

import { effect, type Signal, signal } from "../reactive/signal";
import type { Model, SharedName, SharedState, TraitName, WidgetState } from "../transport/afm";

const SAVE_PAUSE_MS = 50;

export class Traits {
  readonly #model: Model;
  readonly #ends: (() => void)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(model: Model) {
    this.#model = model;
  }

  /** Calls `changed` now and whenever the trait changes. */
  watch<K extends TraitName>(name: K, changed: (value: WidgetState[K]) => void): void {
    const read = (): void => changed(this.#model.get(name));
    this.#model.on(`change:${name}`, read);
    this.#ends.push(() => this.#model.off(`change:${name}`, read));
    read();
  }

  /** A signal that follows the trait, read by `read` because the value may be anything. */
  readonly<K extends TraitName, T>(name: K, read: (value: WidgetState[K]) => T): Signal<T> {
    const followed = signal(read(this.#model.get(name)));
    this.watch(name, (value) => {
      followed.value = read(value);
    });
    return followed;
  }

  /** A signal that follows the trait and writes back what is written to it. */
  shared<K extends SharedName, T extends SharedState[K]>(
    name: K,
    read: (value: WidgetState[K]) => T,
  ): Signal<T> {
    const followed = this.readonly(name, read);
    this.#ends.push(
      effect(() => {
        this.write(name, followed.value);
        return undefined;
      }),
    );
    return followed;
  }

  /** Sets a trait; what was set within a moment is sent together, so that a slider does not flood the kernel. */
  write<K extends SharedName>(name: K, value: SharedState[K]): void {
    if (JSON.stringify(this.#model.get(name)) === JSON.stringify(value)) return;
    this.#model.set(name, value);
    this.#timer ??= setTimeout(() => this.#save(), SAVE_PAUSE_MS);
  }

  close(): void {
    for (const end of this.#ends.splice(0)) end();
    if (this.#timer !== undefined) this.#save();
  }

  #save(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#model.save_changes();
  }
}
