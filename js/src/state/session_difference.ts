/** What differs between two sessions: a map of its own, on the cells of the second. */
import type { AttributionFrame } from "../frame/attribution";
import type { MapLayer } from "../frame/layers";
import type { PairedDifference } from "../frame/paired";
import type { Picture } from "../frame/picture";
import { sameCells } from "../picture/correspondence";
import { differenceOf, heatDifference } from "../picture/map_difference";
import { computed, type ReadonlySignal } from "../reactive/signal";
import type { LayerChoice } from "./layer_choice";
import type { Session } from "./session";

/** A map over the image, as it is shown: its numbers, and what they are. */
export interface ShownHeat {
  readonly numbers: Float32Array;
  readonly unit: string;
  readonly area: readonly [number, number];
}

export interface DifferenceSource {
  readonly one: Session;
  readonly other: Session;
  /** "foggy less clean" */
  readonly title: string;
  /** A reactive read of the map over the image of a side. */
  heat(session: Session): ShownHeat | null;
  /** what the kernel made of both runs; null where it did not */
  readonly paired: ReadonlySignal<PairedDifference | null>;
}

export class SessionDifference {
  /** The map of the differences; null where the sides have different cells, or no maps yet. */
  readonly map: ReadonlySignal<AttributionFrame | null>;
  /** Whether both sides have the same cells; null while there are not two pictures. */
  readonly comparable: ReadonlySignal<boolean | null>;
  /** The kernel's intervals, where they are of the maps that are shown. */
  readonly paired: ReadonlySignal<PairedDifference | null>;
  /** The second session, as panes see it, with the difference in place of its map. */
  readonly session: Session;

  constructor({ one, other, title, heat, paired }: DifferenceSource) {
    const pictures = computed(() => [one.picture.value, other.picture.value] as const);
    this.comparable = computed(() => {
      const [mine, theirs] = pictures.value;
      return mine && theirs && sameCells(mine, theirs);
    });
    this.paired = computed(() => {
      const [mine, theirs] = [one.attribution.value, other.attribution.value];
      const now = paired.value;
      const ofRuns = now?.runs[0] === mine?.run && now?.runs[1] === theirs?.run;
      const fits =
        now?.cells.low.length === mine?.values.length && now?.bands.low.length === mine?.profile.total.length;
      return ofRuns && fits && mine?.complete && theirs?.complete ? now : null;
    });
    this.map = computed(() => {
      const [mine, theirs] = [one.attribution.value, other.attribution.value];
      return this.comparable.value && mine && theirs
        ? differenceOf(mine, theirs, title, this.paired.value)
        : null;
    });
    const layer = computed(() => {
      const byCells = this.comparable.value && !one.layers.shown.value && !other.layers.shown.value;
      return byCells ? null : layerOf(pictures.value, [heat(one), heat(other)], title);
    });
    const layers: Pick<LayerChoice, keyof LayerChoice> = {
      options: computed(() => []),
      shown: layer,
      choose: () => undefined,
    };
    this.session = withMap(other, this.map, layers);
  }
}

/** The difference of two maps over images of one size. */
function layerOf(
  [one, other]: readonly [Picture | null, Picture | null],
  [mine, theirs]: readonly [ShownHeat | null, ShownHeat | null],
  title: string,
): MapLayer | null {
  if (!one || !other) return null;
  const sized = one.height === other.height && one.width === other.width;
  const same = mine?.unit === theirs?.unit;
  const words = same ? (theirs?.unit ?? "") : "share of each map's own sum, as the units differ";
  const heat = sized && mine && theirs ? heatDifference(mine.numbers, theirs.numbers, same) : null;
  return {
    name: title,
    main: true,
    error: sized ? "" : "the images have different sizes",
    details: "",
    method: "",
    target: { label: "", score: null },
    unit: `${title}: ${words}`,
    cell: same ? (theirs?.area ?? [1, 1]) : [1, 1],
    signed: true,
    complete: true,
    stop: "",
    heat,
  };
}

/** A session that is another in all but its map. */
function withMap(
  session: Session,
  attribution: ReadonlySignal<AttributionFrame | null>,
  layers: Pick<LayerChoice, keyof LayerChoice>,
): Session {
  const own: Record<PropertyKey, unknown> = { attribution, layers };
  return new Proxy(session, {
    get(target, name) {
      if (Object.hasOwn(own, name)) return own[name];
      // Private fields are found on the session itself alone.
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
