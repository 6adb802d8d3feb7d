import { expect, it } from "vitest";
import { Kernel } from "../kernel";
import { bytesOf, layersParts, viewOf } from "../samples";

const layers = (run?: string, main?: boolean): DataView => viewOf(bytesOf(layersParts(run, main)));
const options = ({ session }: Kernel): [string, string][] =>
  session.layers.options.value.map(({ name, label }) => [name, label]);

it("offers the map of the cells first, then the layers", () => {
  const kernel = new Kernel({ _layers: layers() });
  expect(options(kernel)).toEqual([
    ["", "Sobol(rows=16, seed=0)"],
    ["Grad", "Grad"],
    ["Signed", "Signed"],
  ]);
  expect(kernel.session.layers.shown.value).toBeNull();
  kernel.session.layers.choose("Signed");
  expect(kernel.session.layers.shown.value).toMatchObject({ name: "Signed", signed: true });
});

it("puts a run's own map in the place of that of the cells", () => {
  const kernel = new Kernel({ _layers: layers("r1", true) });
  expect(options(kernel)).toEqual([
    ["", "Grad"],
    ["Signed", "Signed"],
  ]);
  expect(kernel.session.layers.shown.value?.name).toBe("Grad");
});

it("says what is partial and what failed", () => {
  const parts = layersParts();
  const [first, second] = parts.header["layers"] as object[];
  Object.assign(first ?? {}, { complete: false });
  Object.assign(second ?? {}, { error: "ValueError: no" });
  expect(options(new Kernel({ _layers: viewOf(bytesOf(parts)) })).map(([, label]) => label)).toEqual([
    "Sobol(rows=16, seed=0)",
    "Grad (partial)",
    "Signed (failed)",
  ]);
});

it("knows no layers of another run or another image, and no layer of another name", () => {
  const kernel = new Kernel({ _layers: layers("r2"), layer: "Grad" });
  expect([options(kernel).length, kernel.session.layers.shown.value]).toEqual([1, null]);
  kernel.host.update({ _layers: layers("r1") });
  expect(kernel.session.layers.shown.value?.name).toBe("Grad");
  kernel.host.update({ layer: "Gone" });
  expect(kernel.session.layers.shown.value).toBeNull();
  kernel.host.update({ layer: 3 });
  expect(kernel.session.layers.shown.value).toBeNull();
});

it("names what cannot be read, and keeps what was", () => {
  const kernel = new Kernel({ _layers: layers(), layer: "Grad" });
  kernel.host.update({ _layers: new DataView(new ArrayBuffer(12)) });
  expect(kernel.session.error.value).toBe("a frame starts with WCF1");
  expect(kernel.session.layers.shown.value?.name).toBe("Grad");
});
