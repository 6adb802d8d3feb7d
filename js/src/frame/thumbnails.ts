/** Small images of all sides that are compared. */
import { Fields, requireVersion, sectionOf } from "./fields";
import type { Frame } from "./frame";

export interface Thumbnails {
  readonly count: number;
  /** pixels of a side */
  readonly side: number;
  /** count x side x side x 3, sRGB */
  readonly images: Uint8Array;
}

/** Reads the frame of thumbnails; throws FrameError where its parts do not fit together. */
export function readThumbnails(frame: Frame): Thumbnails {
  const header = new Fields(frame.header);
  header.oneOf("kind", ["thumbnails"]);
  requireVersion(header);
  const [count, side] = [header.count("count", 1), header.count("side", 1)];
  return { count, side, images: sectionOf(frame, "images", "u8", [count, side, side, 3]) };
}
