/** The network of a saved page: it answers requests for scores as a kernel would, from a thread of its own. */
import { decodeFrame } from "./frame/frame";
import { type Picture, readPicture } from "./frame/picture";
import { textOf } from "./network/plan";
import { type Answers, answerOf, differenceOf, readAnswers } from "./page_scores";
import { canonical, keptCells, type Mode, questionKey } from "./state/selection";
import type { KernelSide, State, Transport } from "./transport/model";
import { asObject, numberOr, textOr } from "./transport/untrusted";
import { Rebuilder } from "./wavelet/inverse";

const REMEDY = "single bands have scores without it";

interface Request {
  readonly id: unknown;
  readonly client: unknown;
  readonly params: Record<string, unknown>;
}

interface Scored {
  readonly numbers: Float32Array;
  readonly milliseconds: number;
}

/** A kernel that knows one method, "score", and works on the latest request alone. */
export class PageNetwork implements Transport {
  readonly #picture: Picture;
  readonly #rebuilder: Rebuilder;
  readonly #network: Promise<readonly [WorkerNetwork, Answers]>;
  #known: Record<string, unknown>;
  #page: KernelSide | undefined;
  #next: Request | undefined;
  #working = false;

  /** `code` is that of the thread, `frame` holds the network. */
  constructor(state: State, code: string, frame: Promise<ArrayBuffer>) {
    this.#picture = readPicture(decodeFrame(state["_picture"] as DataView));
    this.#rebuilder = new Rebuilder(this.#picture);
    this.#known = asObject(state["_known"]);
    this.#network = this.#start(code, frame);
    this.#network.catch(() => undefined); // told to whoever asks
  }

  connect(page: KernelSide): void {
    this.#page = page;
  }

  save(): void {
    // A host calls it for a kernel only.
  }

  send(content: unknown): void {
    const { t, id, client, method, params } = asObject(content);
    if (t === "cancel" && this.#next?.id === id) this.#next = undefined;
    if (t !== "req") return;
    const request = { id, client, params: asObject(params) };
    if (method === "score") {
      this.#next = request;
      void this.#work();
    } else this.#refuse(request, "a saved page has no kernel");
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    while (this.#next !== undefined) {
      const request = this.#next;
      this.#next = undefined;
      try {
        await this.#answer(request);
      } catch (error) {
        this.#refuse(
          request,
          `this browser does not run the page's network (${messageOf(error)}): ${REMEDY}`,
        );
      }
    }
    this.#working = false;
  }

  async #answer({ id, client, params }: Request): Promise<void> {
    const { selection } = params;
    const cells = canonical(Array.isArray(selection) ? selection : []);
    const mode: Mode = params["mode"] === "remove" ? "remove" : "keep";
    const key = questionKey(cells, mode);
    const [network, answers] = await this.#network;
    const image = this.#image(keptCells(cells, mode, this.#picture.cellCount), answers);
    const { numbers, milliseconds } = await network.score(image);
    const result = answerOf(answers, key, numbers, milliseconds);
    this.#known = { ...this.#known, [key]: result };
    this.#page?.update({ _known: this.#known });
    this.#page?.message({ t: "res", id, client, result: null });
  }

  #image(kept: Uint8Array, { clip }: Answers): Float32Array {
    const image = this.#rebuilder.rebuild(kept).slice();
    return clip ? image.map((value) => Math.min(1, Math.max(0, value))) : image;
  }

  #refuse({ id, client }: Request, message: string): void {
    this.#page?.message({ t: "err", id, client, code: "page", message });
  }

  /** Starts the thread, and asks it for the image itself, of which the page has torch's scores. */
  async #start(code: string, bytes: Promise<ArrayBuffer>): Promise<readonly [WorkerNetwork, Answers]> {
    const buffer = await bytes;
    const answers = readAnswers(textOf(decodeFrame(buffer), "answers"));
    const network = new WorkerNetwork(code);
    await network.load(buffer);
    const image = this.#image(keptCells([], "keep", this.#picture.cellCount), answers);
    const difference = differenceOf(answers, (await network.score(image)).numbers);
    if (difference > 1) throw new Error("its scores of the image are not those of the model");
    return [network, answers];
  }
}

/** A worker that runs a network; its messages are in js/src/network/worker.ts. */
class WorkerNetwork {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, (answer: Record<string, unknown>) => void>();
  #count = 0;

  constructor(code: string) {
    const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    this.#worker = new Worker(address);
    this.#worker.addEventListener("message", ({ data }) => this.#settle(asObject(data)));
    this.#worker.addEventListener("error", ({ message }) => {
      for (const id of [...this.#waiting.keys()])
        this.#settle({ id, error: message || "no thread may start" });
    });
  }

  async load(network: ArrayBuffer): Promise<void> {
    await this.#request({ network }, [network]);
  }

  async score(image: Float32Array): Promise<Scored> {
    const { scores, milliseconds } = await this.#request({ image }, [image.buffer as ArrayBuffer]);
    if (!(scores instanceof Float32Array)) throw new Error("it gave no scores");
    return { numbers: scores, milliseconds: numberOr(milliseconds, 0) };
  }

  #request(content: object, transfer: Transferable[]): Promise<Record<string, unknown>> {
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, (answer) => {
        if (answer["error"] === undefined) resolve(answer);
        else reject(new Error(textOr(answer["error"], "it failed")));
      });
      this.#worker.postMessage({ id, ...content }, transfer);
    });
  }

  #settle(answer: Record<string, unknown>): void {
    const id = Number(answer["id"]);
    const settle = this.#waiting.get(id);
    this.#waiting.delete(id);
    settle?.(answer);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
