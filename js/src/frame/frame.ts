/**
 * The container in which arrays come from Python: "WCF1", the length of a JSON header, the header, and raw
 * little-endian sections at offsets that are multiples of 8.
 *
 * A frame may come from an untrusted file: every field is validated before it is used, and a
 * view is made only of bytes that are there. wcam_widget/show/frame.py reads and writes the same bytes.
 */
import { briefJson, type JsonObject, writeJson } from "./json";

export class FrameError extends Error {
  override readonly name = "FrameError";
}

export type DtypeName = "f32" | "u8" | "i32";
export type SectionArray = Float32Array | Uint8Array | Int32Array;

export interface Section {
  readonly dtype: DtypeName;
  readonly shape: readonly number[];
  readonly data: SectionArray;
}

const MAGIC = [0x57, 0x43, 0x46, 0x31];
const ALIGNMENT = 8;
// Both must be kept in sync with wcam_widget/show/frame.py.
const LARGEST_HEADER = 65536;
const LARGEST_SECTION = 2 ** 31;
const MOST_AXES = 8;
const ITEM_BYTES: ReadonlyMap<unknown, number> = new Map([
  ["f32", 4],
  ["u8", 1],
  ["i32", 4],
]);

/** A header without its table of sections, and the sections by name. */
export class Frame {
  readonly header: JsonObject;
  readonly #sections: ReadonlyMap<string, Section>;

  constructor(header: JsonObject, sections: ReadonlyMap<string, Section>) {
    this.header = header;
    this.#sections = sections;
  }

  get names(): readonly string[] {
    return [...this.#sections.keys()];
  }

  section(name: string): Section {
    const section = this.#sections.get(name);
    if (section === undefined) throw new FrameError(`the frame has no section ${briefJson(name)}`);
    return section;
  }
}

/** Reads a frame; throws FrameError, and nothing else, for any bytes that are not a complete frame. */
export function decodeFrame(data: DataView | ArrayBuffer | Uint8Array): Frame {
  const bytes = aligned(data);
  const [parsed, start] = readHeader(bytes);
  const { sections: table, ...header } = parsed;
  if (!Array.isArray(table)) throw new FrameError("header.sections must be a list");
  const sections = new Map<string, Section>();
  table.forEach((entry: unknown, number) => {
    const where = `section ${number}`;
    const [name, section] = readSection(bytes, start, entry, where);
    if (sections.has(name)) {
      throw new FrameError(`${where}: the name ${briefJson(name)} is used twice`);
    }
    sections.set(name, section);
  });
  return new Frame(header as JsonObject, sections);
}

/** Writes a frame; equal contents give the bytes that the Python writer gives. */
export function encodeFrame(header: JsonObject, sections: Readonly<Record<string, Section>>): Uint8Array {
  if ("sections" in header) throw new FrameError("header: 'sections' is written by encodeFrame");
  const entries = Object.entries(sections);
  const [text, offsets, total] = layOut(header, entries);
  const frame = new Uint8Array(total);
  frame.set(MAGIC, 0);
  new DataView(frame.buffer).setUint32(4, text.byteLength, true);
  frame.set(text, ALIGNMENT);
  entries.forEach(([, { data }], number) => {
    frame.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offsets[number]);
  });
  return frame;
}

/** The bytes at an address that typed arrays of four-byte items can look at; copied only when they are not. */
function aligned(data: DataView | ArrayBuffer | Uint8Array): Uint8Array {
  const bytes =
    data instanceof ArrayBuffer
      ? new Uint8Array(data)
      : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return bytes.byteOffset % ALIGNMENT === 0 ? bytes : bytes.slice();
}

function readHeader(bytes: Uint8Array): [Record<string, unknown>, number] {
  if (bytes.byteLength < ALIGNMENT) {
    throw new FrameError(`a frame has at least ${ALIGNMENT} bytes, found ${bytes.byteLength}`);
  }
  if (MAGIC.some((byte, at) => bytes[at] !== byte)) throw new FrameError("a frame starts with WCF1");
  const length = new DataView(bytes.buffer, bytes.byteOffset, ALIGNMENT).getUint32(4, true);
  const end = ALIGNMENT + length;
  if (length > LARGEST_HEADER || length % ALIGNMENT !== 0) {
    throw new FrameError(`header length must be a multiple of 8 up to ${LARGEST_HEADER}, found ${length}`);
  }
  if (end > bytes.byteLength) {
    throw new FrameError(`the header ends at byte ${end}, the frame at byte ${bytes.byteLength}`);
  }
  return [parseHeader(bytes.subarray(ALIGNMENT, end)), end];
}

function parseHeader(text: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text));
  } catch (error) {
    throw new FrameError(`the header is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  if (!isObject(header)) throw new FrameError("the header must be a JSON object");
  return header;
}

function readSection(bytes: Uint8Array, start: number, entry: unknown, where: string): [string, Section] {
  if (!isObject(entry)) throw new FrameError(`${where} must be an object`);
  const { name, dtype, codec } = entry;
  const item = ITEM_BYTES.get(dtype);
  if (typeof name !== "string") throw new FrameError(`${where}: name must be text`);
  if (item === undefined) {
    throw new FrameError(`${where}: dtype must be one of f32, u8, i32, found ${briefJson(dtype)}`);
  }
  if (codec !== "raw") throw new FrameError(`${where}: codec must be "raw", found ${briefJson(codec)}`);
  const [shape, count] = readShape(entry["shape"], where);
  const offset = readSize(entry["offset"], `${where}: offset`);
  const nbytes = readSize(entry["nbytes"], `${where}: nbytes`);
  if (nbytes !== count * item) {
    throw new FrameError(`${where}: ${dtype} of shape [${shape}] does not fill ${nbytes} bytes`);
  }
  if (offset % ALIGNMENT !== 0 || offset < start) {
    throw new FrameError(`${where}: offset must be a multiple of 8 from ${start} on, found ${offset}`);
  }
  if (offset + nbytes > bytes.byteLength) {
    throw new FrameError(
      `${where}: it ends at byte ${offset + nbytes}, the frame at byte ${bytes.byteLength}`,
    );
  }
  // An empty section may point past the end, where a typed array would refuse to start.
  const at = bytes.byteOffset + (count === 0 ? 0 : offset);
  return [
    name,
    { dtype: dtype as DtypeName, shape, data: viewOf(dtype as DtypeName, bytes.buffer, at, count) },
  ];
}

function viewOf(dtype: DtypeName, buffer: ArrayBufferLike, at: number, count: number): SectionArray {
  if (dtype === "f32") return new Float32Array(buffer, at, count);
  if (dtype === "i32") return new Int32Array(buffer, at, count);
  return new Uint8Array(buffer, at, count);
}

function readShape(shape: unknown, where: string): [number[], number] {
  if (!Array.isArray(shape) || shape.length > MOST_AXES || !shape.every(isSize)) {
    throw new FrameError(`${where}: shape must be up to ${MOST_AXES} whole numbers from 0 on`);
  }
  const sides: readonly number[] = shape;
  // Empty axes count as one here, so that a zero cannot hide an absurd size.
  if (sides.reduce((product, side) => product * Math.max(side, 1), 1) > LARGEST_SECTION) {
    throw new FrameError(`${where}: at most ${LARGEST_SECTION} elements, found shape [${shape}]`);
  }
  return [[...sides], sides.reduce((product, side) => product * side, 1)];
}

function readSize(value: unknown, what: string): number {
  if (!isSize(value)) {
    throw new FrameError(`${what} must be a whole number from 0 on, found ${briefJson(value)}`);
  }
  return value;
}

function isSize(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The padded header, the offset of every section, and the size of the frame. */
function layOut(
  header: JsonObject,
  entries: readonly (readonly [string, Section])[],
): [Uint8Array, number[], number] {
  // Offsets stand in the header and depend on its length; the header is written until its length holds still.
  for (let length = 0; ; ) {
    let end = ALIGNMENT + length;
    const offsets: number[] = [];
    const table = entries.map(([name, { dtype, shape, data }]) => {
      const offset = roundUp(end);
      offsets.push(offset);
      end = offset + data.byteLength;
      return { name, dtype, shape, codec: "raw", offset, nbytes: data.byteLength };
    });
    const text = encodeHeader({ ...header, sections: table });
    const padded = roundUp(text.byteLength);
    if (padded > LARGEST_HEADER) {
      throw new FrameError(`header: at most ${LARGEST_HEADER} bytes, found ${padded}`);
    }
    if (padded <= length) {
      const spaced = new Uint8Array(length).fill(0x20);
      spaced.set(text);
      return [spaced, offsets, end];
    }
    length = padded;
  }
}

function encodeHeader(header: JsonObject): Uint8Array {
  try {
    return new TextEncoder().encode(writeJson(header));
  } catch (error) {
    throw new FrameError(`header: ${error instanceof Error ? error.message : error}`);
  }
}

function roundUp(size: number): number {
  return Math.ceil(size / ALIGNMENT) * ALIGNMENT;
}
