// The live page: one Snapshot in, the page out. Messages only mark what changed; one paint per frame
// shows it, for this thread also runs Python.

const body = document.body, $ = (id) => document.getElementById(id);
const list = (id) => $(id).querySelector("ul, ol");

// Icons: f filled, o outline, x heavy outline.
const ICON = {
  loading: ["o", "M7 4.5 19 12 7 19.5z"], working: ["f", "M6 3.5 20 12 6 20.5z"],
  ready: ["f", "M12 2.5 20 12l-8 9.5L4 12z"], waiting: ["o", "M12 3.5 19 12l-7 8.5L5 12z"],
  done: ["f", "M12 3.5a8.5 8.5 0 1 0 .01 0z"], off: ["o", "M12 4a8 8 0 1 0 .01 0z"],
  ok: ["f", "M12 2a10 10 0 1 0 .01 0zM5 12.5 10.3 17.8 19 8.4 16.7 6.2 10.2 13.2 7.3 10.2z"],
  failed: ["f", "M12 2.5 22 20.5H2z"], down: ["o", "M12 4 20.5 19.5h-17z"],
  lied: ["x", "m4.5 4.5 15 15m0-15-15 15"], tainted: ["o", "M12 4.5a7.5 7.5 0 1 0 .01 0zM4 20 20 4"],
  again: ["o", "M19 12a7 7 0 1 1-2.5-5.3M20.5 2.5v6h-6"],
};
// Everything that has a state has an icon, a colour token and a word.
const NODE = {
  offline: ["off", "muted", "not here yet"], loading: ["loading", "muted"],
  joining: ["loading", "ready", "joining"], ready: ["ready", "ready", "ready"],
  waiting: ["waiting", "ready", "waits"], working: ["working", "active", "working"],
  retrying: ["again", "active", "retrying"], done: ["done", "start", "delivered"],
  verified: ["ok", "start", "verified"], failed: ["failed", "error", "failed"],
  lied: ["lied", "remove", "lied"], tainted: ["tainted", "remove", "wrong input"],
  lost: ["down", "error", "connection lost"],
};
const PHASE = {
  loading: ["loading", "muted", "Loading Python"], connecting: ["waiting", "ready", "Joining"],
  running: ["working", "active", "Running, round "], verifying: ["working", "active", "Verifying"],
  restarting: ["again", "remove", "Starting over"], stopped: ["off", "muted", "Stopped"],
  succeeded: ["ok", "start", "Verified in round "], failed: ["failed", "error", "Not verified"],
};
const OUTCOME = {
  ...NODE, ok: NODE.done, timeout: ["failed", "error", "timed out"], canceled: ["off", "muted", "canceled"],
};
const EVENT = {
  ...NODE, info: NODE.offline, start: NODE.working, ok: NODE.done, round: NODE.ready, end: NODE.verified,
  gave_up: NODE.failed,
};
const ROUND = { running: "running", ok: "verified", gave_up: "given up", interrupted: "interrupted" };
const THREAD = { ui: "UI thread", worker: "WebWorker", local: "local" };
const LIGHT = {
  up: ["done", "start", "connected"], wait: ["loading", "active", "connecting"],
  down: ["down", "error", "lost"], off: ["off", "muted", "not connected"],
};
const CHECK = {
  waiting: ["waiting", "muted", "expected"], equal: ["ok", "start", "equal"], wrong: ["lied", "remove", "wrong"],
};
const GATE = {
  401: ["This page needs the address with its token",
    "Open the whole address that amctl start printed, or run amctl start again."],
  409: ["The workflow already runs in another tab",
    "Only one tab can hold the threads. Go to that tab, or close it and reload this one."],
};
const QUIET = 6000;   // ms without a word from the server
const KEEP = { attempts: 12, rounds: 100, events: 60 };

const model = {};
const LISTS = ["nodes", "edges", "rounds", "attempts", "lights", "events", "checks", "links"];
for (const name of LISTS) model[name] = new Map();
const { nodes, edges, rounds, attempts, lights, events, checks, links } = model;
const boots = new Map();   // what this page's own threads say before they have joined
const cards = new Map(), wires = new Map();
let heard = 0, behind = 0, cut = false, over = false, source, lastId = "", wait = 1000;
let dirty = 0, drawn = "", said = "", picked = "", packed = false, rows = 0;

// --- small tools
const el = (tag, attrs = {}, ...kids) => {       // ":path" is SVG's
  const kind = tag[0] === ":" ? "2000/svg" : "1999/xhtml";
  const node = document.createElementNS("http://www.w3.org/" + kind, tag.replace(":", ""));
  for (const key in attrs) node.setAttribute(key, attrs[key]);
  node.append(...kids);
  return node;
};
const set = (node, key, value) => { if (node.getAttribute(key) !== value + "") node.setAttribute(key, value); };
const put = (node, text) => { if (node.textContent !== text + "") node.textContent = text; };
const draw = (path, name) => { set(path, "class", ICON[name][0]); set(path, "d", ICON[name][1]); };
const icon = (name = "off") => {
  const path = el(":path");
  draw(path, name);
  return el(":svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, path);
};
const hue = (node, [name, token], more = "") => {
  set(node, "class", token + more);
  draw(node.querySelector(".icon path"), name);
};
const clock = () => performance.now();
const now = () => model.run.ended_ms ?? (cut || over ? model.run.now_ms : clock() - behind);
const seconds = (ms) => ms < 60000 ? (ms / 1000).toFixed(1) + " s" : (ms / 60000).toFixed(1) + " min";
const trim = (text, room) => text.length > room ? text.slice(0, room - 1) + "…" : text;
const mega = (bytes) => (bytes / 1e6).toFixed(1);
const sum = (items, of) => items.reduce((all, item) => all + of(item), 0);
const busy = (state) => state === "working" || state === "retrying";
const booting = (n) => ["offline", "loading"].includes(n.state) ? boots.get(n.id) ?? n.boot : null;
const loaded = ({ step, of, done, total }) => (step - 1 + (total ? done / total : 0)) / of;

// --- the graph: layers by longest path, order by barycentre; an edge has a slot in every layer it
// only passes, so that it never runs behind a card
function layers() {
  const depth = new Map(), out = [], near = new Map(), place = new Map();
  const of = (id) => {
    if (!depth.has(id)) depth.set(id, Math.max(-1, ...nodes.get(id).deps.map(of)) + 1);
    return depth.get(id);
  };
  const add = (id, at) => { (out[at] ??= []).push(id); near.set(id, [[], []]); };
  for (const id of nodes.keys()) add(id, of(id));
  for (const { source, target: id } of edges.values()) {
    let last = source;
    for (let at = of(source) + 1; at <= of(id); at++) {
      const step = at < of(id) ? `${source}>${id}@${at}` : id;
      if (step !== id) add(step, at);
      near.get(step)[0].push(last);
      near.get(last)[1].push(step);
      last = step;
    }
  }
  const rank = (layer) => layer.forEach((id, k) => place.set(id, (k + .5) / layer.length));
  out.forEach(rank);
  for (let pass = 0; pass < 8; pass++) for (const layer of pass % 2 ? [...out].reverse() : out) {
    const mean = (id) => {
      const by = near.get(id)[pass % 2];
      return by.length ? sum(by, (n) => place.get(n)) / by.length : place.get(id);
    };
    const means = new Map(layer.map((id) => [id, mean(id)]));
    rank(layer.sort((a, b) => means.get(a) - means.get(b)));
  }
  return out;
}
// card width, height, gap along the flow, gap across
const SIZES = [[232, 96, 84, 22], [164, 80, 48, 14], [128, 56, 34, 10], [104, 46, 26, 8]];
function plan(width) {
  const deep = layers(), tries = [], at = new Map();
  for (const [w, h, gap, across] of SIZES) for (const right of [true, false]) {
    const along = right ? gap : gap * .6;
    const thick = (id) => (nodes.has(id) ? right ? h : w : 4) + across;
    const most = Math.max(...deep.map((layer) => sum(layer, thick) - across));
    const flow = deep.length * ((right ? w : h) + along) - along;
    const W = (right ? flow : most) + 32, H = (right ? most : flow) + 32;
    tries.push({ w, h, along, across, right, thick, most, W, H });
  }
  const best = tries.find((t) => t.W <= width && t.H <= 560) ?? tries.find((t) => t.W <= width && t.right) ?? tries[4];
  const { w, h, along, across, right, thick, most } = best;
  deep.forEach((layer, i) => {
    const go = 16 + i * ((right ? w : h) + along);
    let from = 16 + (most - sum(layer, thick) + across) / 2;
    for (const id of layer) {
      at.set(id, right ? [go, from] : [from, go]);
      from += thick(id);
    }
  });
  const widest = Math.max(...deep.map((layer) => layer.filter((id) => nodes.has(id)).length));
  return { ...best, at, widest };
}
function wire(p, { id, source, target }) {       // u runs with the flow, v across
  const long = p.right ? p.w : p.h, half = (p.right ? p.h : p.w) / 2;
  const uv = ([x, y]) => p.right ? [x, y] : [y, x], xy = (u, v) => p.right ? `${u} ${v}` : `${v} ${u}`;
  const stops = [...p.at.keys()].filter((k) => k.startsWith(id + "@"));
  let [u, v] = uv(p.at.get(source));
  u += long;
  v += half;
  let d = "M" + xy(u, v);
  for (const stop of [...stops, target]) {
    const [nu, nv] = uv(p.at.get(stop)), end = stop === target;
    const to = end ? nu - 9 : nu, tv = nv + (end ? half : 2), bend = (to - u) / 2;
    d += `C${xy(u + bend, v)} ${xy(to - bend, tv)} ${xy(to, tv)}` + (end ? "" : "L" + xy(to + long, tv));
    [u, v] = [to + (end ? 0 : long), tv];
  }
  const head = `M${xy(u + 8, v)}L${xy(u - 2, v - 5)}L${xy(u - 2, v + 5)}z`;
  return el(":g", {}, el(":path", { class: "link", d }), el(":path", { class: "head", d: head }));
}
function frame(p, id) {                          // an empty card; smaller ones have fewer parts
  const big = p.h > 60, wide = p.w > 200, tiny = p.w < 120, room = p.w - 24, end = p.w - 12;
  const line = big ? 45 : tiny ? 37 : 42, y = big ? 53 : tiny ? 41 : 47;
  const text = (kind, x, y) => el(":text", { class: kind, x, y, ...(x === end && { "text-anchor": "end" }) });
  const bar = (kind, width) => el(":rect", { class: kind, x: 12, y, width, height: 4, rx: 2 });
  const part = { id: text("id", 34, 23), word: text("", 12, line), bar: bar("fill", 0) };
  if (wide) part.kind = text("m", end, 22);
  if (!tiny) part.time = text("m", end, line);
  if (big) {
    part.hash = text("hash", 12, p.h - 12);
    part.mark = text("m", end, p.h - 12);
  }
  const g = el(":g", { transform: `translate(${p.at.get(id).join(" ")})`, tabindex: 0, role: "listitem" },
    el(":rect", { class: "b", width: p.w, height: p.h, rx: 7 }),
    el(":g", { transform: "translate(11 10) scale(.67)", class: "icon" }, el(":path")),
    bar("bar", room), ...Object.values(part));
  g.onfocus = g.onpointerenter = () => { picked = id; mark(); };
  return { g, part, room, wide, big };
}
function build() {                               // only the DAG and the width decide, never a state
  const box = $("dag"), width = box.clientWidth;
  const shape = [...nodes.values()].map((n) => n.id + n.deps).join() + width;
  if (shape === drawn) return false;
  drawn = shape;
  const p = plan(width), style = document.documentElement.style;
  const svg = el(":svg", { width: p.W, height: p.H, viewBox: `0 0 ${p.W} ${p.H}`, role: "list" });
  cards.clear();
  wires.clear();
  for (const edge of edges.values()) wires.set(edge.id, svg.appendChild(wire(p, edge)));
  for (const id of nodes.keys()) {
    const card = frame(p, id);
    cards.set(id, card);
    svg.append(card.g);
  }
  box.replaceChildren(svg);
  packed = nodes.size > 12;             // a lane per job, or per job at the same time
  rows = packed ? Math.min(nodes.size, p.widest + 2) : nodes.size;
  const strip = rows * 17 + 20, sizes = { strip, names: packed ? 0 : 70, strips: Math.min(2.5 * strip, 400) };
  for (const key in sizes) style.setProperty("--" + key, sizes[key] + "px");
  return true;
}

// --- painting
function keyed(list, items, make, update, first) {
  const have = new Map([...list.children].map((child) => [child.dataset.id, child]));
  for (const item of items) {
    let child = have.get(String(item.id));
    if (!child) {
      child = make(item);
      child.dataset.id = item.id;
      list[first ? "prepend" : "append"](child);
    }
    update?.(child, item);
    have.delete(String(item.id));
  }
  have.forEach((child) => child.remove());
}
function card(node) {
  const { g, part, room, wide, big } = cards.get(node.id), boot = booting(node);
  const state = boot ? boot.error ? "failed" : "loading" : node.state, digest = node.digest ?? "";
  const kind = node.dispatcher ? "dispatcher" : THREAD[node.thread];
  let word = boot ? boot.error ?? boot.label : NODE[state][2], share = node.progress ?? 0, time = "";
  if (boot) share = loaded(boot), time = `${boot.step} of ${boot.of}`;
  else if (busy(state)) time = seconds(Math.max(0, now() - node.started_ms));
  else if (node.ended_ms != null) time = seconds(node.ended_ms - node.started_ms), share = 1;
  else if (state === "waiting" && node.deps.length && big) word += " for " + node.deps.join(", ");
  if (node.attempt > 1) word = wide ? `${word}, attempt ${node.attempt}` : busy(state) ? "try " + node.attempt : word;
  hue(g, NODE[state], " card " + state);
  put(part.id, trim(node.id, Math.floor((room - (wide ? 90 : 22)) / 8.2)));
  put(part.word, trim(word, Math.floor((room - (time && part.time ? 40 : 0)) / 6.4)));
  if (part.time) put(part.time, time);
  if (part.kind) put(part.kind, kind);
  if (big) {
    const short = digest.length > 17 ? digest.slice(0, 8) + "…" + (wide ? digest.slice(-6) : "") : digest;
    put(part.hash, boot?.total > 1 ? `${mega(boot.done)} of ${mega(boot.total)} MB` : short);
    put(part.mark, (node.failures ? `▲${node.failures} ` : "") + (node.lies ? `×${node.lies}` : ""));
    set(part.mark, "class", node.lies ? "m ml" : "m mf");
  }
  set(part.bar, "width", Math.round(room * Math.min(1, share)));
  set(g, "aria-label", `${node.id}, ${kind}: ${word}; failed ${node.failures}, lied ${node.lies} times`);
}
const took = (round) => (round.ended_ms ?? now()) - round.started_ms;
function newStrip() {
  const names = packed ? [] : [...nodes.keys()].map((id) => el("i", {}, id));
  return el("li", { class: "strip" }, el("div", {}, el("b"), el("span"), el("span")),
    el("div", { class: "lanes", "aria-hidden": "true" }, ...names, el("div", { class: "tracks" }),
      el("span", { class: "axis" })));
}
function strip(li, round) {
  const ids = [...nodes.keys()], tries = [...attempts.values()].filter((a) => a.round === round.id);
  const [name, words, count] = li.firstChild.children, longest = Math.max(...[...rounds.values()].map(took));
  const steps = [.1, .2, .5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 900].map((s) => s * 1000);
  const scale = steps.find((s) => s >= longest) ?? longest, ends = [];
  put(name, "Round " + round.id);
  put(words, ROUND[round.outcome] ?? (round.wrong.length ? round.wrong.join(", ") + " lied" : "wrong result"));
  put(count, `${seconds(took(round))}, ${round.executions} job${round.executions === 1 ? "" : "s"}`);
  put(li.querySelector(".axis"), scale / 1000 + " s");
  li.classList.toggle("old", !tries.length && round.executions > 0);     // counts outlive attempts
  const lane = (a) => {
    if (!packed) return ids.indexOf(a.node);
    const free = [...Array(rows - 1).keys()].find((k) => !(ends[k] > a.started_ms)) ?? rows - 1;
    ends[free] = a.ended_ms ?? Infinity;
    return free;
  };
  const make = (a) => el("div", {}, icon(), packed ? el("span", {}, a.node) : "");
  keyed(li.querySelector(".tracks"), tries, make, (block, a) => {
    hue(block, OUTCOME[a.outcome], " a " + a.outcome);
    set(block, "title", `${a.node}, attempt ${a.attempt}: ${OUTCOME[a.outcome][2]}`);
    block.style.left = (a.started_ms - round.started_ms) / scale * 100 + "%";
    block.style.width = took(a) / scale * 100 + "%";
    block.style.top = lane(a) * 17 + 1 + "px";
  });
}
function banner(run) {
  let [name, token, title] = PHASE[run.phase], text = run.message, share = 0;
  if (title.endsWith(" ")) title += run.round;
  if (run.phase === "loading") {
    const all = [...nodes.values()], away = all.filter((n) => ["offline", "loading"].includes(n.state));
    const known = away.map(booting).filter(Boolean), up = all.length - away.length;
    const bad = known.find((boot) => boot.error);
    const slow = known.reduce((a, b) => a && a.step <= b.step ? a : b, undefined);
    if (slow) text = `${slow.label}; ${up} of ${all.length} threads up`;
    if (bad) [name, token, text] = ["failed", "error", `${bad.node}: ${bad.error}`];
    share = (up + sum(known, loaded)) / all.length;
  }
  if (cut) {
    [name, token, title] = ["down", "error", "Connection to the server lost"];
    text = `What you see is ${seconds(clock() - heard)} old. Trying again by itself.`;
  }
  hue($("banner"), [name, token], run.ended_ms != null && !cut ? " over" : "");
  put($("b-title"), title);
  put($("b-text"), text);
  $("b-bar").style.transform = `scaleX(${share})`;
  document.title = `${{ succeeded: "● ", failed: "▲ " }[run.phase] ?? ""}${title} - amctl`;
  body.toggleAttribute("data-cut", cut);
  const tell = cut ? title : `${title}. ${run.message}`;
  if (tell !== said) put($(run.phase === "failed" || cut ? "alarm" : "live"), said = tell);
}
function paintTime(run) {
  const open = rounds.get(run.round), li = list("rounds").lastElementChild;
  put($("facts").lastChild.children[1], seconds(now()));
  for (const node of nodes.values()) if (busy(node.state)) card(node);
  if (open && open.ended_ms == null && li) strip(li, open);
  if (cut) banner(run);
}
function paint() {
  const all = dirty === 2, run = model.run;
  dirty = 0;
  if (!run) return;
  body.dataset.on = "";
  if (!build() && !all) return paintTime(run);
  put($("workflow"), run.workflow);
  const facts = {
    round: run.round || "-", executions: run.executions, failed: run.failures, lied: run.lies, elapsed: seconds(now()),
  };
  keyed($("facts"), Object.keys(facts).map((id) => ({ id })), ({ id }) => el("div", {}, el("dt", {}, id), el("dd")),
    (div, { id }) => put(div.children[1], facts[id]));
  banner(run);
  nodes.forEach(card);
  edges.forEach((edge) => set(wires.get(edge.id), "class", "wire " + edge.state));
  const focus = nodes.get(picked);
  put($("detail"), focus ? `${focus.id}: ${focus.digest ?? "no result in this round yet"}`
    : "Point at a job, or move to it with Tab, for its whole result.");
  keyed(list("results"), checks.values(),
    (c) => el("li", {}, icon(), el("b", {}, c.id), el("code"), el("span", { class: "v" })), (li, c) => {
      hue(li, CHECK[c.verdict]);
      put(li.children[2], c.verdict === "wrong" ? c.actual ?? "no result" : c.expected);
      put(li.children[3], c.actual && c.verdict === "waiting" ? "to check" : CHECK[c.verdict][2]);
    });
  const ol = list("rounds"), low = ol.scrollHeight - ol.scrollTop - ol.clientHeight < 30;
  keyed(ol, rounds.values(), newStrip, strip);
  if (low) ol.scrollTop = ol.scrollHeight;
  $("lights").classList.toggle("many", lights.size > 14);
  keyed(list("lights"), lights.values(), (l) => el("li", {}, icon(), el("b", {}, l.label), el("span")), (li, l) => {
    hue(li, LIGHT[l.state]);
    put(li.children[2], l.detail || LIGHT[l.state][2]);
    set(li, "aria-label", `${l.label}: ${LIGHT[l.state][2]}`);
  });
  keyed(list("events"), events.values(), (e) => {
    const who = e.node ? [el("b", {}, e.node), " "] : [];
    const li = el("li", {}, el("time", {}, (e.at_ms / 1000).toFixed(1)), icon(), el("span", {}, ...who, e.text));
    hue(li, EVENT[e.kind]);
    return li;
  }, undefined, true);
  keyed($("links"), links.values(),
    (l) => l.href ? el("a", { href: l.href, title: l.path }, l.label) : el("span", {}, l.path));
}
function mark(what = 2) {
  // no frames come while the tab is hidden, but its title should tell the outcome
  if (!dirty) document.hidden ? setTimeout(paint, 250) : requestAnimationFrame(paint);
  dirty = Math.max(dirty, what);
}

// --- the stream
function gate(code) {
  const [title, text] = GATE[code], [h1, p] = $("gate").children;
  source?.close();
  over = true;
  body.dataset.gate = code;
  put(h1, title);
  put(p, text);
  put($("alarm"), document.title = title);
}
function alive(ms) {
  heard = clock();
  behind = heard - ms;
  cut = false;
  mark();
}
function prune(name, number) {
  for (const [id, item] of model[name]) if (number(item) <= model.run.round - KEEP[name]) model[name].delete(id);
}
function take(message, whole) {
  const data = JSON.parse(message.data);
  if (model.run && model.run.id !== data.run.id) return location.reload();  // its threads start anew
  lastId = message.lastEventId;
  wait = 1000;
  model.run = data.run;
  for (const name of LISTS) {
    if (whole) model[name].clear();
    for (const item of data[name] ?? []) model[name].set(item.id, item);
  }
  while (events.size > KEEP.events) events.delete(events.keys().next().value);
  prune("attempts", (a) => a.round);
  prune("rounds", (r) => r.id);
  alive(data.run.now_ms);
}
function lost() {
  if (over || cut) return;
  cut = true;
  mark();
}
function listen() {
  const own = source = new EventSource("/events?last=" + encodeURIComponent(lastId));
  const on = {
    snapshot: (e) => take(e, true), delta: (e) => take(e), tick: (e) => alive(+e.data),
    bye: () => { over = true; own.close(); mark(); },
  };
  for (const kind in on) own.addEventListener(kind, on[kind]);
  own.onerror = async () => {
    lost();
    if (own.readyState !== EventSource.CLOSED || over) return;      // it tries again by itself
    const code = await fetch("/events", { method: "HEAD" }).then((r) => r.status, () => 0);
    if (GATE[code]) gate(code);
    else setTimeout(listen, wait = Math.min(wait * 2, 10000));
  };
}
addEventListener("amctl:boot", (e) => { boots.set(e.detail.node, e.detail); mark(); });
addEventListener("amctl:refused", (e) => gate(e.detail.code));
addEventListener("resize", () => mark());
addEventListener("visibilitychange", () => { dirty = 0; mark(); });
setInterval(() => {
  if (over || !model.run || model.run.ended_ms != null) return;
  if (clock() - heard > QUIET) lost();
  mark(1);
}, 100);
document.querySelector(".key").append(...["working", "ok", "failed", "lied", "tainted"].map((o) =>
  el("span", {}, el("span", { class: `a ${o} ${OUTCOME[o][1]}` }, icon(OUTCOME[o][0])), OUTCOME[o][2])));
listen();
