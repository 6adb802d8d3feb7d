// Builds the four files the Python package ships. `node build.mjs --watch` rebuilds on every change.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { context } from "esbuild";
import { minify } from "terser";

const WIDGET_LIMIT = 130_000;
const root = fileURLToPath(new URL(".", import.meta.url));
const output = fileURLToPath(new URL("../wcam_widget/show/static/", import.meta.url));

// Names of our own that never leave the bundle: no trait, message or header of a frame has them.
const mangled = JSON.parse(await readFile(`${root}mangled.json`, "utf8"));

// esbuild joins the modules; terser, which looks across statements, makes them a little smaller still.
const smaller = {
  module: true,
  ecma: 2022,
  compress: {
    passes: 3,
    unsafe: true, // built-in constructors and methods do what the language says
    unsafe_arrows: true,
    global_defs: { "@Number.NaN": "NaN", "@Number.POSITIVE_INFINITY": "Infinity" },
  },
  format: { comments: false, ascii_only: true },
};

/** Writes what esbuild made: scripts smaller, and an error where the widget's is too large. */
const write = {
  name: "write",
  setup(build) {
    build.onEnd(async ({ outputFiles }) => {
      for (const { path, text } of outputFiles ?? []) {
        const written = path.endsWith(".js") ? (await minify(text, smaller)).code : text;
        await writeFile(path, written);
        const name = basename(path);
        console.log(`${name.padEnd(14)} ${(written.length / 1000).toFixed(1).padStart(6)} kB`);
        if (name === "widget.js" && written.length >= WIDGET_LIMIT) {
          throw new Error(`widget.js has ${written.length} bytes; the limit is ${WIDGET_LIMIT}`);
        }
      }
    });
  },
};

const shared = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  write: false,
  target: "es2022",
  // ASCII only: a page that says no encoding would read other bytes than its policy has the hash of.
  charset: "ascii",
  legalComments: "none",
  mangleProps: new RegExp(`^(${mangled.join("|")})$`),
  logLevel: "warning",
  plugins: [write],
};

const targets = [
  { ...shared, entryPoints: ["src/widget.ts"], outfile: `${output}widget.js`, format: "esm" },
  { ...shared, entryPoints: ["src/standalone.ts"], outfile: `${output}standalone.js`, format: "iife" },
  { ...shared, entryPoints: ["src/network/worker.ts"], outfile: `${output}network.js`, format: "iife" },
  { ...shared, entryPoints: ["src/style/widget.css"], outfile: `${output}widget.css` },
];

await mkdir(output, { recursive: true });
const contexts = await Promise.all(targets.map((target) => context(target)));
if (process.argv.includes("--watch")) {
  await Promise.all(contexts.map((each) => each.watch()));
} else {
  try {
    await Promise.all(contexts.map((each) => each.rebuild()));
  } catch {
    process.exitCode = 1; // logged by esbuild
  } finally {
    await Promise.all(contexts.map((each) => each.dispose()));
  }
}
