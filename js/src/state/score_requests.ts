/** Requests the scores of the current selection: after a pause, one at a time, the latest wins. */
import { batch, effect, type ReadonlySignal, type Signal, signal } from "../reactive/signal";
import { RpcError } from "../transport/rpc";
import type { ScoreResult } from "./score_result";
import type { Mode } from "./selection";

const PAUSE_MS = 120;
// Another tab of the same kernel sent a request in between: its result usually comes through the trait before this.
const SUPERSEDED_PAUSE_MS = 600;

export interface Question {
  readonly key: string;
  readonly run: string;
  readonly cells: readonly number[];
  readonly mode: Mode;
}

/**
 * none: no picture yet; asking; known; unknown: no kernel to ask; failed: see message. `result` is the last
 * one of this run: it belongs to `key` when the state is known, to an earlier selection otherwise.
 */
export interface Scores {
  readonly state: "none" | "asking" | "known" | "unknown" | "failed";
  readonly key: string;
  readonly result: ScoreResult | null;
  readonly message: string;
  /** where in the kernel's program a failure came from */
  readonly details: string;
}

/** Where questions come from, and where they are sent. */
export interface ScoreSource {
  readonly question: ReadonlySignal<Question | null>;
  /** whether there is a kernel to ask */
  readonly online: ReadonlySignal<boolean>;
  /** a result that needs no request; a reactive read */
  lookUp(key: string): ScoreResult | null;
  /** resolves after the result has come through the trait */
  request(question: Question, abort: AbortSignal): Promise<unknown>;
}

const NO_SCORES: Scores = { state: "none", key: "", result: null, message: "", details: "" };

export class ScoreRequests {
  readonly #source: ScoreSource;
  readonly #scores: Signal<Scores> = signal(NO_SCORES);
  readonly #end: () => void;
  #run = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #open: { readonly question: Question; readonly abort: AbortController } | undefined;

  readonly scores: ReadonlySignal<Scores> = this.#scores;

  constructor(source: ScoreSource) {
    this.#source = source;
    this.#end = effect(() => {
      this.#update(source.question.value, source.online.value);
      return undefined;
    });
  }

  close(): void {
    this.#end();
    this.#cancel();
  }

  #update(question: Question | null, online: boolean): void {
    if (question === null) {
      this.#cancel();
      this.#scores.value = NO_SCORES;
      return;
    }
    const earlier = question.run === this.#run ? this.#scores.peek().result : null;
    this.#run = question.run;
    const known = this.#source.lookUp(question.key);
    if (known !== null || !online) {
      this.#cancel();
      this.#show(known === null ? "unknown" : "known", question.key, known ?? earlier);
    } else if (this.#open?.question !== question) {
      this.#show("asking", question.key, earlier);
      this.#sendAfter(PAUSE_MS, question);
    }
  }

  #show(state: Scores["state"], key: string, result: ScoreResult | null): void {
    this.#scores.value = { ...NO_SCORES, state, key, result };
  }

  #sendAfter(pause: number, question: Question): void {
    clearTimeout(this.#timer);
    // In one batch: no effect sees the moment between the end of the old request and the new one.
    this.#timer = setTimeout(() => batch(() => this.#send(question)), pause);
  }

  #send(question: Question): void {
    this.#cancel();
    const abort = new AbortController();
    this.#open = { question, abort };
    this.#source.request(question, abort.signal).then(
      () => this.#accept(question),
      (error: unknown) => this.#refuse(question, error),
    );
  }

  /** The result came through the trait before this, and was shown then, unless it could not be read. */
  #accept(question: Question): void {
    if (this.#finish(question)) this.#fail(question, "The kernel's answer could not be read.");
  }

  #refuse(question: Question, error: unknown): void {
    if (!this.#finish(question)) return;
    const code = error instanceof RpcError ? error.code : "";
    if (code === "superseded" || code === "cancelled") this.#sendAfter(SUPERSEDED_PAUSE_MS, question);
    else if (code === "closed") this.#show("unknown", question.key, this.#scores.peek().result);
    else {
      const details = error instanceof RpcError ? error.details : "";
      this.#fail(question, error instanceof Error ? error.message : String(error), details);
    }
  }

  /** Ends the open request; false when its question is not the current one any more. */
  #finish(question: Question): boolean {
    if (this.#open?.question !== question) return false;
    this.#open = undefined;
    return this.#source.question.peek() === question;
  }

  #fail(question: Question, message: string, details = ""): void {
    const { result } = this.#scores.peek();
    this.#scores.value = { state: "failed", key: question.key, result, message, details };
  }

  #cancel(): void {
    clearTimeout(this.#timer);
    const open = this.#open;
    this.#open = undefined;
    open?.abort.abort();
  }
}
