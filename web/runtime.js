// What the page and its workers share: fetching the runtime, starting Python, forking threads,
// reporting errors. A thread is one Python; each thread forks the threads below it.
import { restoring } from "./snapshot.js";

export const LABELS = ["Fetching the runtime", "Compiling it", "Starting Python", "Loading the code", "Joining"];
const OF = LABELS.length;
const RESTARTS = 5, RESTART_WINDOW = 60_000;    // of one thread, before it is given up

// --- reports: POST /log, without repeating itself and never a flood
export function reporter(node) {
  const seen = new Map();                        // text -> how often it came again
  let room = 20, since = performance.now(), dropped = 0;
  const post = (level, text) => {
    const now = performance.now();
    room = Math.min(20, room + (now - since) / 500), since = now;
    if (room < 1) { dropped++; return; }
    room--;
    if (dropped) text += `\n(${dropped} reports dropped before this one)`, dropped = 0;
    const body = JSON.stringify({ node, level, text: text.slice(0, 3900) });
    fetch("/log", { method: "POST", body, keepalive: true }).catch(() => {});    // the server is gone
  };
  return (level, text) => {
    text = String(text);
    if (seen.has(text)) { seen.set(text, seen.get(text) + 1); return; }
    if (seen.size >= 50) { dropped++; return; }
    seen.set(text, 0);
    setTimeout(() => {
      const again = seen.get(text);
      seen.delete(text);
      if (again) post(level, `${text}\n(${again} more times in 10 s)`);
    }, 10_000);
    post(level, text);
  };
}
/** An error as text. A Python error's message is its whole traceback, and its stack just WebAssembly. */
export const describe = (error) => error?.name === "PythonError" ? error.message.trim() : error?.stack ? `${error.message && !error.stack.includes(error.message) ? error.message + "\n" : ""}${error.stack}` : String(error?.message ?? error);

/** Send what nobody caught in this thread to `report`. */
export function watchErrors(report) {
  self.addEventListener("error", (event) => {
    const place = event.filename ? ` (${event.filename}:${event.lineno})` : "";
    report("error", (event.error ? describe(event.error) : event.message ?? "a script could not be loaded") + place);
    if (typeof document === "undefined") event.preventDefault();    // else the parent reports it once more
  });
  self.addEventListener("unhandledrejection", (event) => report("error", `nobody awaited: ${describe(event.reason)}`));
}

// --- assets: fetched and compiled once in the page, handed to every thread as they come
const ASSETS = ["module", "snapshot", "stdlib", "app"];

/**
 * Start all downloads; promises by name. `onBytes(done, total)` follows those that threads wait for.
 * `snapshot` is null if there is none that can be used; `noSnapshot(why)` is told then.
 */
export function fetchAssets(bundle, onBytes, noSnapshot) {
  if (bundle.stock) return Object.fromEntries(ASSETS.map((name) => [name, Promise.resolve(null)]));
  let done = 0, total = bundle.wasm.size + (bundle.snapshot?.size ?? 0);
  const count = (n) => onBytes(done += n, total);
  // compiled while it arrives; a stream of ours in between would lose the browser's code cache
  const module = WebAssembly.compileStreaming(fetch(bundle.wasm.url)).then((m) => (count(bundle.wasm.size), m));
  const snapshot = fetchSnapshot(bundle.snapshot, count).catch((error) => {
    noSnapshot(`${bundle.snapshot.url}: ${error?.message ?? error}`);
    return null;
  });
  const rest = async (file) => {                 // with an image, nobody waits for them
    if (await snapshot) return fetchShared(file, () => {});
    total += file.size;
    return fetchShared(file, count);
  };
  return { module, snapshot, stdlib: rest(bundle.stdlib), app: rest(bundle.app) };
}
async function fetchSnapshot(snapshot, count) {
  if (!snapshot) return null;
  // each thread would need a copy
  if (!self.crossOriginIsolated) throw new Error("the page is not cross-origin isolated");
  return fetchShared(snapshot, count);
}
async function fetchShared({ url, size, integrity = "" }, count) {
  const response = await fetch(url, { integrity });
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  // Shared memory costs no copy per thread, but needs an isolated page.
  const bytes = new Uint8Array(self.crossOriginIsolated ? new SharedArrayBuffer(size) : size);
  let at = 0;
  for (const reader = response.body.getReader(); ;) {
    const { value, done } = await reader.read();
    if (done) break;
    bytes.set(value, at);
    at += value.length;
    count(value.length);
  }
  if (at !== size) throw new Error(`${url}: ${at} bytes instead of ${size}`);
  return bytes;
}

/** Promises by name that `give(name, value)` settles: the assets as a worker sees them. */
export function awaitAssets() {
  const assets = {}, settle = {};
  for (const name of ASSETS) assets[name] = new Promise((resolve) => settle[name] = resolve);
  return { assets, give: (name, value) => settle[name](value) };
}

// --- Python
/** What `loadPyodide` is told. */
function options(bundle) {
  const runtime = new URL(bundle.runtime, import.meta.url).href;
  return {
    indexURL: runtime, stdLibURL: new URL(bundle.stdlib.url, import.meta.url).href,
    lockFileContents: JSON.stringify(bundle.lock), packageBaseUrl: runtime,
  };
}

/** Run `load` while what it fetches and compiles comes from `assets`. */
async function withAssets(bundle, assets, load) {
  const { fetch } = self, { instantiateStreaming } = WebAssembly;
  const [wasm, stdlib] = [bundle.wasm.url, bundle.stdlib.url].map((url) => new URL(url, import.meta.url).href);
  const ready = async (bytes) => ({ ok: true, status: 200, arrayBuffer: async () => (await bytes).buffer });
  self.fetch = (url, init) => {
    const href = String(url?.url ?? url);
    if (href === wasm) return Promise.resolve(new Response());
    if (href === stdlib) return ready(assets.stdlib);
    return fetch(url, init);
  };
  let broken;                                    // Pyodide itself would wait for ever then
  const failure = new Promise((_, reject) => broken = reject);
  WebAssembly.instantiateStreaming = async (_, imports) => {
    try {
      const module = await assets.module;
      return { module, instance: await WebAssembly.instantiate(module, imports) };
    } catch (error) {
      broken(error);
      throw error;
    }
  };
  try {
    return await Promise.race([load(), failure]);
  } finally {
    self.fetch = fetch;
    WebAssembly.instantiateStreaming = instantiateStreaming;
  }
}

const APP = "/lib/amctl-app.zip";
const EMPTY_ZIP = Uint8Array.of(0x50, 0x4b, 5, 6, ...new Array(18).fill(0));
const load = (bundle, name) => import(new URL(bundle.runtime + name, import.meta.url));

/** Wake Python up from the memory image; null if there is none, or it can't be done. */
async function wakePython({ bundle, assets, say, report }) {
  if (!bundle.snapshot) return null;
  const scripts = Promise.all([load(bundle, "pyodide.mjs"), load(bundle, "pyodide.asm.mjs")]);
  scripts.catch(() => {});                       // told below, or by the usual start
  const image = await assets.snapshot;
  if (!image) return null;
  try {
    say(2);
    await assets.module;
    say(3);
    const [{ loadPyodide, version }, { default: factory }] = await scripts, { key } = bundle.snapshot;
    const told = { ...options(bundle), ...restoring(image, { key, version }, factory) };
    // its own stdlib comes after it
    const python = await withAssets(bundle, { ...assets, stdlib: EMPTY_ZIP }, () => loadPyodide(told));
    say(4);
    const woken = python.pyimport("amctl_image").restored();
    if (woken !== key) throw new Error(`another memory image woke up: ${woken}`);
    return python;
  } catch (error) {
    report("warning", `the memory image can't be used, starting without: ${describe(error)}`);
    return null;
  }
}
/** The files that the image knows by name. All threads read the same memory; nothing writes there. */
async function placeFiles({ FS, _api }, { stdlib, app }) {
  const [major, minor] = _api.pyVersionTuple;
  FS.writeFile(`/lib/python${major}${minor}.zip`, await stdlib, { canOwn: true });
  FS.writeFile(APP, await app, { canOwn: true });
}

/** Start Python from bytecode. */
async function startPython({ bundle, assets, say, report }) {
  const { loadPyodide } = await load(bundle, "pyodide.mjs");
  await assets.stdlib;
  say(2);
  await assets.module;
  say(3);
  let python;
  try {
    python = await (bundle.stock ? loadPyodide(options(bundle)) : withAssets(bundle, assets, () => loadPyodide(options(bundle))));
  } catch (error) {
    report("warning", `sharing the compiled runtime failed, loading it plainly: ${describe(error)}`);
    python = await loadPyodide(options(bundle));
  }
  say(4);
  python.FS.writeFile(APP, await assets.app ?? new Uint8Array(await (await fetch(bundle.app.url)).arrayBuffer()));
  python.runPython(`import sys; sys.path.insert(0, '${APP}')`);
  return python;
}

// --- threads
/** A worker for `thread` of the plan, kept alive; `ctx` is its parent's. */
export class Child {
  constructor(ctx, thread, onPort) {
    Object.assign(this, { ctx, thread, onPort, births: [], dead: false });
    this.fork();
  }
  fork() {
    const { ctx, thread } = this, now = performance.now();
    this.births = this.births.filter((at) => now - at < RESTART_WINDOW);
    if (this.births.length > RESTARTS) {
      ctx.report("error", `thread ${thread.id} died ${RESTARTS + 1} times within a minute: given up`);
      return;
    }
    this.births.push(now);
    const worker = this.worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: thread.id });
    worker.onmessage = ({ data }) => this.heard(worker, data);
    worker.onerror = (event) => {
      event.preventDefault();
      ctx.report("error", `worker ${thread.id}: ${event.message ?? "its script could not be loaded"}`);
    };
  }
  heard(worker, message) {
    if (worker !== this.worker) return;
    if (message.type === "READY") this.connect();
    else if (message.type === "ALIVE") this.watch(worker, message.lock);
    else this.ctx.up(message);
  }
  connect() {
    const { ctx, thread, worker } = this, { bundle, entry, tab, assets } = ctx;
    const message = { type: "CONNECT", id: thread.id, thread, bundle, entry, tab }, transfer = [];
    if (this.onPort) {
      const { port1, port2 } = new MessageChannel();
      message.port = port2;
      transfer.push(port2);
      this.onPort(port1);
    }
    worker.postMessage(message, transfer);
    for (const name of ASSETS) assets[name].then((value) => worker.postMessage({ type: "ASSET", name, value }), () => {});
  }
  /** A thread holds a lock for as long as it lives, so that its death is told at once. */
  watch(worker, lock) {
    navigator.locks.request(lock, () => {
      if (worker !== this.worker || this.dead) return;
      this.ctx.report("warning", `thread ${this.thread.id} died: starting it again`);
      worker.terminate();
      this.fork();
    });
  }
  stop() {
    this.dead = true;
    this.worker.terminate();
  }
}

/**
 * Run one thread: fork what is below it, start Python, hand over to the entry.
 * @param {object} ctx thread {id, plan, workers}, entry, bundle, tab, assets, report(level, text), up(message), uplink?
 */
export async function runThread(ctx) {
  const { thread, entry, tab, report } = ctx, started = performance.timeOrigin + performance.now();
  let plain = false;                             // the long way, though there is a memory image
  const say = ctx.say = (step, done = 0, total = 1, error) => {
    const label = LABELS[step - 1] + (plain ? " (no memory image)" : "");
    ctx.up({ type: "BOOT", detail: { node: thread.id, step, of: OF, label, done, total, ...error && { error } } });
  };
  const ports = new Map();
  let taken = false, replaced;                   // Python has the ports; its wish to hear of new ones
  let late = [];
  const firstPorts = Promise.all(thread.workers.map((leaf) => new Promise((resolve) => {
    ctx.children.push(new Child(ctx, leaf, (port) => {
      if (replaced) replaced(leaf.id, port);
      else if (taken) late.push([leaf.id, port]);
      else ports.set(leaf.id, port), resolve();
    }));
  })));
  let step = 1;
  const saying = (n) => say(step = Math.max(step, n));
  saying(1);
  try {
    const woken = await wakePython({ ...ctx, say: saying });
    plain = !woken && !!ctx.bundle.snapshot;
    const python = woken ?? await startPython({ ...ctx, say: saying });
    const module = python.pyimport(entry);
    self.python = python;                        // for tests and for the curious in the console
    const ready = performance.timeOrigin + performance.now();
    ctx.up({ type: "PYTHON", id: thread.id, started, ready, woken: !!woken });
    if (woken) await placeFiles(python, ctx.assets);
    await firstPorts;
    taken = true;
    saying(5);
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    await module.start(JSON.stringify(thread.plan), {
      base: `${scheme}//${location.host}`, tab, report, ports, uplink: ctx.uplink,
      refused: (code) => ctx.up({ type: "REFUSED", code }),
      onReplaced: (callback) => {
        replaced = callback;
        for (const [leaf, port] of late) replaced(leaf, port);
        late = [];
      },
    });
    ctx.up({ type: "UP", id: thread.id });
  } catch (error) {
    const text = describe(error);
    report("error", `thread did not start: ${text}`);
    say(step, 0, 1, String(error?.message ?? error).trim().split("\n").at(-1).slice(0, 200));
  }
}
