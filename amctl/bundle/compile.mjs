// Runs in Node: compiles zips of Python sources inside Pyodide, and packs files for slow networks.
// Usage: node compile.mjs ORDER.json; prints a JSON object per line as it goes on.
import fs from "node:fs";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import zlib from "node:zlib";

const order = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");

async function compile({ pyodide, inside, jobs }) {
  const { loadPyodide } = await import(pathToFileURL(`${pyodide}/pyodide.mjs`));
  const python = await loadPyodide({ indexURL: pyodide });
  python.FS.writeFile("/inside.py", fs.readFileSync(inside));
  const run = python.runPython("import sys; sys.path.insert(0, '/'); from inside import compile_zip; compile_zip");
  for (const job of jobs) {
    python.FS.writeFile("/source.zip", fs.readFileSync(job.source));
    run("/source.zip", "/target.zip", job.prefix, job.optimize, (done, total) => say({ step: job.step, done, total }));
    fs.writeFileSync(job.target, python.FS.readFile("/target.zip"));
  }
}

async function pack(files) {
  const brotli = promisify(zlib.brotliCompress), gzip = promisify(zlib.gzip);
  const { BROTLI_PARAM_QUALITY: QUALITY, BROTLI_PARAM_LGWIN: WINDOW, BROTLI_PARAM_SIZE_HINT: HINT } = zlib.constants;
  let done = 0;
  const total = files.length * 2;
  say({ step: "compress", done, total });
  const write = async (name, packing) => {
    fs.writeFileSync(name, await packing);
    say({ step: "compress", done: ++done, total });
  };
  await Promise.all(files.flatMap((name) => {
    const data = fs.readFileSync(name);
    // memory images are new with every build: the best quality would take half a minute for each
    const params = { [QUALITY]: name.endsWith(".bin") ? 9 : 11, [WINDOW]: 24, [HINT]: data.length };
    return [write(`${name}.br`, brotli(data, { params })), write(`${name}.gz`, gzip(data, { level: 9 }))];
  }));
}

if (order.jobs?.length) await compile(order);
if (order.pack?.length) await pack(order.pack);
process.exit(0);
