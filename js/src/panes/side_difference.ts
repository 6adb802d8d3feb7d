/** The third column of a comparison: what differs, where, at which scale, and how sure that is. */
import { element, setText } from "../draw/dom";
import { type AttributionFrame, KIND } from "../frame/attribution";
import type { PairedDifference } from "../frame/paired";
import { usualCell } from "../picture/heat";
import { certainBands } from "../picture/map_difference";
import { formatValue } from "../picture/words";
import type { Session } from "../state/session";
import type { SessionDifference, ShownHeat } from "../state/session_difference";
import type { ViewContext } from "./context";
import { DyadicPane } from "./dyadic";
import { ImagePane } from "./image";
import { heatOf } from "./image_map";
import { profilePane } from "./profile";

/** Bands that are named in the words. */
const MOST_NAMED = 4;
const OVERLAP = "the intervals of both sides do not overlap";

/** The map over the image of a side, in its own unit. */
export function heatOfSide(session: Session): ShownHeat | null {
  const [heat, picture, layer] = [heatOf(session), session.picture.value, session.layers.shown.value];
  if (heat === null || picture === null) return null;
  const unit = layer?.unit ?? session.attribution.value?.unit ?? "";
  return { numbers: heat.numbers, unit, area: layer?.cell ?? usualCell(picture.support) };
}

/** "2 of 640 cells and A3 (+0.21) differ for certain …": what differs, and what may be chance. */
export function differenceWords(
  map: AttributionFrame,
  bands: readonly { readonly name: string }[],
  paired: PairedDifference | null,
): string {
  const soFar = map.complete ? "" : "So far: ";
  const hasIntervals = map.high.some((high, cell) => (map.low[cell] ?? Number.NaN) < high);
  if (!hasIntervals) return `${soFar}The maps have no intervals, so nothing says what of this is chance.`;
  const cells = map.kind.reduce((sum, kind) => sum + Number(kind === KIND.certain), 0);
  const { total } = map.profile;
  const certain = certainBands(map, paired).sort((a, b) => Math.abs(total[b] ?? 0) - Math.abs(total[a] ?? 0));
  const named = certain.slice(0, MOST_NAMED).map((band) => {
    const value = total[band] ?? Number.NaN;
    return `${bands[band]?.name ?? ""} (${value > 0 ? "+" : ""}${formatValue(value)})`;
  });
  const more = certain.length - named.length;
  const list = `${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  const ofBands = certain.length > 0 ? `the bands ${list}` : "no band";
  const how = paired?.how ?? OVERLAP;
  const count = `${cells === 0 ? "no" : cells} of ${map.values.length} cells`;
  return `${soFar}${ofBands[0]?.toUpperCase()}${ofBands.slice(1)} and ${count} differ for certain (${how}). The rest may be chance.`;
}

/** What is said of the two maps together. */
function wordsOf(difference: SessionDifference, [one, other]: readonly [Session, Session]): string {
  const picture = other.picture.value;
  if (difference.comparable.value === false) {
    return "The sides have different cells: they are compared over the image alone, and what is selected on one is selected on the other by place and level.";
  }
  const map = difference.map.value;
  if (map === null || picture === null) return "No difference yet.";
  const targets = [one.attribution.value?.target.label, other.attribution.value?.target.label];
  const scores =
    targets[0] === targets[1] ? "" : ` The sides explain different scores: ${targets[0]}, and ${targets[1]}.`;
  return differenceWords(map, picture.bands, difference.paired.value) + scores;
}

export function differenceBody(
  context: ViewContext,
  title: string,
  difference: SessionDifference,
  sessions: readonly [Session, Session],
): { readonly body: HTMLElement; cancelDrags(): boolean } {
  const words = element("p", { class: "wcam-answer", wcam: "sides-differ", role: "status" });
  const colours = element("p", { class: "wcam-stop" }, "Orange: more importance. Blue: less.");
  const heading = element("h3", { class: "wcam-side-name" }, title);
  const top = element("div", { class: "wcam-top" }, heading, words, colours);
  const image = new ImagePane(context);
  const dyadic = new DyadicPane(context);
  context.bind(() => {
    setText(words, wordsOf(difference, sessions));
    dyadic.element.hidden = difference.comparable.value === false;
  });
  const profile = profilePane(context, dyadic.scale);
  context.bind(() => {
    profile.hidden = difference.comparable.value === false;
  });
  const body = element("div", { class: "wcam-body wcam-difference", "data-side": "difference" });
  body.append(top, image.element, dyadic.element, profile);
  return { body, cancelDrags: () => [image.cancelDrag(), dyadic.cancelDrag()].includes(true) };
}
