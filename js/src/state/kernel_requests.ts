/** What the kernel is asked for now and then; each request rejects with an RpcError. */
import type { RpcClient } from "../transport/rpc";
import { asObject, textOr } from "../transport/untrusted";
import { ClassNames } from "./class_names";

export class KernelRequests {
  readonly #rpc: RpcClient;
  #names: Promise<ClassNames> | undefined;

  constructor(rpc: RpcClient) {
    this.#rpc = rpc;
  }

  /** Explains another class, by itself or rather than `other`. */
  async retarget(classId: number, other: number | null): Promise<void> {
    await this.#rpc.request("target", { class_id: classId, other });
  }

  /** The names of all classes, which the kernel sends once. */
  classNames(): Promise<ClassNames> {
    this.#names ??= this.#rpc.request("names", {}).then(ClassNames.read);
    this.#names.catch(() => {
      this.#names = undefined;
    });
    return this.#names;
  }

  /** What more rows of some cells alone would take, in words; rejects with the reason where there can be none. */
  async price(cells: readonly number[], abort: AbortSignal): Promise<string> {
    return textOr(asObject(await this.#rpc.request("price", { cells }, abort))["words"], "");
  }

  /** The map as the file that Attribution.load reads. */
  async file(): Promise<DataView> {
    const bytes = await this.#rpc.request("file", {});
    if (!(bytes instanceof DataView)) throw new Error("the kernel sent no file");
    return bytes;
  }
}
