/** Whether there is a kernel behind the widget, and whether it answers. */
import type { MessageHandler, Model } from "../host/afm";
import { RpcClient, RpcError } from "../rpc/client";
import { asObject } from "./answers";
import { Heartbeat } from "./heartbeat";
import { computed, effect, type ReadonlySignal, type Signal, signal } from "./signal";

/**
 * connecting: nothing heard yet; live; busy: heard of, but a question waits; lost: it was there and is gone;
 * static: a saved page.
 */
export type ConnectionState = "connecting" | "live" | "busy" | "lost" | "static";

/** The class that Jupyter's widget manager, and our own host, put on views whose model has no kernel. */
export const DISCONNECTED_CLASS = "jupyter-widgets-disconnected";

const PROTOCOL = 1;
const BUSY_AFTER_MS = 1000;

export interface Held {
  readonly run: string;
  readonly rev: number;
}

export class Connection {
  readonly rpc: RpcClient;
  readonly #model: Model;
  readonly #held: () => Held;
  readonly #acknowledged: Signal<boolean> = signal(false);
  readonly #heard: Signal<boolean> = signal(false);
  readonly #slow: Signal<boolean> = signal(false);
  readonly #gone: Signal<boolean> = signal(false);
  readonly #closed: Signal<boolean> = signal(false);
  readonly #everLive: Signal<boolean> = signal(false);
  readonly #views = new Set<HTMLElement>();
  readonly #heart: Heartbeat;
  readonly #ends: (() => void)[];
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly state: ReadonlySignal<ConnectionState> = computed(() => {
    if (this.#closed.value || this.#heart.silent.value) return "lost";
    if (this.#gone.value) return this.#everLive.value ? "lost" : "static";
    // A run that streams while nobody greets back: the kernel works through a long cell.
    if (!this.#acknowledged.value) return this.#heard.value ? "busy" : "connecting";
    return this.#slow.value ? "busy" : "live";
  });

  /** `held` tells which frame this front end has, so that the kernel sends another only when it is newer. */
  constructor(model: Model, held: () => Held) {
    this.#model = model;
    this.#held = held;
    this.rpc = new RpcClient((content) => model.send(content));
    this.#heart = new Heartbeat(() => model.send({ t: "here", client: this.rpc.client }));
    model.on("msg:custom", this.#receive);
    const waiting = computed(() => this.rpc.pending.value > 0);
    this.#ends = [
      effect(() => {
        if (waiting.value) this.#arm();
        else this.#calm();
        return undefined;
      }),
      effect(() => {
        // What a kernel that is gone was asked, nobody will answer.
        if (this.#heart.silent.value) this.rpc.fail(new RpcError("gone", "the kernel is gone"));
        return undefined;
      }),
    ];
  }

  /** Greets the kernel. */
  greet(): void {
    this.#acknowledged.value = false;
    this.#heard.value = false;
    this.#model.send({ t: "hello", client: this.rpc.client, proto: PROTOCOL, have: this.#held() });
  }

  /** To be called when the kernel changed a trait: what it does for all, it does also while it greets nobody. */
  hear(): void {
    this.#live();
    this.#heard.value = true;
    this.#everLive.value = true;
  }

  /** Watches a view for the class that says there is no kernel; returns the end of it. */
  attach(el: HTMLElement): () => void {
    const observer = new MutationObserver(() => this.#look());
    for (let node: Element | null = el; node !== null; node = parentOf(node)) {
      observer.observe(node, { attributes: true, attributeFilter: ["class"] });
    }
    this.#views.add(el);
    const endHeart = this.#heart.attach();
    this.#look();
    return () => {
      observer.disconnect();
      endHeart();
      this.#views.delete(el);
    };
  }

  close(): void {
    for (const end of this.#ends) end();
    this.#heart.close();
    this.#calm();
    this.#model.off("msg:custom", this.#receive);
    this.rpc.close();
  }

  readonly #receive: MessageHandler = (content) => {
    const { t, client, next } = asObject(content);
    if (t === "bye") return this.#farewell();
    this.#live();
    if (t === "beat") {
      this.#heart.beat(next);
      this.hear();
    } else if (t === "hello-ack" && client === this.rpc.client) {
      this.#acknowledged.value = true;
      this.#everLive.value = true;
    } else if (this.rpc.receive(content)) {
      this.#calm();
      if (this.rpc.pending.peek() > 0) this.#arm();
    }
  };

  /** A sign of life, whoever it is for; greets a kernel that is back. */
  #live(): void {
    const back = this.#heart.silent.peek();
    this.#heart.hear();
    if (back) this.greet();
  }

  #farewell(): void {
    this.#closed.value = true;
    this.rpc.close("the widget was closed in Python");
  }

  #look(): void {
    const gone = [...this.#views].some(isDisconnected);
    if (gone === this.#gone.peek()) return;
    this.#gone.value = gone;
    if (!gone) this.greet();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#slow.value = true;
    }, BUSY_AFTER_MS);
  }

  #calm(): void {
    clearTimeout(this.#timer);
    this.#slow.value = false;
  }
}

function isDisconnected(el: HTMLElement): boolean {
  for (let node: Element | null = el; node !== null; node = parentOf(node)) {
    if (node.classList.contains(DISCONNECTED_CLASS)) return true;
  }
  return false;
}

/** The parent, or the host of the shadow root the element stands in. */
function parentOf(node: Element): Element | null {
  if (node.parentElement !== null) return node.parentElement;
  const root = node.getRootNode();
  return root instanceof ShadowRoot ? root.host : null;
}
