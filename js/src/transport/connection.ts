/** Whether there is a kernel behind the widget, and whether it responds. */
import { computed, effect, type ReadonlySignal, type Signal, signal } from "../reactive/signal";
import type { MessageHandler, Model } from "./afm";
import { ancestorsOf } from "./ancestors";
import { Heartbeat } from "./heartbeat";
import { RpcClient, RpcError } from "./rpc";
import { asObject } from "./untrusted";

/**
 * connecting: no message yet; live; busy: there are messages, but a request waits; lost: it was there and is gone;
 * static: a saved page.
 */
export type ConnectionState = "connecting" | "live" | "busy" | "lost" | "static";

/** Whether requests may get a response. */
export function isReachable(state: ConnectionState): boolean {
  return state !== "static" && state !== "lost";
}

/** The class that Jupyter's widget manager, and our own host, put on views whose model has no kernel. */
export const DISCONNECTED_CLASS = "jupyter-widgets-disconnected";

/** The version of traits and messages; a test compares it with wcam_widget/show/traits.py. */
export const PROTOCOL = 1;
const BUSY_AFTER_MS = 1000;

/** Which frame a front end has. */
export interface FrameVersion {
  readonly run: string;
  readonly rev: number;
}

export class Connection {
  readonly rpc: RpcClient;
  readonly #model: Model;
  readonly #version: () => FrameVersion;
  readonly #acknowledged: Signal<boolean> = signal(false);
  readonly #active: Signal<boolean> = signal(false);
  readonly #slow: Signal<boolean> = signal(false);
  readonly #gone: Signal<boolean> = signal(false);
  readonly #closed: Signal<boolean> = signal(false);
  readonly #everLive: Signal<boolean> = signal(false);
  readonly #views = new Set<HTMLElement>();
  readonly #heartbeat: Heartbeat;
  readonly #ends: (() => void)[];
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly state: ReadonlySignal<ConnectionState> = computed(() => {
    if (this.#closed.value || this.#heartbeat.silent.value) return "lost";
    if (this.#gone.value) return this.#everLive.value ? "lost" : "static";
    // A run that streams while "hello" is not acknowledged: the kernel works through a long cell.
    if (!this.#acknowledged.value) return this.#active.value ? "busy" : "connecting";
    return this.#slow.value ? "busy" : "live";
  });

  /** `version` is that of the frame this front end has: the kernel sends another only when it is newer. */
  constructor(model: Model, version: () => FrameVersion) {
    this.#model = model;
    this.#version = version;
    this.rpc = new RpcClient((content) => model.send(content));
    this.#heartbeat = new Heartbeat(() => model.send({ t: "here", client: this.rpc.client }));
    model.on("msg:custom", this.#receive);
    const waiting = computed(() => this.rpc.pending.value > 0);
    this.#ends = [
      effect(() => {
        if (waiting.value) this.#startTimer();
        else this.#stopTimer();
        return undefined;
      }),
      effect(() => {
        // Nobody will respond to the requests of a kernel that is gone.
        if (this.#heartbeat.silent.value) this.rpc.fail(new RpcError("gone", "the kernel is gone"));
        return undefined;
      }),
    ];
  }

  /** Sends "hello": the kernel acknowledges it, and sends frames that are newer. */
  sendHello(): void {
    this.#acknowledged.value = false;
    this.#active.value = false;
    this.#model.send({ t: "hello", client: this.rpc.client, proto: PROTOCOL, have: this.#version() });
  }

  /** To be called when the kernel changed a trait, which it does also before it acknowledges "hello". */
  noteActivity(): void {
    this.#noteMessage();
    this.#active.value = true;
    this.#everLive.value = true;
  }

  /** Watches a view for the class of models without a kernel; returns the end of it. */
  attach(el: HTMLElement): () => void {
    const observer = new MutationObserver(() => this.#checkConnected());
    for (const node of [el, ...ancestorsOf(el)]) {
      observer.observe(node, { attributes: true, attributeFilter: ["class"] });
    }
    this.#views.add(el);
    const endHeartbeat = this.#heartbeat.attach();
    this.#checkConnected();
    return () => {
      observer.disconnect();
      endHeartbeat();
      this.#views.delete(el);
    };
  }

  close(): void {
    for (const end of this.#ends) end();
    this.#heartbeat.close();
    this.#stopTimer();
    this.#model.off("msg:custom", this.#receive);
    this.rpc.close();
  }

  readonly #receive: MessageHandler = (content, buffers) => {
    const { t, client, next } = asObject(content);
    if (t === "bye") return this.#closeByKernel();
    this.#noteMessage();
    if (t === "beat") {
      this.#heartbeat.beat(next);
      this.noteActivity();
    } else if (t === "hello-ack" && client === this.rpc.client) {
      this.#acknowledged.value = true;
      this.#everLive.value = true;
    } else if (this.rpc.receive(content, buffers)) {
      this.#stopTimer();
      if (this.rpc.pending.peek() > 0) this.#startTimer();
    }
  };

  /** A message of any kind, for whichever tab; says "hello" to a kernel that is back. */
  #noteMessage(): void {
    const back = this.#heartbeat.silent.peek();
    this.#heartbeat.noteMessage();
    if (back) this.sendHello();
  }

  #closeByKernel(): void {
    this.#closed.value = true;
    this.rpc.close("the widget was closed in Python");
  }

  #checkConnected(): void {
    const gone = [...this.#views].some(isDisconnected);
    if (gone === this.#gone.peek()) return;
    this.#gone.value = gone;
    if (!gone) this.sendHello();
  }

  #startTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#slow.value = true;
    }, BUSY_AFTER_MS);
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#slow.value = false;
  }
}

function isDisconnected(el: HTMLElement): boolean {
  return [el, ...ancestorsOf(el)].some((node) => node.classList.contains(DISCONNECTED_CLASS));
}
