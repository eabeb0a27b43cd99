// Everything on canvases: lanes with bars and arrows, the axis, the map of all time.
"use strict";
const HIGH = 22, MAP = 38, AXIS = 26;
const tree = $("tree"), lanes = $("lanes"), axis = $("axis"), map = $("map");
const size = { wide: 1, high: 1 };
let ink = {}, mapPicture = null, picked = { row: null, span: null }, dirty = false, sweep = null;

function readInk() {
  const style = getComputedStyle(document.documentElement), get = (name) => style.getPropertyValue(`--${name}`).trim();
  ink = Object.fromEntries(["page", "box", "head", "line", "text", "muted", "focus", "error", "hit", "idle", "pick", "arrow"].map((n) => [n, get(n)]));
  ink.services = DATA.services.map((_, i) => get(`s${i % 8}`));
  mapPicture = null;
}
function fitCanvas(canvas, wide, high) {
  const scale = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(wide * scale) || canvas.height !== Math.round(high * scale)) {
    canvas.width = Math.round(wide * scale);
    canvas.height = Math.round(high * scale);
    canvas.style.width = wide + "px";
    canvas.style.height = high + "px";
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, wide, high);
  pen.font = '11px Arial, "Liberation Sans", sans-serif';
  pen.textBaseline = "middle";
  return pen;
}
const xOf = (where) => (where - view.from) / (view.to - view.from) * size.wide;
const whereAt = (x) => view.from + x / size.wide * (view.to - view.from);
const redraw = () => { if (!dirty) { dirty = true; requestAnimationFrame(draw); } };

function draw() {
  dirty = false;
  const box = $("times").getBoundingClientRect();
  size.wide = Math.max(box.width, 1);
  size.high = tree.clientHeight;
  $("pane").style.height = size.high + "px";
  $("space").style.height = Math.max(shown.length * HIGH + 8, size.high) + "px";
  drawMap();
  drawAxis();
  const first = Math.floor(tree.scrollTop / HIGH), last = Math.min(shown.length, Math.ceil((tree.scrollTop + size.high) / HIGH));
  drawLanes(first, last);
  drawLabels(first, last);
}

// --- lanes
const visibleGaps = () => (pressed ? DATA.gaps : []).map(([from, to]) => [xOf(placeOf(from)), xOf(placeOf(to)), to - from])
  .filter(([left, right]) => right > 0 && left < size.wide);
function hatch(pen, left, right, top, high) {
  pen.fillStyle = ink.idle;
  pen.fillRect(left, top, right - left, high);
  pen.save();
  pen.beginPath();
  pen.rect(left, top, right - left, high);
  pen.clip();
  pen.strokeStyle = ink.line;
  pen.lineWidth = 1;
  pen.beginPath();
  const from = Math.max(left, 0), to = Math.min(right, size.wide), start = Math.floor((from - high) / 9) * 9;
  for (let x = start; x < to; x += 9) { pen.moveTo(x, top + high); pen.lineTo(x + high, top); }
  pen.stroke();
  pen.restore();
}
function drawLanes(first, last) {
  const pen = fitCanvas(lanes, size.wide, size.high), shift = -tree.scrollTop;
  for (const [left, right] of visibleGaps()) hatch(pen, left, right, 0, size.high);
  pen.fillStyle = ink.line;
  for (const [x] of ticks()) pen.fillRect(Math.round(x), 0, 0.5, size.high);
  for (let i = first; i < last; i++) {
    const row = shown[i], top = i * HIGH + shift;
    if (row === picked.row) { pen.globalAlpha = 0.75; pen.fillStyle = ink.pick; pen.fillRect(0, top, size.wide, HIGH); pen.globalAlpha = 1; }
    if (row.depth === 0) { pen.fillStyle = ink.line; pen.fillRect(0, Math.round(top), size.wide, 1); }
    drawRow(pen, row, top);
  }
  drawArrows(pen, first, last);
  if (sweep) { pen.globalAlpha = 0.2; pen.fillStyle = ink.focus; pen.fillRect(sweep[0], 0, sweep[1] - sweep[0], size.high); pen.globalAlpha = 1; }
}
function drawRow(pen, row, top) {
  const isClosed = !row.spans.length && !row.open, list = isClosed ? inside(row) : row.spans;
  const middle = top + HIGH / 2, high = isClosed ? 6 : row.kind === "transition" || row.kind === "span" ? 12 : 10;
  const colour = ink.services[row.service];
  let reach = -Infinity, rightmost = null;
  for (const span of list) {
    const left = xOf(span.from), right = Math.max(xOf(span.to), left + 2);
    if (right < 0 || left > size.wide || (isClosed && !autos && span.flags & IDLE)) continue;
    if (right <= reach + 0.5 && !failed(span) && span !== picked.span) continue;   // no pixel of its own
    const from = Math.max(left, -4), wide = Math.min(right, size.wide + 4) - from;
    pen.fillStyle = failed(span) ? ink.error : colour;
    pen.globalAlpha = isClosed ? 0.7 : 1;
    if (span.flags & REFUSED) {
      pen.strokeStyle = pen.fillStyle;
      pen.lineWidth = 1;
      pen.strokeRect(from + 0.5, middle - high / 2 + 0.5, Math.max(wide - 1, 2), high - 1);
    } else pen.fillRect(from, middle - high / 2, wide, high);
    pen.globalAlpha = 1;
    if (left > reach && left > 0 && span.flags === 0 && reach > left - 3) { pen.fillStyle = ink.page; pen.fillRect(left - 0.5, middle - high / 2, 1, high); }
    if (span === picked.span) { pen.strokeStyle = ink.focus; pen.lineWidth = 2; pen.strokeRect(from - 2, middle - high / 2 - 2, wide + 4, high + 4); }
    if (hits.words && row.hit && !isClosed && textOf(span).includes(hits.words)) { pen.fillStyle = ink.hit; pen.fillRect(from, middle + high / 2 + 1, Math.max(wide, 3), 2); }
    reach = Math.max(reach, right);
    rightmost = span;
    if (wide > 8 && !isClosed) ticksOf(pen, span, middle, high);
  }
  if (rightmost && !isClosed && row.spans.length === 1) {
    const text = took(rightmost.took), room = pen.measureText(text).width, end = Math.max(xOf(rightmost.to), xOf(rightmost.from) + 2);
    pen.fillStyle = ink.muted;
    if (end + room + 8 < size.wide) pen.fillText(text, end + 5, middle + 0.5);
    else if (xOf(rightmost.from) > room + 8) pen.fillText(text, xOf(rightmost.from) - room - 5, middle + 0.5);
  }
}
function ticksOf(pen, span, middle, high) {   // events of a bar
  let reach = xOf(span.from) + 2;
  pen.fillStyle = ink.page;
  for (const [time] of span.events) {
    const x = xOf(placeOf(time));
    if (x < reach || x > size.wide || x > xOf(span.to) - 1) continue;
    pen.fillRect(x, middle - high / 2, 1, high);
    reach = x + 3;
  }
}

// --- arrows
const FAINT = 300;
function drawArrows(pen, first, last) {
  const isSeen = (span) => { const at = indexOf(span.row); return at >= first && at < last; };
  const near = arrows.filter(({ cause, effect }) => {
    const a = indexOf(cause.row), b = indexOf(effect.row);
    return a >= 0 && b >= 0 && Math.max(a, b) >= first && Math.min(a, b) < last && effect.to >= view.from && cause.from <= view.to;
  });
  if (near.length <= FAINT) for (const { cause, effect } of near) arrow(pen, cause, effect, ink.arrow, isSeen(cause) && isSeen(effect) ? 0.75 : 0.25, 1);
  const { span } = picked;
  if (!span) return;
  for (const cause of span.causes) arrow(pen, cause, span, ink.focus, 1, 2);
  for (const effect of span.caused) arrow(pen, span, effect, ink.focus, 1, 2);
  for (const [to] of span.links) if (to >= 0 && !span.causes.includes(spans[to])) arrow(pen, span, spans[to], ink.muted, 0.9, 1, [3, 3]);
  for (const [by] of span.changed) arrow(pen, by, span, ink.muted, 0.9, 1, [3, 3]);
}
function arrow(pen, from, to, colour, alpha, wide, dash = []) {
  const a = indexOf(from.row), b = indexOf(to.row);
  if (a < 0 || b < 0 || a === b) return;
  const y = (i) => i * HIGH + HIGH / 2 - tree.scrollTop, down = b > a ? 1 : -1;
  const x0 = xOf(from.from) + 1, y0 = y(a) + 5 * down, x1 = xOf(to.from) + 1, y1 = y(b) - 7 * down;
  const bend = clamp(Math.abs(y1 - y0) / 2, 12, 60) * down;
  pen.globalAlpha = alpha;
  pen.strokeStyle = pen.fillStyle = colour;
  pen.lineWidth = wide;
  pen.setLineDash(dash);
  pen.beginPath();
  pen.moveTo(x0, y0);
  pen.bezierCurveTo(x0, y0 + bend, x1, y1 - bend, x1, y1);
  pen.stroke();
  pen.setLineDash([]);
  pen.beginPath();
  pen.moveTo(x1, y1 + 2 * down);
  pen.lineTo(x1 - 3.5, y1 - 5 * down);
  pen.lineTo(x1 + 3.5, y1 - 5 * down);
  pen.fill();
  pen.globalAlpha = 1;
}

// --- axis and map
function ticks() {
  const made = [], least = 90;
  for (let i = 0; i + 1 < knots.length; i++) {
    const isGap = pressed && i % 2 === 1, left = Math.max(xOf(pieces[i]), 0), right = Math.min(xOf(pieces[i + 1]), size.wide);
    if (isGap || right <= left) continue;
    const a = timeAt(whereAt(left)), b = timeAt(whereAt(right)), step = nice((b - a) * least / (right - left));
    for (let time = Math.ceil(a / step) * step; time <= b && made.length < 200; time += step) {
      made.push([xOf(placeOf(time)), time, step]);
    }
  }
  return made;
}
function nice(step) {
  const base = 10 ** Math.floor(Math.log10(Math.max(step, 1)));
  return [1, 2, 5, 10].map((n) => n * base).find((n) => n >= step) || base;
}
function tickText(time, step) {
  const [unit, name] = time < 1e3 ? [1, "ns"] : time < 1e6 ? [1e3, "\u00b5s"] : time < 1e9 ? [1e6, "ms"] : [1e9, "s"];
  return time ? `${+(time / unit).toFixed(Math.max(0, Math.ceil(Math.log10(unit / step))))} ${name}` : "0";
}
function drawAxis() {
  const pen = fitCanvas(axis, size.wide, AXIS);
  const taken = [];
  const gaps = visibleGaps();
  for (const [left, right] of gaps) hatch(pen, left, right, 0, AXIS);
  for (const [left, right, long] of gaps.sort((a, b) => b[2] - a[2])) {
    const text = took(long, 2), wide = pen.measureText(text).width, middle = clamp((left + right) / 2, wide / 2 + 2, size.wide - wide / 2 - 2);
    const room = [middle - wide / 2 - 4, middle + wide / 2 + 4];
    if (taken.some(([a, b]) => room[1] > a && room[0] < b)) continue;
    pen.fillStyle = ink.box;
    pen.fillRect(room[0], 4, room[1] - room[0], AXIS - 8);
    pen.fillStyle = ink.focus;
    pen.fillText(text, middle - wide / 2, AXIS / 2);
    taken.push(room);
  }
  pen.strokeStyle = ink.line;
  for (const [x, time, step] of ticks()) {
    const text = tickText(time, step), wide = pen.measureText(text).width;
    pen.fillStyle = ink.line;
    pen.fillRect(Math.round(x), AXIS - 6, 1, 6);
    const left = clamp(x + 3, 2, size.wide - wide - 2), room = [left - 3, left + wide + 3];
    if (taken.some(([a, b]) => room[1] > a && room[0] < b)) continue;
    pen.fillStyle = ink.muted;
    pen.fillText(text, left, AXIS / 2 - 1);
    taken.push(room);
  }
}
function drawMap() {
  if (!mapPicture || mapPicture.wide !== size.wide) paintMap();
  const pen = fitCanvas(map, size.wide, MAP);
  pen.drawImage(mapPicture.canvas, 0, 0, size.wide, MAP);
  const left = view.from * size.wide, right = Math.max(view.to * size.wide, left + 3);
  pen.fillStyle = ink.page;
  pen.globalAlpha = 0.6;
  pen.fillRect(0, 0, left, MAP);
  pen.fillRect(right, 0, size.wide - right, MAP);
  pen.globalAlpha = 1;
  pen.strokeStyle = ink.focus;
  pen.lineWidth = 1.5;
  pen.strokeRect(left + 0.75, 0.75, Math.max(right - left - 1.5, 2), MAP - 1.5);
}
function paintMap() {
  const canvas = document.createElement("canvas"), pen = fitCanvas(canvas, size.wide, MAP), lane = (MAP - 6) / DATA.services.length;
  for (const [from, to] of pressed ? DATA.gaps : []) hatch(pen, placeOf(from) * size.wide, placeOf(to) * size.wide, 0, MAP);
  const reach = DATA.services.map(() => -1);
  for (const span of spans) {
    const row = rows[span.row];
    if (!row || (row.kind !== "transition" && row.kind !== "span") || (span.flags & IDLE)) continue;
    const x = Math.round(span.from * size.wide), right = Math.max(span.to * size.wide, x + 1);
    if (right <= reach[span.service] && !failed(span)) continue;
    reach[span.service] = right;
    pen.fillStyle = failed(span) ? ink.error : ink.services[span.service];
    pen.fillRect(x, 3 + span.service * lane, right - x, Math.max(lane - 1, 1));
  }
  mapPicture = { canvas, wide: size.wide };
}
