// Starts the threads that /boot.json plans, and tells the page how far they are:
// amctl:boot {node, step, of, label, done, total, error?} and amctl:refused {code}.
import { Child, describe, fetchAssets, LABELS, reporter, runThread, watchErrors } from "./runtime.js";

const report = reporter("page");
watchErrors(report);
const tell = (name, detail) => dispatchEvent(new CustomEvent(name, { detail }));
const threads = {};                              // id -> when its Python was ready, ms since navigation; whether it woke up
const children = [];                             // of the page
let refused = false, allUp;

/** For tests and the console. `ready` settles when each thread's Python has loaded our code. */
globalThis.amctl = { threads, children, ready: new Promise((resolve) => allUp = resolve) };

/** This tab's name. It survives reloads; a duplicated tab, whose storage is a copy, gets another. */
async function tabId() {
  const own = (id) => new Promise((resolve) => {
    if (!navigator.locks) { resolve(true); return; }
    // The page before a reload may need a moment to let go.
    navigator.locks.request(`amctl-tab:${id}`, { signal: AbortSignal.timeout(500) }, () => {
      resolve(true);
      return new Promise(() => {});
    }).catch(() => resolve(false));
  });
  let id = sessionStorage.getItem("amctl-tab");
  if (!id || !await own(id)) await own(id = crypto.randomUUID());
  sessionStorage.setItem("amctl-tab", id);
  return id;
}

function refuse(code) {
  if (refused) return;
  refused = true;
  for (const child of children) child.stop();
  tell("amctl:refused", { code });
}

async function askPlan(tab) {
  const answer = await fetch(`/boot.json?tab=${tab}`);
  if (answer.ok) return answer.json();
  if (answer.status === 401 || answer.status === 409) { refuse(answer.status); return null; }
  throw new Error(`/boot.json: HTTP ${answer.status} ${(await answer.text()).slice(0, 300)}`);
}

const planned = (threads) => threads.flatMap(({ id, workers }) => [id, ...planned(workers)]);

async function main() {
  const tab = await tabId();
  const boot = await askPlan(tab);
  if (!boot?.plan) return;                       // refused, or the nodes run elsewhere
  const { plan, bundle } = boot, ids = planned([...plan.ui ? [plan.ui] : [], ...plan.workers]);
  const fetching = new Set(ids);                 // threads that wait for bytes
  const allHere = () => ids.every((id) => id in threads);
  const onBytes = (done, total) => {
    for (const node of fetching) tell("amctl:boot", { node, step: 1, of: LABELS.length, label: LABELS[0], done, total });
  };
  const up = (message) => {
    if (message.type === "BOOT") {
      if (message.detail.step === 1 && !message.detail.error) return;    // onBytes knows it better
      fetching.delete(message.detail.node);
      tell("amctl:boot", message.detail);
    } else if (message.type === "PYTHON") {
      const { id, started, ready, woken } = message, first = !allHere();
      threads[id] = { started: started - performance.timeOrigin, ready: ready - performance.timeOrigin, woken };
      if (first && allHere()) {
        const plain = ids.filter((each) => !threads[each].woken);
        report("info", plain.length ? `started from bytecode: ${plain.join(", ")}` : `all ${ids.length} threads woke up from the memory image`);
        allUp(threads);
      }
    } else if (message.type === "UP") threads[message.id].up = performance.now();
    else if (message.type === "REFUSED") refuse(message.code);
  };
  onBytes(0, 1);
  const assets = fetchAssets(bundle, onBytes, (why) => report("warning", `starting without the memory image: ${why}`));
  for (const asset of Object.values(assets)) asset.catch((error) => {
    report("error", describe(error));
    for (const node of fetching) tell("amctl:boot", { node, step: 1, of: LABELS.length, label: LABELS[0], done: 0, total: 1, error: describe(error).split("\n")[0] });
  });
  const page = { entry: plan.entry, bundle, tab, assets, up, report, children };
  for (const worker of plan.workers) children.push(new Child(page, worker));
  if (plan.ui) await runThread({ ...page, thread: plan.ui, report: reporter(plan.ui.id) });
}
main().catch((error) => report("error", `the page did not start: ${describe(error)}`));
