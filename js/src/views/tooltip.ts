/** What is known of a cell, beside the pointer and in one sentence for the screen reader. */
import type { AttributionFrame } from "../frame/attribution";
import { beside } from "./beside";
import { element, setText } from "./dom";
import { bandOf, type CellTable, type Rectangle, supportRectangle } from "./geometry";
import { bandLabel, filterWords, formatValue, kindWords, placeWords } from "./words";

/** The facts about a cell, line by line; the first names it. Values have the digits of `like`. */
export function cellFacts(
  table: CellTable,
  attribution: AttributionFrame | null,
  cell: number,
  like: number | null = null,
): string[] {
  const band = table.bands[bandOf(table, cell)];
  if (!band) return [];
  const { top, left, bottom, right } = supportRectangle(table, cell);
  const size = `${Math.round(bottom - top)} × ${Math.round(right - left)} pixels per cell`;
  return [
    band.level === 0 && band.part === "" ? filterWords(band) : `${bandLabel(band)}: ${filterWords(band)}`,
    valueWords(attribution, cell, like),
    `image ${placeWords(table, cell)}: ${size}`,
  ];
}

function valueWords(attribution: AttributionFrame | null, cell: number, like: number | null): string {
  const value = attribution?.values[cell] ?? Number.NaN;
  if (attribution === null || Number.isNaN(value)) return "no value yet";
  const low = attribution.low[cell] ?? Number.NaN;
  const high = attribution.high[cell] ?? Number.NaN;
  const kind = kindWords(attribution.kind[cell] ?? -1);
  const digits = like ?? (Number.isFinite(high) ? high : value);
  const interval =
    Number.isFinite(low) && Number.isFinite(high)
      ? ` (${formatValue(low, digits)} to ${formatValue(high, digits)})`
      : "";
  return `${formatValue(value, digits)}${interval}, ${kind}`;
}

/** A box of words beside the band they speak of, which it never covers. */
export class Tooltip {
  readonly element = element("div", {
    class: "wcam-tooltip",
    role: "tooltip",
    "data-wcam": "tooltip",
    hidden: true,
  });

  hide(): void {
    this.element.hidden = true;
  }

  /** Shows the lines beside a band, on the pointer's side; both in fractions of the plate. */
  show(lines: readonly string[], band: Rectangle, pointer: { readonly y: number; readonly x: number }): void {
    while (this.element.childElementCount < lines.length) this.element.append(element("p"));
    [...this.element.children].forEach((line, at) => {
      setText(line, lines[at] ?? "");
    });
    this.element.hidden = false;
    const { style, offsetWidth, offsetHeight, parentElement: plate } = this.element;
    if (plate === null) return;
    const [own, page] = [plate.getBoundingClientRect(), plate.closest(".wcam")?.getBoundingClientRect()];
    const { width, height } = own;
    const { left, top } = beside(
      {
        left: band.left * width,
        top: band.top * height,
        right: band.right * width,
        bottom: band.bottom * height,
      },
      { x: pointer.x * width, y: pointer.y * height },
      { width: offsetWidth, height: offsetHeight },
      [
        { left: 0, top: 0, right: width, bottom: height },
        {
          left: (page?.left ?? own.left) - own.left,
          top: (page?.top ?? own.top) - own.top,
          right: (page?.right ?? own.right) - own.left,
          bottom: (page?.bottom ?? own.bottom) - own.top,
        },
      ],
    );
    style.left = `${left}px`;
    style.top = `${top}px`;
  }
}
