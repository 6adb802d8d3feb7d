/**
 * Requests to the kernel over custom messages: each with an id and a client id, and one response or error back.
 * Nothing times out here: a kernel that runs a long cell responds when the cell ends.
 */
import { type ReadonlySignal, type Signal, signal } from "../reactive/signal";
import { textOr } from "./untrusted";

/** Why a request got no result; `code` is for programs, `message` for people. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly code: string;
  /** where in the kernel's program it came from; empty where that is of no interest */
  readonly details: string;

  constructor(code: string, message: string, details = "") {
    super(message);
    this.code = code;
    this.details = details;
  }
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: RpcError): void;
}

export class RpcClient {
  /** Distinguishes this front end from other tabs of the same kernel. */
  readonly client: string;
  readonly #send: (content: object) => void;
  readonly #requests = new Map<string, Pending>();
  readonly #pending: Signal<number> = signal(0);
  #count = 0;
  #closed: RpcError | undefined;

  constructor(send: (content: object) => void) {
    this.#send = send;
    this.client = randomId();
  }

  /** Requests without a response. */
  get pending(): ReadonlySignal<number> {
    return this.#pending;
  }

  /** Sends a request; rejects with an RpcError, code "cancelled" when `abort` fires and "closed" after close(). */
  request(method: string, params: object, abort?: AbortSignal): Promise<unknown> {
    if (this.#closed) return Promise.reject(this.#closed);
    if (abort?.aborted) return Promise.reject(new RpcError("cancelled", `${method} was cancelled`));
    const id = String(++this.#count);
    return new Promise((resolve, reject) => {
      const cancel = (): void => {
        if (!this.#take(id)) return;
        reject(new RpcError("cancelled", `${method} was cancelled`));
        this.#send({ t: "cancel", id, client: this.client });
      };
      const done = (): void => abort?.removeEventListener("abort", cancel);
      this.#requests.set(id, {
        resolve: (result) => {
          done();
          resolve(result);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      });
      this.#pending.value = this.#requests.size;
      abort?.addEventListener("abort", cancel);
      this.#send({ t: "req", id, client: this.client, method, params });
    });
  }

  /** Takes a response, of which bytes are the result where there are some; false when the message is none, or not for this client. */
  receive(content: unknown, buffers: readonly DataView[] = []): boolean {
    if (typeof content !== "object" || content === null) return false;
    const { t, id, client, result, code, message, details } = content as Record<string, unknown>;
    if ((t !== "res" && t !== "err") || client !== this.client) return false;
    const request = this.#take(String(id));
    // A response that crossed a cancel on its way: its request is closed.
    if (request === undefined) return true;
    if (t === "res") request.resolve(buffers[0] ?? result);
    else
      request.reject(
        new RpcError(
          textOr(code, "model_error"),
          textOr(message, "the kernel gave no reason"),
          textOr(details, ""),
        ),
      );
    return true;
  }

  /** Rejects what is pending, and every later request. */
  close(message = "the widget is closed"): void {
    if (this.#closed) return;
    this.#closed = new RpcError("closed", message);
    this.fail(this.#closed);
  }

  /** Rejects what is pending; later requests may succeed again. */
  fail(error: RpcError): void {
    for (const id of [...this.#requests.keys()]) this.#take(id)?.reject(error);
  }

  #take(id: string): Pending | undefined {
    const request = this.#requests.get(id);
    this.#requests.delete(id);
    this.#pending.value = this.#requests.size;
    return request;
  }
}

/** 128 random bits; crypto.randomUUID is missing on pages served without TLS. */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
