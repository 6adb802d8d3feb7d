/** The map over the image: that of the cells, or one of the layers that other methods made. */
import type { AttributionFrame } from "../frame/attribution";
import type { LayersFrame, MapLayer } from "../frame/layers";
import type { Picture } from "../frame/picture";
import { computed, type ReadonlySignal, type Signal } from "../reactive/signal";

/** One entry of the list; the first, named "", is the run's own map. */
export interface LayerOption {
  readonly name: string;
  readonly label: string;
}

export class LayerChoice {
  readonly options: ReadonlySignal<readonly LayerOption[]>;
  /** The layer over the image; null where it is the map of the cells. */
  readonly shown: ReadonlySignal<MapLayer | null>;
  readonly #name: Signal<string>;

  constructor(
    frame: ReadonlySignal<LayersFrame | null>,
    picture: ReadonlySignal<Pick<Picture, "run" | "height" | "width"> | null>,
    attribution: ReadonlySignal<Pick<AttributionFrame, "method"> | null>,
    name: Signal<string>,
  ) {
    this.#name = name;
    const all = computed<readonly MapLayer[]>(() => {
      const [maps, image] = [frame.value, picture.value];
      const fits = maps?.run === image?.run && maps?.height === image?.height && maps?.width === image?.width;
      return fits ? (maps?.layers ?? []) : [];
    });
    const main = computed(() => all.value.find((layer) => layer.main) ?? null);
    this.options = computed(() => [
      { name: "", label: labelOf(main.value, attribution.value?.method ?? "") },
      ...all.value
        .filter((layer) => !layer.main)
        .map((layer) => ({ name: layer.name, label: labelOf(layer) })),
    ]);
    this.shown = computed(
      () => all.value.find((layer) => !layer.main && layer.name === name.value) ?? main.value,
    );
  }

  /** Puts a layer over the image; "" is the run's own map. */
  choose(name: string): void {
    this.#name.value = name;
  }
}

/** A layer's name, and whether it is not there yet, or never will be. */
function labelOf(layer: MapLayer | null, method = ""): string {
  if (layer === null) return method.split(" · ")[0] || "the run's map";
  if (layer.error !== "") return `${layer.name} (failed)`;
  return layer.complete ? layer.name : `${layer.name} (partial)`;
}
