/** The network of a saved page in a thread of its own: a page starts this from text that stands in it. */
import { decodeFrame } from "../frame/frame";
import { Runner } from "./runner";

let runner: Runner | undefined;

globalThis.addEventListener("message", ({ data }: MessageEvent) => {
  const id: unknown = data["id"];
  try {
    if (data["network"] !== undefined) {
      runner = new Runner(decodeFrame(data["network"]));
      postMessage({ id });
    } else {
      const started = performance.now();
      const scores = runner?.run(data["image"])?.slice();
      postMessage({ id, scores, milliseconds: performance.now() - started });
    }
  } catch (error) {
    postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
