/** A kernel for tests, and the clock they run on. */
import { vi } from "vitest";
import { HostModel, type State } from "../../src/host/model";
import { Session } from "../../src/state/session";
import { attributionParts, bytesOf, pictureParts, state, viewOf } from "../samples";

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

  of(t: string): Message[] {
    return this.sent.filter((message) => message.t === t);
  }

  get question(): Message | undefined {
    return this.of("req").at(-1);
  }

  greet(): void {
    this.host.message({
      t: "hello-ack",
      client: this.of("hello").at(-1)?.client,
      proto: 1,
      run: "r1",
      rev: 1,
    });
  }

  async answer(result: unknown, question = this.question): Promise<void> {
    this.host.message({ t: "res", id: question?.id, client: question?.client, result });
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
