// Wakes Python up from a memory image instead of starting it. The file's layout: amctl/bundle/sparse.py.
// This rests on private parts of one version of Pyodide: whatever is not as it was throws, and the
// caller starts Python in the usual way.
const MAGIC = 0x4d494d41, FORMAT = 1, HEAD = 24;

function read(bytes, { key, version }) {
  const words = (at, count) => new Uint32Array(bytes.buffer, bytes.byteOffset + at, count);
  if (bytes.length < HEAD) throw new Error("the memory image is cut");
  const [magic, format, start, size, count, length] = words(0, 6);
  if (magic !== MAGIC || format !== FORMAT) throw new Error("the memory image is of another format");
  const runs = words(HEAD, 2 * count), text = HEAD + 8 * count;
  // shared memory can't be decoded where it is
  const told = JSON.parse(new TextDecoder().decode(bytes.slice(text, text + length)));
  if (told.pyodide !== version) throw new Error(`the memory image is of Pyodide ${told.pyodide}, this is ${version}`);
  if (told.key !== key) throw new Error(`the memory image is of another build: ${told.key}, this is ${key}`);
  let end = start;
  for (let run = 1; run < runs.length; run += 2) end += runs[run];
  if (end !== bytes.length) throw new Error("the memory image is cut");
  return { start, size, runs, state: told.state };
}

/**
 * Options with which `loadPyodide` wakes up an image.
 * @param {Uint8Array} bytes the file, in shared memory or not; it is only read
 * @param {{key: string, version: string}} wanted of which build and which Pyodide it must be
 * @param {Function} factory what pyodide.asm.mjs exports
 */
export function restoring(bytes, wanted, factory) {
  const { start, size, runs, state } = read(bytes, wanted);
  const createPyodideModule = async (settings) => {
    settings.INITIAL_MEMORY = size;
    const module = await factory(settings), { API } = settings;
    if (typeof API?.restoreSnapshot !== "function" || !(module.HEAP8?.length >= size)) throw new Error("Pyodide restores no memory images");
    API.restoreSnapshot = () => {
      for (let run = 0, at = start; run < runs.length; at += runs[run + 1], run += 2) {
        module.HEAP8.set(new Int8Array(bytes.buffer, bytes.byteOffset + at, runs[run + 1]), runs[run]);
      }
      return state;
    };
    return module;
  };
  return { _loadSnapshot: new Uint8Array(16), createPyodideModule };
}
