/** Reads and validates single fields of a header. */
import { type Frame, FrameError, type SectionArray } from "./frame";
import { briefJson, type Json, type JsonObject } from "./json";

/** The fields of one object of a header; every error names the field by its full path. */
export class Fields {
  readonly #object: JsonObject;
  readonly #path: string;

  constructor(value: Json | undefined, path = "header") {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new FrameError(`${path} must be an object`);
    }
    this.#object = value as JsonObject;
    this.#path = path;
  }

  #read(name: string): Json | undefined {
    return this.#object[name];
  }

  #refuse(name: string, expected: string): never {
    throw new FrameError(`${this.#path}.${name} must be ${expected}, found ${briefJson(this.#read(name))}`);
  }

  object(name: string): Fields {
    return new Fields(this.#read(name), `${this.#path}.${name}`);
  }

  objects(name: string): Fields[] {
    const list = this.#read(name);
    if (!Array.isArray(list)) return this.#refuse(name, "a list");
    return list.map((each: Json, at) => new Fields(each, `${this.#path}.${name}[${at}]`));
  }

  isNull(name: string): boolean {
    return this.#read(name) === null;
  }

  text(name: string): string {
    const value = this.#read(name);
    return typeof value === "string" ? value : this.#refuse(name, "text");
  }

  /** Text, or `otherwise` where the header has no such field. */
  textOr(name: string, otherwise: string): string {
    return this.#read(name) === undefined ? otherwise : this.text(name);
  }

  oneOf<T extends string>(name: string, choices: readonly T[]): T {
    const value = this.#read(name);
    return choices.find((each) => each === value) ?? this.#refuse(name, `one of ${choices.join(", ")}`);
  }

  flag(name: string): boolean {
    const value = this.#read(name);
    return typeof value === "boolean" ? value : this.#refuse(name, "true or false");
  }

  /** A whole number from `least` on. */
  count(name: string, least = 0): number {
    const value = this.#read(name);
    const fits = typeof value === "number" && Number.isSafeInteger(value) && value >= least;
    return fits ? value : this.#refuse(name, `a whole number from ${least} on`);
  }

  number(name: string): number {
    const value = this.#read(name);
    return isFiniteNumber(value) ? value : this.#refuse(name, "a finite number");
  }

  /** A number, or `otherwise` where the header has no such field. */
  numberOr(name: string, otherwise: number): number {
    return this.#read(name) === undefined ? otherwise : this.number(name);
  }

  numberOrNull(name: string): number | null {
    return this.isNull(name) ? null : this.number(name);
  }

  numbers(name: string): number[] {
    const list = this.#read(name);
    return Array.isArray(list) && list.every(isFiniteNumber)
      ? [...list]
      : this.#refuse(name, "a list of finite numbers");
  }

  texts(name: string): string[] {
    const list = this.#read(name);
    const fits = Array.isArray(list) && list.every((each) => typeof each === "string");
    return fits ? (list as string[]) : this.#refuse(name, "a list of texts");
  }

  listLength(name: string): number {
    const list = this.#read(name);
    return Array.isArray(list) ? list.length : this.#refuse(name, "a list");
  }

  /** `length` numbers, NaN where the header has null: not known. */
  numbersOrNull(name: string, length: number): Float64Array {
    const list = this.#read(name);
    const fits =
      Array.isArray(list) &&
      list.length === length &&
      list.every((each) => each === null || isFiniteNumber(each));
    if (!fits) return this.#refuse(name, `${length} numbers or nulls`);
    return Float64Array.from(list, (each) => (each === null ? Number.NaN : Number(each)));
  }
}

/** Refuses a frame that a later version of the Python package wrote. */
export function requireVersion(header: Fields): void {
  const version = header.count("version", 1);
  if (version !== 1) {
    throw new FrameError(`header.version is ${version}: this front end reads version 1; reload the page`);
  }
}

function isFiniteNumber(value: Json | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

interface ArrayOf {
  readonly f32: Float32Array;
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
}

/** A section of this dtype and shape, or a FrameError with what it is instead. */
export function sectionOf<D extends keyof ArrayOf>(
  frame: Frame,
  name: string,
  dtype: D,
  shape: readonly number[],
): ArrayOf[D] {
  const section = frame.section(name);
  const fits = section.dtype === dtype && section.shape.join() === shape.join();
  if (!fits) {
    throw new FrameError(
      `section ${name} must be ${dtype} of shape [${shape}], found ${section.dtype} of shape [${section.shape}]`,
    );
  }
  return section.data as SectionArray as ArrayOf[D];
}
