/** What the kernel says of the difference of two runs that have seen the same masks. */
import { Fields, requireVersion, sectionOf } from "./fields";
import type { Frame } from "./frame";

/** Intervals of differences, and which of them are certain (1). */
export interface PairedIntervals {
  readonly low: ArrayLike<number>;
  readonly high: ArrayLike<number>;
  readonly certain: ArrayLike<number>;
}

export interface PairedDifference {
  /** of the first side and of the second */
  readonly runs: readonly [string, string];
  /** how certainty was judged, in words */
  readonly how: string;
  readonly cells: PairedIntervals;
  readonly bands: PairedIntervals;
}

/** Reads the frame of a difference; throws FrameError where its parts do not fit together. */
export function readPaired(frame: Frame): PairedDifference {
  const header = new Fields(frame.header);
  header.oneOf("kind", ["difference"]);
  requireVersion(header);
  const [cells, bands] = [header.count("cells", 1), header.count("bands", 1)];
  const intervals = (of: string, count: number): PairedIntervals => ({
    low: sectionOf(frame, `${of}_low`, "f32", [count]),
    high: sectionOf(frame, `${of}_high`, "f32", [count]),
    certain: sectionOf(frame, `${of}_certain`, "u8", [count]),
  });
  return {
    runs: [header.text("first"), header.text("second")],
    how: header.text("how"),
    cells: intervals("cells", cells),
    bands: intervals("bands", bands),
  };
}
