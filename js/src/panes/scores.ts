/** The model's scores of the original and of the reconstruction. */

import { element, setText } from "../draw/dom";
import { formatChange, formatScore, scoreDecimals } from "../picture/words";
import type { Scores } from "../state/score_requests";
import type { Score } from "../state/score_result";
import type { ViewContext } from "./context";
import { disclosure } from "./disclosure";
import { pane } from "./pane";

const HEADINGS = ["", "image", "rebuilt", "change"];
const PROBABILITY_DECIMALS = 2;

/** The state of the request, in words; empty when the table is all there is to show. */
export function scoresWords(scores: Scores, saved: boolean): string {
  switch (scores.state) {
    case "none":
      return "no picture yet";
    case "asking":
      return "asking…";
    case "failed":
      return `The model did not answer: ${scores.message}`;
    case "unknown":
      return saved
        ? "Not known in this saved page: choose a single band"
        : "Not known: there is no kernel to ask";
    default:
      return (
        scores.result?.origin ||
        (!saved && scores.result ? `answered in ${scores.result.seconds.toFixed(1)} s` : "")
      );
  }
}

/** What the rows below are, in words: "probability (softmax) of", "score of". */
export function unitRowWords(unit: string): string {
  const [what = "", ...how] = unit.split(", ");
  return `${[what, how.length > 0 ? `(${how.join(", ")})` : ""].filter(Boolean).join(" ")} of`;
}

export function scoresPane(context: ViewContext): HTMLElement {
  const { session, bind } = context;
  const headings = HEADINGS.map((text) => (text ? element("th", { scope: "col" }, text) : element("td")));
  const body = element("tbody");
  const table = element(
    "table",
    { class: "wcam-scores", wcam: "scores" },
    element("thead", {}, element("tr", {}, ...headings)),
    body,
  );
  const verdict = element("p", { class: "wcam-verdict", role: "status", wcam: "verdict" });
  const note = element("p", { class: "wcam-note", role: "status", wcam: "scores-state" });
  const more = disclosure("scores-details");
  bind(() => {
    const scores = session.scores.value;
    table.dataset["stale"] = String(scores.state !== "known");
    table.dataset["state"] = scores.state;
    setText(note, scoresWords(scores, session.connection.value === "static"));
    more.show(scores.details);
    const words = session.selection.cells.value.length > 0 ? (scores.result?.verdict ?? "") : "";
    setText(verdict, words);
    verdict.dataset["stale"] = String(scores.state !== "known");
    const target = scores.result?.target ?? originalOf(context);
    const classes = scores.result?.classes ?? [];
    const rows = classes.map((score) => scoreRow(score, PROBABILITY_DECIMALS));
    body.replaceChildren(
      targetRow(target),
      ...(rows.length > 0 ? [kindRow(unitRowWords(scores.result?.unit ?? "")), ...rows] : []),
    );
  });
  return pane("scores", "Scores", [note], more.element, table, verdict);
}

/** Before the first answer only the explained score of the original is known. */
function originalOf(context: ViewContext): Score {
  const { attribution, target: explained } = context.session;
  const target = attribution.value?.target ?? explained.value.explained;
  return {
    label: target?.label ?? "explained score",
    original: target?.score ?? Number.NaN,
    reconstruction: Number.NaN,
  };
}

function targetRow(score: Score): HTMLElement {
  const made = scoreRow(score, scoreDecimals(score.original));
  made.classList.add("wcam-explained");
  return made;
}

/** What the numbers of the rows below are. */
function kindRow(words: string): HTMLElement {
  return element(
    "tr",
    {},
    element("th", { class: "wcam-kind", scope: "rowgroup", colspan: HEADINGS.length }, words),
  );
}

/** A class or the target under its own name. */
function scoreRow(score: Score, decimals: number): HTMLElement {
  const change = score.reconstruction - score.original;
  const cells = [
    formatScore(score.original, decimals),
    formatScore(score.reconstruction, decimals),
    Number.isFinite(change) ? formatChange(change, decimals) : "–",
  ];
  return element(
    "tr",
    { wcam: "score-row", "data-label": score.label },
    element("th", { scope: "row", title: score.label }, score.label),
    ...cells.map((text) => element("td", {}, text)),
  );
}
