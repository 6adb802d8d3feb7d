/** Frames as the kernel writes them, made small. */
import { encodeFrame, type Section } from "../src/frame/frame";
import type { JsonObject } from "../src/frame/json";
import type { WidgetState } from "../src/transport/afm";

export const f32 = (values: readonly number[], ...shape: number[]): Section => ({
  dtype: "f32",
  shape: shape.length > 0 ? shape : [values.length],
  data: Float32Array.from(values),
});
export const i32 = (values: readonly number[], ...shape: number[]): Section => ({
  dtype: "i32",
  shape,
  data: Int32Array.from(values),
});
export const u8 = (values: readonly number[], ...shape: number[]): Section => ({
  dtype: "u8",
  shape: shape.length > 0 ? shape : [values.length],
  data: Uint8Array.from(values),
});

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export interface Parts {
  header: Record<string, JsonObject[string]>;
  sections: Record<string, Section>;
}

const half = Math.SQRT1_2;

/** A 4x4 Haar picture of one level: a band per quarter, one cell each. */
export function pictureParts(run = "r1"): Parts {
  const corners = [
    ["A", 0, 0],
    ["LH", 2, 0],
    ["HL", 0, 2],
    ["HH", 2, 2],
  ] as const;
  const bands = corners.map(([orientation, top, left]) => ({
    name: `${orientation}1`,
    level: 1,
    orientation,
    top,
    left,
    height: 2,
    width: 2,
  }));
  return {
    header: {
      kind: "picture",
      version: 1,
      run,
      image: { channels: 1, height: 4, width: 4 },
      picture: { height: 4, width: 4 },
      basis: "wavelet",
      wavelet: { name: "haar", levels: 1, rec_lo: [half, half], rec_hi: [half, -half] },
      bands,
      cell_count: 4,
    },
    sections: {
      image: u8(new Array(48).fill(7), 4, 4, 3),
      coefficients: f32([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], 1, 4, 4),
      baseline: f32([20, 20, 20, 20], 1, 2, 2),
      cells: i32(
        bands.flatMap(({ top, left }, at) => [at, top, left, 2, 2]),
        4,
        5,
      ),
      support: f32(
        bands.flatMap(() => [0, 0, 4, 4]),
        4,
        4,
      ),
    },
  };
}

/** Two such pictures side by side, the parts Y and C of one image; C has ten times the coefficients of Y. */
export function colourParts(): Parts {
  const { header, sections } = pictureParts();
  const bands = header["bands"] as { name: string; left: number }[];
  const cells = Array.from(sections["cells"]?.data ?? []);
  const rows = [0, 4, 8, 12].map((at) =>
    Array.from((sections["coefficients"]?.data ?? []).slice(at, at + 4)),
  );
  return {
    header: {
      ...header,
      picture: { height: 4, width: 8 },
      bands: ["Y", "C"].flatMap((part, tile) =>
        bands.map((band) => ({ ...band, name: `${part}:${band.name}`, part, left: band.left + 4 * tile })),
      ),
      cell_count: 8,
    },
    sections: {
      ...sections,
      coefficients: f32(
        rows.flatMap((row) => [...row, ...row.map((value) => 10 * value)]),
        1,
        4,
        8,
      ),
      cells: i32(
        [...cells, ...cells.map((value, at) => value + (at % 5 === 0 || at % 5 === 2 ? 4 : 0))],
        8,
        5,
      ),
      support: f32(new Array(8).fill([0, 0, 4, 4]).flat(), 8, 4),
    },
  };
}

export function attributionParts(run = "r1", rev = 1): Parts {
  return {
    header: {
      kind: "attribution",
      version: 1,
      run,
      rev,
      complete: false,
      method: "Sobol(rows=16, seed=0)",
      target: { label: "disc", score: 2.5 },
      evaluations: 32,
      gradients: 0,
      planned: 96,
      seconds: 0.5,
      unit: "share",
      signed: false,
      stop: "",
      variance: null,
      profile: {
        statistic: "total",
        total: [0.5, 0.25, 0.125, null],
        low: [0, 0, 0, null],
        high: [1, 1, 1, null],
        shapley: [null, null, null, null],
      },
    },
    sections: {
      values: f32([0.4, 0.3, 0.2, Number.NaN]),
      low: f32([0, 0, 0, Number.NaN]),
      high: f32([1, 1, 1, Number.NaN]),
      slope: f32([1, -1, 0, 0]),
      kind: u8([0, 0, 1, 2]),
    },
  };
}

/** Two maps over the image; with `main` the first stands in for that of the cells. */
export function layersParts(run = "r1", main = false): Parts {
  const layer = (name: string): JsonObject => ({
    name,
    main: main && name === "Grad",
    error: "",
    drawn: true,
    method: `${name} · conv (2x2)`,
    target: { label: "disc", score: 2.5 },
    unit: "activation",
    signed: name === "Signed",
    complete: true,
    stop: "done",
  });
  const numbers = Array.from({ length: 16 }, (_, at) => at / 16);
  return {
    header: {
      kind: "layers",
      version: 1,
      run,
      image: { height: 4, width: 4 },
      layers: [layer("Grad"), layer("Signed")],
    },
    sections: {
      map0: f32(numbers, 4, 4),
      map1: f32(
        numbers.map((value) => value - 0.5),
        4,
        4,
      ),
    },
  };
}

/** A curve over the four cells of such a picture: the decision holds from two cells on. */
export function retentionParts(run = "r1"): Parts {
  const line = (name: string, scores: number[], classes: number[]): JsonObject => ({
    name,
    counts: [0, 1, 2, 4],
    shares: [0, 0.25, 0.5, 1],
    scores,
    classes,
  });
  return {
    header: {
      kind: "retention",
      version: 1,
      run,
      passes: 32,
      complete: true,
      subject: "disc",
      unit: "probability, softmax",
      original: 0.9,
      classes: ["disc", "ring"],
      depth: 2,
      lines: [
        line("own", [0.1, 0.3, 0.8, 0.9], [1, 1, 0, 0]),
        line("random", [0.1, 0.1, 0.2, 0.9], [1, 1, 1, 0]),
      ],
    },
    sections: { order: i32([2, 0, 3, 1], 4) },
  };
}

export function bytesOf({ header, sections }: Parts): Uint8Array {
  return encodeFrame(header, sections);
}

/** All traits of a model, as they are when the widget opens; `changes` go over them. */
export function state(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const all: WidgetState = {
    _target: { about: "" },
    _picture: viewOf(bytesOf(pictureParts())),
    _frame: viewOf(bytesOf(attributionParts())),
    _layers: viewOf(new Uint8Array(0)),
    _retention: viewOf(new Uint8Array(0)),
    _status: {
      state: "running",
      done: 32,
      total: 96,
      seconds: 0.5,
      seconds_left: 1,
      message: "",
      run: "r1",
      rev: 1,
    },
    _scores: {},
    _known: {},
    _sides: {},
    _thumbnails: viewOf(new Uint8Array(0)),
    _difference: viewOf(new Uint8Array(0)),
    shown: [0],
    selection: [],
    mode: "keep",
    level: [],
    layer: "",
    theme: "auto",
    colormap: "cividis",
    opacity: 0.5,
    scale: "auto",
    _proto: 1,
  };
  return { ...all, ...changes };
}

export function score(key: string): Record<string, unknown> {
  const target = { label: "disc", original: 2.5, reconstruction: 1.5 };
  return { key, target, classes: [{ label: "disc", original: 0.9, reconstruction: 0.7 }], seconds: 0.01 };
}
