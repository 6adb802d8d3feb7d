// Scales and numbers as the front end shows them, for a Python test: node scale.mjs < QUESTIONS > ANSWERS, both JSON.
import { readFileSync } from "node:fs";
import { frontEnd } from "./front_end.mjs";

const source = `
  export { cutShares, isShare } from "./src/frame/shares";
  export { place, scaleOf, scaleWords, valueAt } from "./src/picture/scale";
  export { tickWords } from "./src/panes/colour_bar";
  export { areaWords, formatValue, unitOnly } from "./src/picture/words";
  export { heatMap, usualCell } from "./src/picture/heat";
`;
const front = await frontEnd(source);

const known = (numbers) => Float32Array.from(numbers, (value) => value ?? Number.NaN);
const { maps, numbers, heats } = JSON.parse(readFileSync(0, "utf8"));
const scales = maps.map(({ values, unit, signed, choice }) => {
  const cut = front.cutShares(known(values), unit);
  const scale = front.scaleOf({ numbers: cut, signed, share: front.isShare(unit), choice });
  return {
    ...scale,
    ticks: [0, 0.5, 1].map((at) => front.valueAt(scale, at)),
    words: [0, 0.5, 1].map((at) => front.tickWords(scale, at)),
    scale: front.scaleWords(scale),
    places: scale.top === 0 ? [] : [...cut].filter(Number.isFinite).map((value) => front.place(scale, value)),
    unit: front.unitOnly(unit),
  };
});
const texts = numbers.map(([value, like]) => front.formatValue(value, like));
const drawn = heats.map(({ values, support, height, width }) => ({
  heat: [...front.heatMap(known(values), known(support), height, width)],
  area: front.areaWords(front.usualCell(known(support))),
}));
process.stdout.write(JSON.stringify({ scales, texts, heats: drawn }));
