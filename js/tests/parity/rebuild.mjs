// Rebuilds images for a Python test: node rebuild.mjs FOLDER. For every NAME.wcf (a picture frame) and NAME.masks
// (rows of one byte per cell) in the folder it writes NAME.images, the float32 images one after another.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { frontEnd } from "./front_end.mjs";

const source = `
  export { decodeFrame } from "./src/frame/frame";
  export { readPicture } from "./src/frame/picture";
  export { Rebuilder } from "./src/wavelet/inverse";
`;
const { decodeFrame, readPicture, Rebuilder } = await frontEnd(source);

const folder = process.argv[2];
for (const file of readdirSync(folder).filter((name) => name.endsWith(".wcf"))) {
  const path = `${folder}/${file.slice(0, -4)}`;
  const picture = readPicture(decodeFrame(new Uint8Array(readFileSync(`${path}.wcf`))));
  const masks = new Uint8Array(readFileSync(`${path}.masks`));
  const rebuilder = new Rebuilder(picture);
  const images = [];
  for (let at = 0; at < masks.length; at += picture.cellCount) {
    images.push(rebuilder.rebuild(masks.subarray(at, at + picture.cellCount)).slice());
  }
  writeFileSync(`${path}.images`, Buffer.concat(images.map((image) => new Uint8Array(image.buffer))));
}
