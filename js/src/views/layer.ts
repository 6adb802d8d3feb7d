/** The map over the image: where its numbers come from, what they are, and the list to choose it from. */
import { isShare } from "../frame/shares";
import type { Session } from "../state/session";
import { heatMap, usualCell } from "../wavelet/heat";
import type { ViewContext } from "./context";
import { element } from "./dom";
import { summedWords } from "./level_row";
import type { MapNumbers } from "./scale";
import { areaWords, unitOnly } from "./words";

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
    share: isShare(map.unit),
    settled: map.complete || map.stop !== "",
  };
}

/** What the numbers are, in words; of a layer also what is to be said of it. */
export function unitWords(session: Session): string {
  const layer = session.layers.shown.value;
  if (layer !== null) {
    if (layer.error !== "") return `${layer.name} gave no map: ${layer.error}`;
    const same = layer.target.label === session.attribution.value?.target.label;
    const of = same ? "" : `, of the ${layer.target.label}`;
    return `${unitOnly(layer.unit)}, ${areaWords(layer.cell)}${of}${layer.stop === "" ? "" : `. ${layer.method}: ${layer.stop}`}`;
  }
  const [unit, picture] = [session.attribution.value?.unit, session.picture.value];
  if (unit === undefined || picture === null) return "no value yet";
  const { all, ticked } = session.levels;
  return `${unitOnly(unit)}${summedWords(all.value, ticked.value)}, ${areaWords(usualCell(picture.support))}`;
}

/** The list of layers; it is not there while there is nothing to choose. */
export function layerSelect(context: ViewContext): HTMLElement {
  const { session, scope, act, bind } = context;
  const { layers } = session;
  const select = element("select", { "data-wcam": "layer" });
  const label = element("label", { title: "the map over the image" }, "layer", select);
  scope.listen(select, "change", () => act(() => layers.choose(select.value)));
  let listed = "";
  bind(() => {
    const options = layers.options.value;
    label.hidden = options.length < 2;
    const now = options.map((each) => `${each.name}\n${each.label}`).join("\n");
    if (now === listed) return; // an open list would close
    listed = now;
    select.replaceChildren(...options.map((each) => element("option", { value: each.name }, each.label)));
  });
  bind(() => {
    void layers.options.value;
    const shown = layers.shown.value;
    select.value = shown === null || shown.main ? "" : shown.name;
  });
  return label;
}
