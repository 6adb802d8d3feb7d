/** One side of a comparison as a model of its own: its traits carry its number, and so do its messages. */
import type { ChangeHandler, MessageHandler, Model, TraitName } from "./afm";
import { asObject } from "./untrusted";

/** The traits that every side has for itself; a test holds them against wcam_widget/show/traits.py. */
export const EACH_SIDE: readonly TraitName[] = [
  "_target",
  "_picture",
  "_frame",
  "_layers",
  "_status",
  "_scores",
  "_known",
  "_retention",
  "selection",
  "layer",
];

/** What a trait of a side is called: "_frame_1"; the first side's have no number. */
export function sideName(name: TraitName, side: number): TraitName {
  // The type knows the names of the first side only; all sides have the same types.
  return side > 0 && EACH_SIDE.includes(name) ? (`${name}_${side}` as TraitName) : name;
}

/** The model of a side. Answers find their asker by its client id, so messages come as they are. */
export function sideModel(model: Model, side: number): Model {
  const named = (event: string): string =>
    event.startsWith("change:") ? `change:${sideName(event.slice(7) as TraitName, side)}` : event;
  type On = (event: string, handler: ChangeHandler | MessageHandler) => void;
  return {
    get: (name) => model.get(sideName(name, side) as typeof name),
    set: (name, value) => model.set(sideName(name, side) as typeof name, value),
    save_changes: () => model.save_changes(),
    on: (event: string, handler: ChangeHandler | MessageHandler) => {
      (model.on as On).call(model, named(event), handler);
    },
    off: (event: string, handler: ChangeHandler | MessageHandler) => {
      (model.off as On).call(model, named(event), handler);
    },
    send: (content) => model.send({ ...asObject(content), side }),
  };
}
