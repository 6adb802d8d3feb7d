/** Maps over the image that other methods made, each in a unit of its own. Each frame replaces the last. */
import { Fields, requireVersion, sectionOf } from "./fields";
import { type Frame, FrameError } from "./frame";

/** More than the kernel ever sends. */
const MOST_LAYERS = 64;

export interface MapLayer {
  readonly name: string;
  /** whether it stands in for the map of the cells, because its method has none */
  readonly main: boolean;
  /** what ended it; empty when all is well */
  readonly error: string;
  /** where that came from */
  readonly details: string;
  readonly method: string;
  readonly target: { readonly label: string; readonly score: number | null };
  readonly unit: string;
  /** height and width, in pixels, of the area that a number is counted for */
  readonly cell: readonly [number, number];
  /** whether values below zero count against the target */
  readonly signed: boolean;
  readonly complete: boolean;
  readonly stop: string;
  /** height x width; null where an error left no map */
  readonly heat: Float32Array | null;
}

export interface LayersFrame {
  readonly run: string;
  /** the target that it is of */
  readonly about: string;
  readonly height: number;
  readonly width: number;
  readonly layers: readonly MapLayer[];
}

/** Reads a frame of layers; throws FrameError where its parts do not fit together. */
export function readLayers(frame: Frame): LayersFrame {
  const header = new Fields(frame.header);
  header.oneOf("kind", ["layers"]);
  requireVersion(header);
  const image = header.object("image");
  const [height, width] = [image.count("height", 1), image.count("width", 1)];
  const described = header.objects("layers");
  if (described.length > MOST_LAYERS) {
    throw new FrameError(`header.layers must hold at most ${MOST_LAYERS}, found ${described.length}`);
  }
  const layers = described.map((fields, at) =>
    readLayer(fields, fields.flag("drawn") ? sectionOf(frame, `map${at}`, "f32", [height, width]) : null),
  );
  return { run: header.text("run"), about: header.textOr("about", ""), height, width, layers };
}

function readLayer(fields: Fields, heat: Float32Array | null): MapLayer {
  const target = fields.object("target");
  return {
    name: fields.text("name"),
    main: fields.flag("main"),
    error: fields.text("error"),
    details: fields.textOr("details", ""),
    method: fields.text("method"),
    target: { label: target.text("label"), score: target.numberOrNull("score") },
    unit: fields.text("unit"),
    cell: [fields.numberOr("cell_height", 1), fields.numberOr("cell_width", 1)],
    signed: fields.flag("signed"),
    complete: fields.flag("complete"),
    stop: fields.text("stop"),
    heat,
  };
}
