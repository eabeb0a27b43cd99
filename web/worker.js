// One thread of the page: says READY, is told what to be (CONNECT), gets the runtime (ASSET).
import { awaitAssets, reporter, runThread, watchErrors } from "./runtime.js";

const { assets, give } = awaitAssets();
let report = reporter(self.name || "unknown");
watchErrors((level, text) => report(level, text));

self.onmessage = ({ data }) => {
  if (data.type === "ASSET") give(data.name, data.value);
  else if (data.type === "CONNECT") connect(data);
};
function connect({ id, thread, bundle, entry, tab, port }) {
  const up = (message) => self.postMessage(message);
  const lock = `amctl:${tab}:${id}:${crypto.randomUUID()}`;
  self.navigator.locks?.request(lock, () => {
    up({ type: "ALIVE", lock });
    return new Promise(() => {});                // held until this thread ends, however it ends
  });
  runThread({ thread, bundle, entry, tab, assets, report, up, uplink: port, children: [] });
}
self.postMessage({ type: "READY" });
