/** Asks the model about the current selection: after a pause, one question at a time, the latest wins. */
import { RpcError } from "../rpc/client";
import { readScore, type ScoreResult } from "./answers";
import type { Mode } from "./selection";
import { batch, effect, type ReadonlySignal, type Signal, signal } from "./signal";

const PAUSE_MS = 120;
// Another tab of the same kernel asked in between: its answer usually comes through the trait before this.
const SUPERSEDED_PAUSE_MS = 600;

export interface Question {
  readonly key: string;
  readonly run: string;
  readonly cells: readonly number[];
  readonly mode: Mode;
}

/**
 * none: no picture yet; asking; known; unknown: no kernel to ask; failed: see message. `result` is the last
 * answer of this run: it belongs to `key` when the state is known, to an earlier selection otherwise.
 */
export interface Scores {
  readonly state: "none" | "asking" | "known" | "unknown" | "failed";
  readonly key: string;
  readonly result: ScoreResult | null;
  readonly message: string;
}

export interface Desk {
  readonly question: ReadonlySignal<Question | null>;
  /** whether there is a kernel to ask */
  readonly online: ReadonlySignal<boolean>;
  /** an answer that is at hand; a reactive read */
  lookUp(key: string): ScoreResult | null;
  ask(question: Question, abort: AbortSignal): Promise<unknown>;
}

export class ScoreKeeper {
  readonly #desk: Desk;
  readonly #scores: Signal<Scores> = signal({ state: "none", key: "", result: null, message: "" });
  readonly #end: () => void;
  #run = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #open: { readonly question: Question; readonly abort: AbortController } | undefined;

  readonly scores: ReadonlySignal<Scores> = this.#scores;

  constructor(desk: Desk) {
    this.#desk = desk;
    this.#end = effect(() => {
      this.#consider(desk.question.value, desk.online.value);
      return undefined;
    });
  }

  close(): void {
    this.#end();
    this.#drop();
  }

  #consider(question: Question | null, online: boolean): void {
    if (question === null) {
      this.#drop();
      this.#show("none", "", "", null);
      return;
    }
    const earlier = question.run === this.#run ? this.#scores.peek().result : null;
    this.#run = question.run;
    const found = this.#desk.lookUp(question.key);
    if (found !== null || !online) {
      this.#drop();
      this.#show(found === null ? "unknown" : "known", question.key, "", found ?? earlier);
    } else if (this.#open?.question !== question) {
      this.#show("asking", question.key, "", earlier);
      this.#askAfter(PAUSE_MS, question);
    }
  }

  #show(state: Scores["state"], key: string, message: string, result: ScoreResult | null): void {
    this.#scores.value = { state, key, result, message };
  }

  #askAfter(pause: number, question: Question): void {
    clearTimeout(this.#timer);
    // In one batch, so that "a question waits" does not blink while the old one makes room.
    this.#timer = setTimeout(() => batch(() => this.#ask(question)), pause);
  }

  #ask(question: Question): void {
    this.#drop();
    const abort = new AbortController();
    this.#open = { question, abort };
    this.#desk.ask(question, abort.signal).then(
      (answer) => this.#accept(question, readScore(answer)),
      (error: unknown) => this.#refuse(question, error),
    );
  }

  #accept(question: Question, result: ScoreResult | null): void {
    if (!this.#settle(question)) return;
    if (result?.key === question.key) this.#show("known", question.key, "", result);
    else this.#fail(question, "The kernel's answer could not be read.");
  }

  #refuse(question: Question, error: unknown): void {
    if (!this.#settle(question)) return;
    const code = error instanceof RpcError ? error.code : "";
    if (code === "superseded" || code === "cancelled") this.#askAfter(SUPERSEDED_PAUSE_MS, question);
    else if (code === "closed") this.#show("unknown", question.key, "", this.#scores.peek().result);
    else this.#fail(question, error instanceof Error ? error.message : String(error));
  }

  /** Closes the open question; false when somebody has moved on since. */
  #settle(question: Question): boolean {
    if (this.#open?.question !== question) return false;
    this.#open = undefined;
    return this.#desk.question.peek() === question;
  }

  #fail(question: Question, message: string): void {
    this.#show("failed", question.key, message, this.#scores.peek().result);
  }

  #drop(): void {
    clearTimeout(this.#timer);
    const open = this.#open;
    this.#open = undefined;
    open?.abort.abort();
  }
}
