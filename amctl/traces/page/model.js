// What is known of the trace: spans, rows, time. Nothing here touches the page, but for reading its data.
"use strict";
const $ = (id) => document.getElementById(id);
const DATA = JSON.parse($("data").textContent);
const TEXT = DATA.strings;
const FAILED = 2, IDLE = 4, REFUSED = 8;
const clamp = (value, least, most) => Math.min(most, Math.max(least, value));
const counted = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;

const pairs = (flat) => {
  const made = [];
  for (let i = 0; i < flat.length; i += 2) made.push([TEXT[flat[i]], TEXT[flat[i + 1]]]);
  return made;
};
const spans = DATA.spans.map(([name, service, start, took, parent, flags, id, message, attributes, events, links], at) => ({
  at, name: TEXT[name], service, start, took, end: start + took, parent, flags, id, message: TEXT[message],
  attributes, events, links, row: -1, from: 0, to: 0, causes: [], caused: [], changed: [], words: "",
}));
const failed = (span) => (span.flags & 3) === FAILED;
const byId = new Map(spans.map((span) => [span.id, span]));
const textOf = (span) => span.words ||= [span.name, span.message, span.id, DATA.services[span.service],
  ...pairs(span.attributes).map(([key, value]) => `${key}=${value}`),
  ...span.events.flatMap(([, name, attributes]) => [TEXT[name], ...pairs(attributes).map((pair) => pair.join("="))]),
].join("\n").toLowerCase();

const arrows = [];   // causes in other services
for (const span of spans) {
  for (const [to, kind] of span.links) {
    if (to < 0) continue;
    const other = spans[to], what = TEXT[kind];
    if (what === "added" || what === "removed") { other.changed.push([span, what]); continue; }
    span.causes.push(other);
    other.caused.push(span);
    if (other.service !== span.service) arrows.push({ cause: other, effect: span });
  }
}

const above = [];
const rows = DATA.rows.map(([depth, kind, label, service, own, drawn], at) => {
  above.length = depth;
  const row = {
    at, depth, kind: DATA.kinds[kind], label: TEXT[label], service, parent: depth ? above[depth - 1] : -1,
    own: own.map((i) => spans[i]), spans: drawn.map((i) => spans[i]), kids: 0, last: at, open: true, inside: null, hit: false,
  };
  above.push(at);
  for (const span of [...row.own, ...row.spans]) if (span.row < 0 || row.kind === "instance") span.row = at;
  return row;
});
for (let at = rows.length - 1; at >= 0; at--) {
  const row = rows[at];
  if (row.parent < 0) continue;
  rows[row.parent].kids++;
  rows[row.parent].last = Math.max(rows[row.parent].last, row.last);
}
const isIdle = (row) => row.kind === "transition" && row.spans.length && row.spans.every((span) => span.flags & IDLE);
const MANY = 40;
function openByDefault(row) {
  if (row.kind === "state") return false;
  if (row.kind !== "transitions") return true;
  let count = 0;
  for (let at = row.at + 1; at <= row.last; at++) count += !isIdle(rows[at]);
  return count <= MANY;
}
for (const row of rows) row.open = openByDefault(row);
const bad = (row) => row.spans.some(failed) || /^(!|Err|Exception)/.test(row.label);
const machineOf = (row) => { for (let at = row.at; at >= 0; at = rows[at].parent) if (rows[at].kind === "machine") return rows[at]; return null; };

// what a closed row draws: the transitions or other spans below it, else the states
function inside(row) {
  if (row.inside) return row.inside;
  const found = { quick: [], slow: [] };
  for (let at = row.at + 1; at <= row.last; at++) {
    const one = rows[at];
    if (one.kind === "instance") continue;
    (one.kind === "state" ? found.slow : found.quick).push(...one.spans);
  }
  const best = found.quick.length ? found.quick : found.slow;
  return row.inside = best.sort((a, b) => a.start - b.start);
}

// --- rows that are shown
let shown = [], place = new Int32Array(rows.length), autos = false;
const indexOf = (at) => { while (at >= 0 && place[at] < 0) at = rows[at].parent; return at < 0 ? -1 : place[at]; };
function unfold() {
  shown = [];
  place.fill(-1);
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at];
    if (!autos && isIdle(row)) { at = row.last; continue; }
    place[at] = shown.length;
    shown.push(row);
    if (!row.open) at = row.last;
  }
}
unfold();

// --- time: places from 0 to 1, idle gaps pressed together
let pressed = DATA.gaps.length > 0, knots = [], pieces = [];
function layTime() {
  const gaps = pressed ? DATA.gaps : [], rest = DATA.length - gaps.reduce((sum, [a, b]) => sum + b - a, 0);
  knots = [0];
  pieces = [0];
  const add = (time, width) => { knots.push(time); pieces.push(pieces[pieces.length - 1] + width); };
  for (const [from, to] of gaps) {
    add(from, from - knots[knots.length - 1]);
    add(to, DATA.share * Math.max(rest, 1));
  }
  add(DATA.length, DATA.length - knots[knots.length - 1]);
  const whole = pieces[pieces.length - 1] || 1;
  pieces = pieces.map((width) => width / whole);
  for (const span of spans) { span.from = placeOf(span.start); span.to = placeOf(span.end); }
}
function piece(list, value) {   // the last one that begins at or before it
  let low = 0, high = list.length - 2;
  while (low < high) { const middle = (low + high + 1) >> 1; if (list[middle] <= value) low = middle; else high = middle - 1; }
  return low;
}
function placeOf(time) {
  const i = piece(knots, time), long = knots[i + 1] - knots[i];
  const share = long > 0 ? clamp((time - knots[i]) / long, 0, 1) : 0;
  return pieces[i] + (pieces[i + 1] - pieces[i]) * share;
}
function timeAt(where) {
  const i = piece(pieces, where), wide = pieces[i + 1] - pieces[i];
  const share = wide > 0 ? clamp((where - pieces[i]) / wide, 0, 1) : 0;
  return knots[i] + (knots[i + 1] - knots[i]) * share;
}
layTime();

// --- what is shown of it
const view = { from: 0, to: 1 };
const finest = () => clamp(200 / Math.max(DATA.length, 1), 1e-9, 1);   // 200 ns
function look(from, to) {
  const wide = clamp(to - from, finest(), 1);
  view.from = clamp(from, 0, 1 - wide);
  view.to = view.from + wide;
}
function zoomBy(factor, at = (view.from + view.to) / 2) {
  const wide = clamp((view.to - view.from) * factor, finest(), 1), share = (at - view.from) / (view.to - view.from);
  look(at - wide * share, at + wide * (1 - share));
}
const panBy = (share) => { const wide = view.to - view.from; look(view.from + share * wide, view.to + share * wide); };

function took(ns, digits = 3) {
  if (ns < 1e3) return `${Math.round(ns)} ns`;
  for (const [limit, unit, name] of [[1e6, 1e3, "\u00b5s"], [1e9, 1e6, "ms"], [6e10, 1e9, "s"]]) {
    if (ns < limit) return `${+(ns / unit).toPrecision(digits)} ${name}`;
  }
  const seconds = Math.round(ns / 1e9), two = (n) => String(n).padStart(2, "0");
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  return seconds < 360000 ? `${Math.floor(seconds / 3600)} h ${two(Math.floor(seconds / 60) % 60)} min` : `${Math.floor(seconds / 86400)} d`;
}
function clock(time) {
  const ns = BigInt(DATA.began) + BigInt(Math.round(time)), date = new Date(Number(ns / 1000000n));
  if (!(date >= 0)) return "unknown time";
  return date.toISOString().replace("T", " ").replace("Z", "") + String(ns % 1000000n).padStart(6, "0");
}

// --- search
const hits = { words: "", list: [], at: -1 };
function search(words) {
  hits.words = words.trim().toLowerCase();
  hits.list = [];
  hits.at = -1;
  for (const row of rows) {
    row.hit = false;
    if (!hits.words || row.kind === "instance") continue;
    const found = row.spans.filter((span) => textOf(span).includes(hits.words));
    const named = row.label.toLowerCase().includes(hits.words) || row.own.some((span) => textOf(span).includes(hits.words));
    row.hit = named || found.length > 0;
    if (found.length) hits.list.push(...found.map((span) => ({ row, span })));
    else if (named) hits.list.push({ row, span: null });
  }
}
