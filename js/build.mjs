// Builds the three files the Python package ships. `node build.mjs --watch` rebuilds on every change.
import { mkdir, readFile, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { context, transform } from "esbuild";

const WIDGET_LIMIT = 130_000;
const root = fileURLToPath(new URL(".", import.meta.url));
const output = fileURLToPath(new URL("../wcam_widget/show/static/", import.meta.url));

/** A sheet that is imported as text is minified as one that stands alone. */
const minifiedSheets = {
  name: "minified sheets",
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, async ({ path, with: attributes }) => {
      if (attributes.type !== "text") return undefined;
      const sheet = await readFile(path, "utf8");
      const { code } = await transform(sheet, { loader: "css", minify: true, target: shared.target });
      return { contents: code, loader: "text" };
    });
  },
};

const shared = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
  plugins: [minifiedSheets],
};

const targets = [
  { ...shared, entryPoints: ["src/widget.ts"], outfile: `${output}widget.js`, format: "esm" },
  { ...shared, entryPoints: ["src/standalone.ts"], outfile: `${output}standalone.js`, format: "iife" },
  { ...shared, entryPoints: ["src/style/widget.css"], outfile: `${output}widget.css` },
];

async function reportSizes() {
  for (const { outfile } of targets) {
    const { size } = await stat(outfile);
    console.log(`${outfile.slice(output.length).padEnd(14)} ${(size / 1000).toFixed(1).padStart(6)} kB`);
    if (outfile.endsWith("widget.js") && size >= WIDGET_LIMIT) {
      throw new Error(`widget.js has ${size} bytes; the limit is ${WIDGET_LIMIT}`);
    }
  }
}

await mkdir(output, { recursive: true });
const contexts = await Promise.all(targets.map((target) => context(target)));
if (process.argv.includes("--watch")) {
  await Promise.all(contexts.map((each) => each.watch()));
} else {
  try {
    await Promise.all(contexts.map((each) => each.rebuild()));
    await reportSizes();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  } finally {
    await Promise.all(contexts.map((each) => each.dispose()));
  }
}
