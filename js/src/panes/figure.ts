/** The view as one picture, to be saved: its plates and colour bars with their words, as pixels or as SVG. */
import { context2d, element } from "../draw/dom";

const GAP = 16;
const LINE = 18;
const SVG = "http://www.w3.org/2000/svg";

interface Plate {
  readonly title: string;
  readonly width: number;
  readonly height: number;
  readonly layers: readonly HTMLCanvasElement[];
  /** what stands below it */
  readonly notes: readonly string[];
}

/** What is drawn: plates beside each other over lines of text; lengths in CSS pixels. */
export interface Figure {
  readonly plates: readonly Plate[];
  readonly lines: readonly string[];
  readonly ink: string;
  readonly ground: string;
  readonly font: string;
}

/** The figure of a view as it stands. */
export function figureOf(root: HTMLElement, lines: readonly string[]): Figure {
  const plates = [...root.querySelectorAll<HTMLElement>(".wcam-pane:has(.wcam-plate)")].map(plateOf);
  const { color, backgroundColor, fontFamily } = getComputedStyle(root);
  return {
    plates: plates.filter(({ layers }) => layers.length > 0),
    lines: lines.filter((line) => line !== ""),
    ink: color,
    ground: backgroundColor,
    font: fontFamily,
  };
}

function plateOf(pane: HTMLElement): Plate {
  const plate = pane.querySelector<HTMLElement>(".wcam-plate");
  const box = (plate ?? pane).getBoundingClientRect();
  const canvases = plate === null ? [] : [...plate.querySelectorAll("canvas")];
  const bar = pane.querySelector<HTMLElement>(".wcam-colour-bar");
  const texts = [...(bar?.querySelectorAll<HTMLElement>("span") ?? [])].map((span) => span.textContent ?? "");
  const unit = bar?.querySelector("p")?.textContent ?? "";
  return {
    title: pane.querySelector(".wcam-title")?.textContent ?? "",
    width: box.width,
    height: box.height,
    layers: canvases.filter((canvas) => canvas.width > 0 && canvas.getClientRects().length > 0),
    notes: bar === null || bar.hidden ? [] : [texts.filter(Boolean).join(" … "), unit],
  };
}

interface Placed {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly bold: boolean;
}

/** Where everything lies, and how large it is in all. */
function laidOut(figure: Figure): { width: number; height: number; texts: Placed[]; lefts: number[] } {
  const lefts: number[] = [];
  let [x, tallest] = [GAP, 0];
  for (const { width, height } of figure.plates) {
    lefts.push(x);
    x += width + GAP;
    tallest = Math.max(tallest, height);
  }
  const top = GAP + LINE;
  const texts: Placed[] = [];
  figure.plates.forEach(({ title, notes, width, height }, at) => {
    const left = lefts[at] ?? 0;
    texts.push({ text: title, x: left, y: GAP + 12, bold: true });
    const wrapped = notes.flatMap((note) => wrap(note, width, figure.font));
    wrapped.forEach((text, row) => {
      texts.push({ text, x: left, y: top + height + (row + 1) * LINE, bold: false });
    });
    tallest = Math.max(tallest, height + wrapped.length * LINE);
  });
  const below = figure.lines.flatMap((line) => wrap(line, x - 2 * GAP, figure.font));
  below.forEach((text, row) => {
    texts.push({ text, x: GAP, y: top + tallest + GAP + (row + 1) * LINE, bold: row === 0 });
  });
  return { width: x, height: top + tallest + (below.length + 1) * LINE + GAP, texts, lefts };
}

/** Text in lines of at most this many pixels. */
function wrap(text: string, width: number, font: string): string[] {
  const pen = context2d(element("canvas"));
  pen.font = `13px ${font}`;
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const longer = `${lines.at(-1) ?? ""} ${word}`.trim();
    if (lines.length > 0 && pen.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

function drawPlate(pen: CanvasRenderingContext2D, plate: Plate, left: number, top: number): void {
  for (const canvas of plate.layers) {
    const { opacity, mixBlendMode } = getComputedStyle(canvas);
    pen.globalAlpha = Number(opacity);
    pen.globalCompositeOperation = (
      mixBlendMode === "normal" ? "source-over" : mixBlendMode
    ) as GlobalCompositeOperation;
    pen.imageSmoothingEnabled = canvas.width > plate.width * devicePixelRatio;
    pen.drawImage(canvas, left, top, plate.width, plate.height);
  }
  pen.globalAlpha = 1;
  pen.globalCompositeOperation = "source-over";
}

/** The figure as PNG, at so many pixels for each of the screen's. */
export function toPng(figure: Figure, scale: number): Promise<Blob> {
  const { width, height, texts, lefts } = laidOut(figure);
  const canvas = element("canvas", { width: Math.ceil(width * scale), height: Math.ceil(height * scale) });
  const pen = context2d(canvas);
  pen.scale(scale, scale);
  pen.fillStyle = figure.ground;
  pen.fillRect(0, 0, width, height);
  figure.plates.forEach((plate, at) => {
    drawPlate(pen, plate, lefts[at] ?? 0, GAP + LINE);
  });
  pen.fillStyle = figure.ink;
  for (const { text, x, y, bold } of texts) {
    pen.font = `${bold ? "600 " : ""}13px ${figure.font}`;
    pen.fillText(text, x, y);
  }
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      canvas.width = 0;
      if (blob === null) reject(new Error("this page cannot make a picture of this size"));
      else resolve(blob);
    }, "image/png");
  });
}

/** The figure as SVG: text as text, the plates as pictures inside. */
export function toSvg(figure: Figure): Blob {
  const { width, height, texts, lefts } = laidOut(figure);
  // In a document of its own, which no page loads pictures for.
  const page = document.implementation.createDocument(SVG, "svg");
  const make = (tag: string, attributes: Record<string, string | number>, text = ""): Element => {
    const made = page.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
    made.textContent = text;
    return made;
  };
  const svg = make("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
  svg.append(make("rect", { width, height, fill: figure.ground }));
  figure.plates.forEach((plate, at) => {
    const canvas = element("canvas", {
      width: Math.ceil(plate.width * 2),
      height: Math.ceil(plate.height * 2),
    });
    const pen = context2d(canvas);
    pen.scale(2, 2);
    drawPlate(pen, plate, 0, 0);
    const place = { x: lefts[at] ?? 0, y: GAP + LINE, width: plate.width, height: plate.height };
    svg.append(make("image", { ...place, href: canvas.toDataURL("image/png") }));
    canvas.width = 0;
  });
  for (const { text, x, y, bold } of texts) {
    const style = { "font-family": figure.font, "font-size": 13, "font-weight": bold ? 600 : 400 };
    svg.append(make("text", { x, y, fill: figure.ink, ...style }, text));
  }
  return new Blob([new XMLSerializer().serializeToString(svg)], { type: "image/svg+xml" });
}
