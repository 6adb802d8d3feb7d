import { beforeEach, describe, expect, it, vi } from "vitest";
import { RpcClient } from "../../src/transport/rpc";

interface Sent {
  t: string;
  id: string;
  client: string;
  method?: string;
  params?: unknown;
}

let sent: Sent[];
let rpc: RpcClient;
const last = (): Sent => sent[sent.length - 1] as Sent;
const answer = (question: Sent, content: object): boolean =>
  rpc.receive({ t: "res", id: question.id, client: question.client, ...content });

beforeEach(() => {
  sent = [];
  rpc = new RpcClient((content) => sent.push(content as Sent));
});

describe("RpcClient", () => {
  it("asks with an id and its own name, and resolves with the result", async () => {
    const response = rpc.request("score", { selection: [1] });
    expect(last()).toMatchObject({
      t: "req",
      method: "score",
      params: { selection: [1] },
      client: rpc.client,
    });
    expect(answer(last(), { result: { key: "all" } })).toBe(true);
    await expect(response).resolves.toEqual({ key: "all" });
    expect(rpc.pending.value).toBe(0);
  });

  it("matches answers to questions in any order", async () => {
    const [first, second] = [rpc.request("score", {}), rpc.request("stop", {})];
    const [one, two] = sent as [Sent, Sent];
    answer(two, { result: 2 });
    answer(one, { result: 1 });
    expect(await Promise.all([first, second])).toEqual([1, 2]);
  });

  it("rejects with the kernel's code and words", async () => {
    const response = rpc.request("score", {});
    answer(last(), { t: "err", code: "model_error", message: "CUDA out of memory" });
    await expect(response).rejects.toMatchObject({ code: "model_error", message: "CUDA out of memory" });
  });

  it("gives an error without words some", async () => {
    const response = rpc.request("score", {});
    answer(last(), { t: "err", code: 7 });
    await expect(response).rejects.toMatchObject({
      code: "model_error",
      message: "the kernel gave no reason",
    });
  });

  it("leaves alone what is for another client, and what is no answer", async () => {
    const response = rpc.request("score", {});
    expect(answer({ ...last(), client: "another tab" }, { result: "wrong" })).toBe(false);
    for (const junk of [null, 3, "res", {}, { t: "hello-ack", client: rpc.client }]) {
      expect(rpc.receive(junk)).toBe(false);
    }
    expect(rpc.pending.value).toBe(1);
    answer(last(), { result: "right" });
    await expect(response).resolves.toBe("right");
  });

  it("has a name of its own", () => {
    expect(new RpcClient(() => undefined).client).not.toBe(rpc.client);
  });

  it("tells the kernel when a question is cancelled, and ignores the late answer", async () => {
    const abort = new AbortController();
    const response = rpc.request("score", {}, abort.signal);
    const question = last();
    abort.abort();
    expect(last()).toEqual({ t: "cancel", id: question.id, client: rpc.client });
    await expect(response).rejects.toMatchObject({ code: "cancelled" });
    expect(answer(question, { result: "late" })).toBe(true);
  });

  it("does not ask at all when it was cancelled before", async () => {
    await expect(rpc.request("score", {}, AbortSignal.abort())).rejects.toMatchObject({ code: "cancelled" });
    expect(sent).toEqual([]);
  });

  it("sends no cancel for a question that was answered, and lets go of the signal", async () => {
    const abort = new AbortController();
    const removed = vi.spyOn(abort.signal, "removeEventListener");
    const response = rpc.request("score", {}, abort.signal);
    answer(last(), { result: 1 });
    await response;
    abort.abort();
    expect(sent).toHaveLength(1);
    expect(removed).toHaveBeenCalledTimes(1);
  });

  it("rejects open and later questions once it is closed", async () => {
    const response = rpc.request("score", {});
    rpc.close();
    await expect(response).rejects.toMatchObject({ code: "closed" });
    await expect(rpc.request("score", {})).rejects.toMatchObject({ code: "closed" });
    expect([sent.length, rpc.pending.value]).toEqual([1, 0]);
  });
});
