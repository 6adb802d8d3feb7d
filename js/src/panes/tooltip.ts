/** The tooltip of a cell. */
import { element, setText } from "../draw/dom";
import type { Rectangle } from "../picture/geometry";
import { tooltipPosition } from "../picture/tooltip_position";

/** A box of words beside the band that it explains, which it never covers. */
export class Tooltip {
  readonly element = element("div", {
    class: "wcam-tooltip",
    role: "tooltip",
    wcam: "tooltip",
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
    const { left, top } = tooltipPosition(
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
