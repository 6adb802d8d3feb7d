/** Reads values that came from outside, of any type, without trusting them. */

export function asObject(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

export function isFiniteNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

export function numberOr(value: unknown, otherwise: number): number {
  return isFiniteNumber(value) ? value : otherwise;
}

export function textOr(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}
