/** How values become colours: the kind of scale, and whether each level has its own. */
import { element } from "../draw/dom";
import { isShare } from "../frame/shares";
import { type MapNumbers, readScaleSetting, SCALE_CHOICES, scaleSetting } from "../picture/scale";
import type { Session } from "../state/session";
import type { ViewContext } from "./context";

const WORDS = { auto: "auto scale", linear: "linear", log: "log", rank: "rank" } as const;

export function scaleChoice({ session, scope, bind }: ViewContext): readonly HTMLElement[] {
  const options = SCALE_CHOICES.map((choice) => element("option", { value: choice }, WORDS[choice]));
  const kind = element("select", { wcam: "scale", "aria-label": "scale of the colours" }, ...options);
  const own = element("input", { type: "checkbox", wcam: "per-level" });
  const choose = (): void => {
    const choice = SCALE_CHOICES.find((each) => each === kind.value) ?? "auto";
    session.scale.value = scaleSetting(choice, own.checked);
  };
  for (const control of [kind, own]) scope.listen(control, "change", choose);
  const label = element(
    "label",
    { title: "the colours of each level go up to its own largest value" },
    own,
    "per level",
  );
  bind(() => {
    const { choice, perLevel } = readScaleSetting(session.scale.value);
    kind.value = choice;
    own.checked = perLevel;
    label.hidden = session.levels.all.value.length < 2;
  });
  return [kind, label];
}

/** The numbers of the cells, with what the reader chose for their colours; null before there are any. A reactive read. */
export function numbersOf({ attribution, scale, levels }: Session): MapNumbers | null {
  const { choice, perLevel } = readScaleSetting(scale.value);
  const map = attribution.value;
  const own = perLevel && levels.all.value.length > 1 ? levels.ofCells.value : undefined;
  return (
    map && {
      choice,
      ...(own && { levels: own }),
      run: map.run,
      numbers: map.values,
      signed: map.signed,
      share: isShare(map.unit),
      settled: map.complete || map.stop !== "",
    }
  );
}
