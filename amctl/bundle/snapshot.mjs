// Runs in Node: takes the memory image of a Python that has imported everything, or tries one out.
// Usage: node snapshot.mjs ORDER.json
import nodeCrypto from "node:crypto";
import fs from "node:fs";
import { pathToFileURL } from "node:url";

const order = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const { loadPyodide } = await import(pathToFileURL(`${order.pyodide}/pyodide.mjs`));
// `_` would be this script's path
const env = { HOME: "/home/pyodide", _: "python" };
const options = { indexURL: order.pyodide, stdLibURL: order.stdlib, lockFileContents: JSON.stringify(order.lock), env };
const place = (python) => python.FS.writeFile("/lib/amctl-app.zip", fs.readFileSync(order.app));

/** Without chance and time the same sources make the same image, byte for byte. */
function standStill() {
  let seed = 1;
  const fill = (view) => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    for (let at = 0; at < bytes.length; at++) {
      seed = Math.imul(seed, 1103515245) + 12345 >>> 0;
      bytes[at] = seed >>> 16;
    }
    return view;
  };
  nodeCrypto.randomFillSync = fill;
  globalThis.crypto.getRandomValues = fill;
  Math.random = () => 0.5;
  Date.now = () => 1577836800000;
  performance.now = () => 1;
}

async function take({ inside, key, entry, names, target }) {
  standStill();
  const python = await loadPyodide({ ...options, _makeSnapshot: true });
  place(python);
  python.FS.mkdir("/image");
  python.FS.writeFile("/image/amctl_image.py", fs.readFileSync(inside));
  python.globals.set("told", JSON.stringify({ key, entry, names }));
  python.runPython(`
import sys
sys.dont_write_bytecode = True
sys.path[:0] = ["/lib/amctl-app.zip", "/image"]
import amctl_image, json
sys.path.remove("/image")
sys.dont_write_bytecode = False
amctl_image.prepare(**json.loads(told))
del sys, amctl_image, json, told
`);
  fs.writeFileSync(target, python.makeMemorySnapshot());
}

/** An image that doesn't wake up here wouldn't there. */
async function tryOut({ image, web, key, version, entry }) {
  const { restoring } = await import(pathToFileURL(`${web}/snapshot.js`));
  const { default: factory } = await import(pathToFileURL(`${order.pyodide}/pyodide.asm.mjs`));
  const bytes = new Uint8Array(fs.readFileSync(image));
  const python = await loadPyodide({ ...options, ...restoring(bytes, { key, version }, factory) });
  place(python);
  if (python.pyimport("amctl_image").restored() !== key) throw new Error("another image woke up");
  python.pyimport(entry);
  python.pyimport("colorsys");                   // from the zip, which the image finds again
}

try {
  await (order.image ? tryOut(order) : take(order));
} catch (error) {
  // a Python error's message is its traceback; Node would print a page of Pyodide's source before it
  console.error(error?.message ?? error);
  process.exit(1);
}
process.exit(0);
