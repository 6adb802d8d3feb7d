/** A kernel for tests, and the clock they run on. */
import { vi } from "vitest";
import { Session } from "../src/state/session";
import { HostModel, type State } from "../src/transport/model";
import { attributionParts, bytesOf, pictureParts, state, viewOf } from "./samples";

export interface Message {
  t: string;
  id: string;
  client: string;
  method: string;
  params: { selection: number[]; mode: string };
}

/** A kernel that writes down what it gets and answers when a test says so. */
export class Kernel {
  readonly sent: Message[] = [];
  readonly saved: State[] = [];
  readonly host: HostModel;
  readonly session: Session;

  constructor(changes: State = {}) {
    const transport = {
      connect: () => undefined,
      save: (patch: State) => this.saved.push(patch),
      send: (content: unknown) => this.sent.push(content as Message),
    };
    this.host = new HostModel(state(changes), transport, "backbone");
    this.session = new Session(this.host.view());
  }

  messages(t: string): Message[] {
    return this.sent.filter((message) => message.t === t);
  }

  get question(): Message | undefined {
    return this.messages("req").at(-1);
  }

  acknowledge(): void {
    this.host.message({
      t: "hello-ack",
      client: this.messages("hello").at(-1)?.client,
      proto: 1,
      run: "r1",
      rev: 1,
    });
  }

  async answer(result: unknown, question = this.question): Promise<void> {
    this.host.update({ _scores: result });
    this.host.message({ t: "res", id: question?.id, client: question?.client });
    await vi.advanceTimersByTimeAsync(0);
  }

  async refuse(code: string, message = ""): Promise<void> {
    this.host.message({ t: "err", id: this.question?.id, client: this.question?.client, code, message });
    await vi.advanceTimersByTimeAsync(0);
  }
}

export const frame = (run: string, rev: number): DataView => viewOf(bytesOf(attributionParts(run, rev)));
export const picture = (run: string): DataView => viewOf(bytesOf(pictureParts(run)));
export const pause = (ms = 150): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

/** What a page has and node has not: an observer of classes, and shadow roots. */
export class Observer {
  static readonly all: Observer[] = [];
  readonly changed: () => void;
  constructor(changed: () => void) {
    this.changed = changed;
    Observer.all.push(this);
  }
  observe(): void {
    Observer.all.push(this);
  }
  disconnect(): void {
    Observer.all.splice(0, Observer.all.length, ...Observer.all.filter((each) => each !== this));
  }
}

export class Shadow {
  readonly host: unknown;
  constructor(host: unknown) {
    this.host = host;
  }
}

/** An element with these classes, as far as the session looks at one. */
export function place(
  classes: Set<string>,
  parentElement: unknown = null,
  root: unknown = null,
): HTMLElement {
  const classList = { contains: (name: string) => classes.has(name) };
  return { classList, parentElement, getRootNode: () => root } as unknown as HTMLElement;
}

export function stubPage(): void {
  Observer.all.length = 0;
  vi.stubGlobal("MutationObserver", Observer);
  vi.stubGlobal("ShadowRoot", Shadow);
}
