/** JSON as Python's json module writes it, so that both writers give the same bytes. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

const LONGEST_SHOWN = 80;

/** Compact JSON text; throws a TypeError for NaN and infinity, which JSON has no word for. */
export function writeJson(value: Json): string {
  if (typeof value === "number") return writeNumber(value);
  if (Array.isArray(value)) return `[${value.map(writeJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).map(
      ([key, member]) => `${JSON.stringify(key)}:${writeJson(member)}`,
    );
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value);
}

/** What stands in a header, for an error: never long, and never an error itself. */
export function briefJson(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    return "something nested too deeply to be shown";
  }
  return (text ?? "nothing").slice(0, LONGEST_SHOWN);
}

function writeNumber(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError(`${value} is not JSON`);
  // Python turns to powers of ten below 1e-4 and writes at least two digits of them.
  if (value !== 0 && Math.abs(value) < 1e-4) {
    return value.toExponential().replace(/e-(\d)$/, "e-0$1");
  }
  return JSON.stringify(value);
}
