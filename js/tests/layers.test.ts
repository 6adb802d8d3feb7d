/** The linter holds imports to one direction, and finds circles, also those of types. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const BIOME = join(ROOT, "node_modules/.bin/biome");
/** Lowest first; folders of one row may not import from each other. */
const LAYERS = [
  ["reactive"],
  ["transport", "frame"],
  ["wavelet", "picture", "network"],
  ["state", "draw"],
  ["a11y"],
  ["panes"],
];
const FOLDERS = LAYERS.flat();

interface Diagnostic {
  readonly category: string;
  readonly location: { readonly path: string };
}

const project = mkdtempSync(join(tmpdir(), "layers-"));
afterAll(() => rmSync(project, { recursive: true }));

/** The files of the scratch project in which a rule found something. */
let refused: (rule: string) => string[];

beforeAll(async () => {
  for (const part of ["biome.json", "lint"])
    cpSync(join(ROOT, part), join(project, part), { recursive: true });
  const write = (path: string, text: string): void => writeFileSync(join(project, "src", path), text);
  for (const from of FOLDERS) {
    mkdirSync(join(project, "src", from), { recursive: true });
    for (const to of FOLDERS.filter((other) => other !== from)) {
      write(`${from}/from_${to}.ts`, `import type { A } from "../${to}/a";\n\nexport type B = A;\n`);
    }
  }
  write("picture/one.ts", 'import type { Two } from "./two";\n\nexport type One = Two;\n');
  write("picture/two.ts", 'import type { One } from "./one";\n\nexport type Two = One;\n');
  const lint = promisify(execFile)(BIOME, ["lint", "--reporter=json", "--max-diagnostics=none", "."], {
    cwd: project,
  });
  const { stdout } = await lint.catch((failed: { stdout: string }) => failed);
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: Diagnostic[] };
  refused = (rule) =>
    diagnostics.filter(({ category }) => category === rule).map(({ location }) => location.path);
});

it("places every folder of sources in a layer", () => {
  const folders = readdirSync(join(ROOT, "src"), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  expect(folders.map(({ name }) => name).sort()).toEqual([...FOLDERS, "style"].sort());
});

it("refuses imports from the same and from higher layers, and no others", () => {
  const rank = (folder: string): number => LAYERS.findIndex((row) => row.includes(folder));
  const expected = FOLDERS.flatMap((from) =>
    FOLDERS.filter((to) => to !== from && rank(to) >= rank(from)).map((to) => `src/${from}/from_${to}.ts`),
  );
  expect(refused("lint/style/noRestrictedImports").sort()).toEqual(expected.sort());
});

it("refuses circles, also of types", () => {
  expect(refused("lint/suspicious/noImportCycles").sort()).toEqual([
    "src/picture/one.ts",
    "src/picture/two.ts",
  ]);
});
