/** Frames that are wrong in one place, and the errors that they give. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { FrameError } from "../../src/frame/frame";
import type { Parts } from "../samples";

/** A frame that Python wrote. */
export const golden = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../tests/reference/frames/${name}.wcf`, import.meta.url)));

export type Change = (parts: Parts) => void;

/** The message of the FrameError that a changed frame gives, or "accepted". */
export function refusal(make: () => Parts, read: (parts: Parts) => unknown, change: Change): string {
  const parts = make();
  change(parts);
  try {
    read(parts);
  } catch (error) {
    expect(error).toBeInstanceOf(FrameError);
    return (error as Error).message;
  }
  return "accepted";
}

/** Sets a field deep inside a header. */
export const put =
  (path: string, value: unknown): Change =>
  ({ header }) => {
    const names = path.split(".");
    const last = names.pop() ?? "";
    const home = names.reduce<Record<string, unknown>>(
      (at, name) => at[name] as Record<string, unknown>,
      header,
    );
    home[last] = value;
  };
