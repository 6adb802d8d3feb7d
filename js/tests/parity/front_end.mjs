// The front end's own functions for a script: `source` exports them, with paths from js.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

export async function frontEnd(source) {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: fileURLToPath(new URL("../..", import.meta.url)) },
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
  });
  const code = Buffer.from(outputFiles[0].contents).toString("base64");
  return await import(`data:text/javascript;base64,${code}`);
}
