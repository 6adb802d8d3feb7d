// Builds the three files the Python package ships. `node build.mjs --watch` rebuilds on every change.
import { mkdir, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { context } from "esbuild";

const WIDGET_LIMIT = 130_000;
const root = fileURLToPath(new URL(".", import.meta.url));
const output = fileURLToPath(new URL("../wcam_widget/show/static/", import.meta.url));

const shared = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  // Names of our own that never leave the bundle: no trait, message or header of a frame has them.
  mangleProps:
    /^(attribution|pictureHeight|pictureWidth|cellCount|namesAbove|connection|repaint|topLine|cancelDrags?|orientation|settled|ticked|zoomed|coefficients|curve|outdated|comparable|paired|announcer|noteActivity|sendHello)$/,
  logLevel: "warning",
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
