/** The map over the image: where its numbers come from, and what they are. */
import { isShare } from "../frame/shares";
import { heatMap, usualCell } from "../picture/heat";
import { type MapNumbers, readScaleSetting } from "../picture/scale";
import { areaWords, summedWords, unitOnly } from "../picture/words";
import type { Session } from "../state/session";

/** The numbers of the layer that is shown, or of the cells of the ticked levels; null until there are some. */
export function heatOf(session: Session): MapNumbers | null {
  const [map, picture, layer] = [
    session.attribution.value,
    session.picture.value,
    session.layers.shown.value,
  ];
  if (picture === null) return null;
  if (layer !== null) {
    // Another layer is another map, with a scale of its own.
    const run = `${picture.run} layer ${layer.name}`;
    return (
      layer.heat && {
        run,
        numbers: layer.heat,
        signed: layer.signed,
        choice: readScaleSetting(session.scale.value).choice,
        share: isShare(layer.unit),
        settled: layer.complete || layer.stop !== "",
      }
    );
  }
  if (map === null) return null;
  const { cells, ticked } = session.levels;
  const counted = cells.value;
  const values = map.values.map((value, cell) => (counted[cell] ? value : 0));
  return {
    run: [map.run, ...ticked.value.map((level) => level.name)].join(" "),
    numbers: heatMap(values, picture.support, picture.height, picture.width),
    signed: map.signed,
    choice: readScaleSetting(session.scale.value).choice,
    share: isShare(map.unit),
    settled: map.complete || map.stop !== "",
  };
}

/** The unit and area of the numbers, in words; of a layer also its target, and why it stopped or failed. */
export function unitWords(session: Session): string {
  const layer = session.layers.shown.value;
  if (layer !== null) {
    if (layer.error !== "") return `${layer.name} gave no map: ${layer.error}`;
    const same = layer.target.label === "" || layer.target.label === session.attribution.value?.target.label;
    const of = same ? "" : `, of the ${layer.target.label}`;
    return `${unitOnly(layer.unit)}, ${areaWords(layer.cell)}${of}${layer.stop === "" ? "" : `. ${layer.method}: ${layer.stop}`}`;
  }
  const [unit, picture] = [session.attribution.value?.unit, session.picture.value];
  if (unit === undefined || picture === null) return "no value yet";
  const { all, ticked } = session.levels;
  return `${unitOnly(unit)}${summedWords(all.value, ticked.value)}, ${areaWords(usualCell(picture.support))}`;
}
