/** One colour scale for the same pane of two sides, where their numbers have one unit. */
import type { MapNumbers } from "../picture/scale";
import { computed, type ReadonlySignal, type Signal, signal } from "../reactive/signal";

interface Member {
  readonly values: ReadonlySignal<MapNumbers | null>;
  /** A reactive read. */
  unit(): string;
}

export class SharedScales {
  readonly #panes = new Map<string, Signal<readonly Member[]>>();

  /** The numbers from which a pane's scale is made: those of both sides, where they have one unit. */
  pool(
    pane: string,
    values: ReadonlySignal<MapNumbers | null>,
    unit: () => string,
  ): ReadonlySignal<MapNumbers | null> {
    const own = { values, unit };
    const members = this.#membersOf(pane);
    members.value = [...members.peek(), own];
    return computed(() => joined(alike(own, members.value)));
  }

  /** What a pane's scale holds, in words behind its unit; a reactive read. */
  words(pane: string): string {
    const members = this.#membersOf(pane).value.filter(({ values }) => values.value !== null);
    const [first] = members;
    if (first === undefined || members.length < 2) return "";
    return alike(first, members).length > 1 ? ", one scale for both sides" : ", a scale of its own";
  }

  #membersOf(pane: string): Signal<readonly Member[]> {
    const made = this.#panes.get(pane) ?? signal<readonly Member[]>([]);
    this.#panes.set(pane, made);
    return made;
  }
}

/** The numbers of a pane, and those of the other sides that have their unit. */
function alike(own: Member, members: readonly Member[]): readonly MapNumbers[] {
  const mine = own.values.value;
  if (mine === null) return [];
  const others = members
    .filter((each) => each !== own)
    .map((each) => [each.values.value, each.unit()] as const);
  const same = others.flatMap(([theirs, unit]) =>
    theirs !== null && unit === own.unit() && theirs.signed === mine.signed && theirs.share === mine.share
      ? [theirs]
      : [],
  );
  return [mine, ...same];
}

function joined(maps: readonly MapNumbers[]): MapNumbers | null {
  const [first] = maps;
  if (first === undefined || maps.length === 1) return first ?? null;
  const numbers = new Float32Array(maps.reduce((sum, map) => sum + map.numbers.length, 0));
  let at = 0;
  for (const map of maps) {
    numbers.set(map.numbers, at);
    at += map.numbers.length;
  }
  const levels = maps.flatMap((map) => [...(map.levels ?? [])]);
  const runs = maps.map((map) => map.run).sort(); // both sides name it alike
  return {
    ...first,
    ...(first.levels && { levels: Uint8Array.from(levels) }),
    run: runs.join(" "),
    numbers,
    settled: maps.every((map) => map.settled),
  };
}
