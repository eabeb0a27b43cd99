// The page around a finished picture. It is laid out once: everything here only sets classes, the size
// and place of the whole, and the texts of panels.
"use strict";
const $ = (id) => document.getElementById(id);
const DATA = JSON.parse($("data").textContent);
const stage = $("stage"), view = $("view"), sheet = $("sheet"), info = $("info");
const base = $("base"), svg = base.querySelector("svg");
const SVG = "http://www.w3.org/2000/svg";
const KINDS = ["", "add", "remove", "add and remove"];
const RELATIONS = [["require", "Requires"], ["add", "Adds"], ["remove", "Removes"], ["after", "After"]];
const MUTATIONS = ["add", "remove", "set", "eval"];

const el = (tag, attrs = {}, ...kids) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attrs)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...kids);
  return node;
};
const clamp = (value, least, most) => Math.min(most, Math.max(least, value));
const put = (map, key, value) => map.has(key) ? map.get(key).push(value) : map.set(key, [value]);
const count = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;
const say = (text) => { $("say").textContent = text; };

// --- the network: every state has a number
const machines = DATA.machines.map(([id, parent, tags, drawn, states], at) =>
  ({ id, parent, tags, drawn, at, states: [], raw: states, first: 0, kids: [] }));
const states = [];
for (const m of machines) {
  m.first = states.length;
  m.states = m.raw.map(([name, kind, flags, ...relations], i) => {
    const state = { name, kind, flags, relations, m, i, no: states.length, row: null, in: [], out: [] };
    states.push(state);
    return state;
  });
  if (m.parent >= 0) machines[m.parent]?.kids.push(m);
}
const byId = new Map(machines.map((m) => [m.id, m]));
const named = (m, name) => byId.get(m)?.states.find((s) => s.name === name);

// --- the picture's elements
const rowStates = new Map(), machineNodes = new Map(), edges = [...svg.querySelectorAll(".edge")];
for (const m of machines) m.names = new Map(m.states.map((s) => [s.name, s]));
for (const row of svg.querySelectorAll(".row[data-s]")) {
  const state = byId.get(row.dataset.m)?.names.get(row.dataset.s);
  if (!state || state.row) continue;
  state.row = row;
  rowStates.set(row, state);
}
for (const node of svg.querySelectorAll(".mach[data-m], .nest[data-m]")) {
  const all = node.dataset.all ? JSON.parse(node.dataset.all) : [node.dataset.m];
  for (const id of all) if (!machineNodes.has(id) || node.matches(".mach")) machineNodes.set(id, node);
}
const edgeAt = new Map();   // ends of a line, with and without states
for (const edge of edges) {
  const d = edge.dataset, kind = ["rpc", "parent", "rel"].find((k) => edge.classList.contains(k)) || "pipe";
  const key = [kind, d.a, d.b, d.f || "", d.t || ""].join("|");
  if (!edgeAt.has(key)) edgeAt.set(key, edge);
  const path = edge.querySelector("path");
  if (!path) continue;
  const hit = path.cloneNode();
  for (const name of ["style", "stroke", "stroke-width", "stroke-dasharray", "fill"]) hit.removeAttribute(name);
  hit.setAttribute("class", "hit");
  edge.append(hit);
}
const line = (kind, a, b, f = "", t = "") =>
  [[f, t], [f, ""], ["", t], ["", ""]].map((ends) => edgeAt.get([kind, a, b, ...ends].join("|"))).find(Boolean);

// Every machine gets a picture of its own above the lines. A browser paints a whole SVG anew when a part
// of it changes its colour, and that may take as long as five frames.
const box = svg.viewBox.baseVal, full = { w: box.width, h: box.height };
const graph = svg.querySelector(".graph") || svg, shift = graph.getAttribute("transform") || "";
const drawing = (...kids) => {
  const made = document.createElementNS(SVG, "svg"), g = document.createElementNS(SVG, "g");
  made.setAttribute("class", svg.getAttribute("class"));
  g.setAttribute("transform", shift);
  g.append(...kids);
  made.append(g);
  return made;
};
function split() {
  const toSheet = graph === svg ? null : graph.transform.baseVal.consolidate()?.matrix;
  const parts = [...new Set(machineNodes.values())].filter((node) => node.matches(".mach"));
  const places = parts.map((node) => node.getBBox());
  parts.forEach((node, i) => {
    const { width, height } = places[i], x = places[i].x + (toSheet?.e || 0), y = places[i].y + (toSheet?.f || 0);
    const part = drawing(node);
    part.classList.add("part");
    part.setAttribute("viewBox", [x, y, width, height].join(" "));
    part.style.left = (x - box.x) / full.w * 100 + "%";
    part.style.top = (y - box.y) / full.h * 100 + "%";
    part.style.width = width / full.w * 100 + "%";
    part.style.height = height / full.h * 100 + "%";
    base.append(part);
  });
}

// --- links between states: pipes, and the copies that RPC keeps equal to their sources
const link = (from, to, what, lines) => {
  if (!from || !to) return;
  const made = { from, to, what, lines: lines.filter(Boolean) };
  from.out.push(made);
  to.in.push(made);
};
const members = new Map();   // a line -> its links
for (const [a, f, b, t, kind] of DATA.pipes) {
  const one = machines[a], other = machines[b], from = one.states[f], to = other.states[t];
  const edge = line("pipe", one.id, other.id, from?.name, to?.name);
  link(from, to, KINDS[kind], [edge]);
  if (edge) put(members, edge, { one, other, from, to, what: KINDS[kind] });
}
for (const [source, copy, client, server] of DATA.copies.map((c) => c.map((at) => machines[at]))) {
  const way = [[server, source], [copy, client]].map(([a, b]) => a && b && line("parent", a.id, b.id));
  if (client && server) way.push(line("rpc", client.id, server.id));
  for (const s of copy.states) link(source.names.get(s.name), s, "copy by RPC", way);
}
const relations = edges.filter((edge) => edge.matches(".rel")).map((edge) => {   // of a machine drawn alone
  const { a, b, f, t } = edge.dataset;
  const ends = [[a, f], [b, t]].map(([box, name]) => [...$(box)?.querySelectorAll(".row") || []]
    .map((row) => rowStates.get(row)).filter((s) => s && (!name || s.name === name)));
  return { edge, ends };
});
const walk = (starts) => {
  const seen = new Set(starts), lines = new Set();
  for (const [side, end] of [["out", "to"], ["in", "from"]]) {
    const todo = [...starts], done = new Set(starts);
    while (todo.length) {
      for (const l of todo.pop()[side]) {
        l.lines.forEach((edge) => lines.add(edge));
        if (done.has(l[end])) continue;
        done.add(l[end]);
        seen.add(l[end]);
        todo.push(l[end]);
      }
    }
  }
  return { seen, lines };
};

// --- time: a cursor over the moments; a step touches only what it changes
const H = DATA.history, moments = H ? H.t.length : 0;
const clock = machines.map((m, at) => m.states.map((_, i) => DATA.ticks[at]?.[i] ?? 0));
const old = [], time = [];
let cur = moments, playing = 0, flashed = [];
if (H) {
  let t = 0;
  for (const m of H.known) clock[m].fill(0);
  for (let n = 0; n < moments; n++) {
    const d = H.d[n];
    time.push(t += H.t[n]);
    const before = [];
    for (let j = 0; j < d.length; j += 3) {
      before.push(clock[d[j]][d[j + 1]]);
      clock[d[j]][d[j + 1]] = d[j + 2];
    }
    old.push(before);
  }
}
const isOn = (s) => clock[s.m.at][s.i] % 2 === 1;
const utc = (ns) => {
  const date = new Date(Number((BigInt(H.base) + BigInt(ns)) / 1000000n));
  return date > 0 ? date.toISOString().replace("T", " ").slice(0, -1) : "unknown time";
};
const took = (ns) => ns < 1e9 ? (ns / 1e6).toFixed(1) + " ms" : ns < 6e11 ? (ns / 1e9).toFixed(2) + " s"
  : (ns / 6e10).toFixed(1) + " min";

function paintState(s) {
  const on = isOn(s);
  if (!s.row || s.row.classList.contains("on") === on) return;
  s.row.classList.replace(on ? "off" : "on", on ? "on" : "off");
  const lamp = s.row.querySelector(".gl");
  if (lamp) lamp.textContent = DATA.glyphs[s.kind][on ? 0 : 1];
}
function paintMachine(m) {
  const on = m.states.filter(isOn), counted = `${on.length}/${m.states.length}`;
  if (m.card) m.card.textContent = counted;
  if (!m.item) return;
  const best = ["start", "ready", "error"].reduce((found, k) => on.find((s) => s.kind === k) || found, null);
  const sign = best && best.kind !== "plain" ? best : on[0];
  m.item.lamp.className = "lamp" + (sign ? ` on ${best ? best.kind : "plain"}` : "");
  m.item.lamp.textContent = DATA.glyphs[best ? best.kind : "plain"][sign ? 0 : 1];
  m.item.count.textContent = counted;
  m.item.states.textContent = on.map((s) => s.name).join(" ");
}
function seek(n) {
  n = clamp(n, 0, moments);
  const touched = new Set();
  for (; cur < n; cur++) {
    const d = H.d[cur];
    for (let j = 0; j < d.length; j += 3) {
      clock[d[j]][d[j + 1]] = d[j + 2];
      touched.add(machines[d[j]].states[d[j + 1]]);
    }
  }
  for (; cur > n; cur--) {
    const d = H.d[cur - 1], before = old[cur - 1];
    for (let j = d.length - 3; j >= 0; j -= 3) {
      clock[d[j]][d[j + 1]] = before[j / 3];
      touched.add(machines[d[j]].states[d[j + 1]]);
    }
  }
  touched.forEach(paintState);
  new Set([...touched].map((s) => s.m)).forEach(paintMachine);
  flash();
  tell();
  if (!shown) return;
  details(shown);
  if (!shown.m) light(shown);
}
function flash() {
  flashed.forEach((row) => row.classList.remove("flash"));
  flashed = [];
  if (!cur || cur === moments) return;
  const d = H.d[cur - 1];
  for (let j = 0; j < d.length; j += 3) {
    const row = machines[d[j]].states[d[j + 1]].row;
    if (row) { row.classList.add("flash"); flashed.push(row); }
  }
}
function what(n) {
  const m = machines[H.m[n]], called = H.c[n].map((i) => m.states[i]?.name || "?").join(" ");
  const marks = (H.f[n] & 2 ? " auto" : "") + (H.f[n] & 1 ? "" : " canceled");
  const joined = H.j[n] > 1 ? `, the last of ${count(H.j[n], "change")}` : "";
  return `${m.id} [${MUTATIONS[H.y[n]] || "?"}] ${called}${marks}${joined}`;
}
function tell() {
  const at = cur && time[cur - 1], since = cur ? took(at - time[0]) : "before the first change";
  $("slider").value = cur;
  $("w-time").textContent = cur ? `${utc(at)}  +${since}` : since;
  const position = `${cur.toLocaleString("en")} of ${moments.toLocaleString("en")}`;
  $("w-what").textContent = cur ? `${position}: ${what(cur - 1)}` : position;
  $("when").title = $("w-what").textContent;
  $("slider").setAttribute("aria-valuetext", cur ? `${cur} of ${moments}, ${utc(at)}, ${what(cur - 1)}` : since);
}
function play(on) {
  clearInterval(playing);
  playing = 0;
  $("b-play").setAttribute("aria-pressed", on);
  if (!on) return remember();
  if (cur === moments) seek(0);
  const stride = Math.ceil(moments / 600);   // a whole recording takes a minute at most
  playing = setInterval(() => {
    seek(cur + stride);
    if (cur === moments) play(false);
  }, 100);
}
function step(by) { play(false); seek(cur + by); remember(); }

// --- the place of the picture: its size, and where its corner is
const place = { k: 1, x: 0, y: 0 };
let fitted = true, settling = 0, settled = 0;
function apply() {   // while it is being zoomed, the painted picture is scaled; painting it anew takes time
  const scale = settled ? place.k / settled : 1, [x, y] = [place.x, place.y].map(Math.round);   // crisp text
  sheet.style.transform = `translate(${x}px,${y}px) scale(${scale})`;
  clearTimeout(settling);
  if (settled !== place.k) settling = setTimeout(settle, settled ? 140 : 0);
}
function settle() {
  clearTimeout(settling);
  settled = place.k;
  sheet.style.width = full.w * place.k + "px";
  sheet.style.height = full.h * place.k + "px";
  sheet.style.setProperty("--grow", clamp(11 / (14 * place.k), 1, 1.5).toFixed(2));
  sheet.style.setProperty("--thin", clamp(0.8 / place.k, 1.2, 2.2).toFixed(2) + "px");   // still visible
  sheet.style.setProperty("--lit", clamp(2 / place.k, 3, 6).toFixed(2) + "px");
  base.classList.toggle("far", place.k < 0.6);
  apply();
}
const fitSize = () => Math.min(view.clientWidth / full.w, view.clientHeight / full.h);
function fit() {
  place.k = Math.min(fitSize(), 1.5);
  place.x = (view.clientWidth - full.w * place.k) / 2;
  place.y = (view.clientHeight - full.h * place.k) / 2;
  fitted = true;
  apply();
  settle();
}
function zoom(by, x = view.clientWidth / 2, y = view.clientHeight / 2) {
  const k = clamp(place.k * by, Math.min(fitSize() * 0.6, 1), 6);
  place.x = x - (x - place.x) * k / place.k;
  place.y = y - (y - place.y) * k / place.k;
  place.k = k;
  fitted = false;
  apply();
}
function pan(dx, dy) {
  const spare = 80, w = full.w * place.k, h = full.h * place.k;
  place.x = clamp(place.x + dx, spare - w, view.clientWidth - spare);
  place.y = clamp(place.y + dy, spare - h, view.clientHeight - spare);
  fitted = false;
  apply();
}
function centre(node) {   // what is larger than the view shows its beginning
  if (!node) return;
  if (place.k < 1) zoom(1 / place.k);
  settle();
  const r = node.getBoundingClientRect(), v = view.getBoundingClientRect(), margin = 24;
  const covered = !info.hidden && info.offsetWidth > v.width * 0.8 ? info.offsetHeight : 0;
  const ways = [[r.left, r.width, v.left, v.width], [r.top, r.height, v.top, v.height - covered]];
  pan(...ways.map(([at, size, from, space]) => from + Math.max(margin, (space - size) / 2) - at));
}

// --- what is shown: hovered, focused or picked. The picture is dimmed as a whole, and what is lit lies
// above it as a copy: that costs the same in a large picture.
const over = drawing(), copies = over.firstChild;
over.setAttribute("viewBox", svg.getAttribute("viewBox"));
over.setAttribute("aria-hidden", "true");
over.classList.add("over");
sheet.append(over);

let shown = null, pinned = false, lit = [];
const node = (item) => item.edge || item.state?.row || (item.m && machineNodes.get(item.m.id));
const same = (a, b) => a === b || (a && b && a.edge === b.edge && a.state === b.state && a.m === b.m);
const itemOf = (target) => {
  const found = target.closest?.(".row, .edge, .mach, .nest");
  if (!found || !base.contains(found)) return null;
  if (rowStates.has(found)) return { state: rowStates.get(found) };
  if (found.matches(".edge")) return { edge: found };
  return byId.has(found.dataset.m) ? { m: byId.get(found.dataset.m) } : null;
};
const bare = (element) => {   // a copy for looking at
  const copy = element.cloneNode(true);
  for (const name of ["id", "tabindex"]) copy.removeAttribute(name);
  copy.querySelectorAll(".hit, title").forEach((e) => e.remove());
  return copy;
};
function litBy({ state, edge }) {
  if (relations.length && (state || edge.matches(".rel"))) {
    const near = relations.filter((one) => one.edge === edge || one.ends.some((end) => end.includes(state)));
    const ends = near.flatMap(({ ends: [a, b] }) => edge ? [...a, ...b] : a.includes(state) ? b : a);
    return { seen: new Set(state ? [state, ...ends] : ends), lines: new Set(near.map((one) => one.edge)) };
  }
  const links = edge ? members.get(edge) || [] : [];
  const starts = state ? [state] : links.flatMap((l) => l.from && l.to ? [l.from] : []);
  if (starts.length === 1) return walk(starts);
  return { seen: new Set(links.flatMap((l) => [l.from, l.to])), lines: new Set() };
}
function light(item) {
  const { seen, lines } = litBy(item);
  if (item.edge) lines.add(item.edge);
  const rows = [...seen].map((s) => s?.row).filter(Boolean);
  lit = [...lines, ...rows];
  lit.forEach((e) => e.classList.add("hl"));
  const { a, b } = item.edge?.dataset || {};
  const shapes = [...rows.map((row) => row.closest(".mach")), machineNodes.get(a), machineNodes.get(b)];
  const titles = new Set(shapes.map((shape) => shape?.querySelector(":scope > .ttl")));
  copies.replaceChildren(...[...titles, ...lit].filter(Boolean).map(bare));
  const at = item.state && rows.indexOf(item.state.row);
  if (at >= 0) copies.children[copies.children.length - rows.length + at].classList.add("at");
}
function unlight() {
  lit.forEach((e) => e.classList.remove("hl"));
  document.querySelectorAll(".picked").forEach((e) => e.classList.remove("picked"));
  lit = [];
  copies.replaceChildren();
}
function show(item, pin) {
  unlight();
  shown = item;
  pinned = Boolean(item && pin);
  info.hidden = !item;
  info.classList.toggle("pinned", pinned);
  base.classList.toggle("dim", Boolean(item && !item.m));
  if (!item) return;
  details(item);
  if (item.m) [machineNodes.get(item.m.id), item.m.item?.button].forEach((e) => e?.classList.add("picked"));
  else light(item);
  makeRoom();
}
function makeRoom() {   // the panel goes to the corner where it hides least of what is lit
  const p = info.getBoundingClientRect(), r = stage.getBoundingClientRect(), edge = 30;
  const places = lit.slice(0, 200).map((e) => e.getBoundingClientRect());
  const hidden = (left, top) => places.filter((a) =>
    (left ? a.left < r.left + p.width + edge : a.right > r.right - p.width - edge)
    && (top ? a.top < r.top + p.height + edge : a.bottom > r.bottom - p.height - edge)).length;
  const corners = [[false, false], [true, false], [false, true], [true, true]];
  const [left, top] = corners.reduce((best, c) => hidden(...c) < hidden(...best) ? c : best);
  info.classList.toggle("left", left);
  info.classList.toggle("top", top);
}
