"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const canvas = at("flames"), strip = at("strip"), tip = at("tip"), find = at("find");
const ROW = 19, LANE = 17, LANES = 10, ABOVE = 2;  // pixels, pixels, most lanes, faded rows over a zoom
const HANDLER = "(handler)";
const MOST_OF_ALL = 0.97;                          // a trunk holds so much of all time
let wanted = "", over = null;                      // text that is searched; box or span under the pointer

// --- words
const nameOf = (index) => (index < 0 ? data.target : data.frames[index][0]);
const isHandler = (index) => index >= 0 && data.frames[index][1] === HANDLER;
const has = (text) => wanted !== "" && text.toLowerCase().includes(wanted);
const matches = (index) => index >= 0 && (has(data.frames[index][0]) || has(data.frames[index][1]));
const ms = (us) => (us >= 1e6 ? `${(us / 1e6).toFixed(2)} s` : us >= 1e3 ? `${(us / 1e3).toFixed(1)} ms` : `${us} µs`);
const share = (us) => `${((100 * us) / (data.tree[1] || 1)).toFixed(1)} %`;
const whereOf = ([, file, line]) => (!file || file === HANDLER ? "" : line ? `${file}:${line}` : file);

// --- colours: warm is ours, cold is Python's library and others', green a handler
function hue(text) {
  let found = 7;
  for (const letter of text) found = (found * 31 + letter.charCodeAt(0)) % 9973;
  return found;
}
function look() {
  const style = getComputedStyle(document.documentElement);
  const dark = style.colorScheme !== "light";
  const tone = (base, rich, name) => `hsl(${base} ${rich}% ${(dark ? 27 : 76) + (hue(name) % 7)}%)`;
  return {
    ink: style.getPropertyValue("--ink"), hit: style.getPropertyValue("--hit"),
    muted: style.getPropertyValue("--muted"), line: style.getPropertyValue("--line"),
    handler: (name) => tone(158 + (hue(name) % 26), dark ? 55 : 45, name),
    frame(index) {
      if (index < 0) return style.getPropertyValue("--line");
      const [name, file] = data.frames[index];
      if (file === HANDLER) return this.handler(name);
      return /^(nodes|amctl)\//.test(file) ? tone(16 + (hue(file) % 32), dark ? 58 : 80, name)
        : tone(208 + (hue(file) % 32), dark ? 22 : 30, name);
    },
  };
}
function paperOf(sheet, height) {
  const ratio = devicePixelRatio || 1, width = sheet.clientWidth;
  sheet.style.height = `${height}px`;
  sheet.width = Math.round(width * ratio);
  sheet.height = Math.round(height * ratio);
  const paper = sheet.getContext("2d");
  paper.scale(ratio, ratio);
  paper.font = "12px ui-monospace, monospace";
  paper.textBaseline = "middle";
  return [paper, width];
}
function paint(paper, colours, { left, top, wide, tall, fill, name, hit, faded }) {
  paper.globalAlpha = faded ? 0.35 : 1;
  paper.fillStyle = fill;
  paper.fillRect(left, top, Math.max(wide - 0.6, 0.8), tall);
  if (hit) {
    paper.globalAlpha = 1;
    paper.strokeStyle = colours.hit;
    paper.lineWidth = 2;
    paper.strokeRect(left + 1, top + 1, Math.max(wide - 2.6, 0), tall - 2);
  }
  const room = Math.floor((wide - 6) / paper.measureText("x").width);
  if (room > 1) {
    paper.globalAlpha = faded ? 0.55 : 1;
    paper.fillStyle = colours.ink;
    paper.fillText(name.length > room ? `${name.slice(0, room - 1)}…` : name, left + 3, top + tall / 2);
  }
  paper.globalAlpha = 1;
}

// --- flames
/** Every box of the tree, outermost first: {frame, depth, from, size, parent, inner}. */
const boxes = [];
function lay(node, depth, from, parent) {
  const box = { frame: node[0], depth, from, size: node[1], parent, inner: [] };
  boxes.push(box);
  let place = from;
  for (const child of node[2]) {
    box.inner.push(lay(child, depth + 1, place, box));
    place += child[1];
  }
  return box;
}
lay(data.tree, 0, 0, null);
const root = boxes[0];
/** Where the first branches leave the trunk that every stack has: what is below is of no interest. */
function trunk() {
  let box = root;
  for (;;) {
    const next = box.inner.find((child) => child.size >= MOST_OF_ALL * root.size);
    if (!next || isHandler(next.frame) || !next.inner.length) return box.depth > ABOVE ? box : root;
    box = next;
  }
}
let zoomed = trunk(), shown = [];
const isWithin = (box, outer) => box.from + box.size > outer.from && box.from < outer.from + outer.size;
const top_ = () => Math.max(0, zoomed.depth - ABOVE);
function placeOf(box, width) {
  const scale = width / (zoomed.size || 1);
  const left = Math.max(box.from, zoomed.from);
  const right = Math.min(box.from + box.size, zoomed.from + zoomed.size);
  return [(left - zoomed.from) * scale, (right - left) * scale];
}
function drawFlames() {
  const first = top_(), here = boxes.filter((box) => box.depth >= first && isWithin(box, zoomed));
  const deepest = here.reduce((most, box) => Math.max(most, box.depth), first);
  const [paper, width] = paperOf(canvas, (deepest - first + 1) * ROW + 2), colours = look();
  shown = [];
  for (const box of here) {
    const [left, wide] = placeOf(box, width);
    if (wide < 0.4) continue;
    shown.push(box);
    paint(paper, colours, {
      left, wide, top: (box.depth - first) * ROW + 1, tall: ROW - 1, fill: colours.frame(box.frame),
      name: nameOf(box.frame), hit: matches(box.frame) || box === over,
      faded: box.depth < zoomed.depth || (wanted !== "" && !matches(box.frame)),
    });
  }
  at("way").textContent = first ? `${first} outer frames are folded` : "";
  at("whole").disabled = zoomed === root;
}
function boxAt(event) {
  const rect = canvas.getBoundingClientRect(), x = event.clientX - rect.left;
  const depth = Math.floor((event.clientY - rect.top - 1) / ROW) + top_();
  return shown.find((box) => {
    if (box.depth !== depth) return false;
    const [left, wide] = placeOf(box, rect.width);
    return x >= left && x < left + Math.max(wide, 1);
  }) || null;
}
function zoom(box) {
  zoomed = box || root;
  drawFlames();
}

// --- handlers over time
/** {name, from, size, waits, lane}: each in the first lane that is free for its whole time. */
const spans = data.spans.map(([name, from, size, waits]) => ({ name, from, size, waits, lane: 0 }));
const free = [];
for (const span of spans) {
  const lane = free.findIndex((until) => until <= span.from);
  span.lane = lane < 0 ? free.length : lane;
  free[span.lane] = span.from + Math.max(span.size, 1);
}
const lanes = Math.min(free.length, LANES);
const ALL = [0, Math.max(data.seconds * 1e6, ...spans.map((span) => span.from + span.size))];
let period = ALL;
const xOf = (time, width) => ((time - period[0]) * width) / (period[1] - period[0]);
function drawStrip() {
  if (!spans.length) return;
  const [paper, width] = paperOf(strip, lanes * LANE + 20), colours = look();
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 3e7, 6e7]
    .find((size) => (size * width) / (period[1] - period[0]) > 70) || 12e7;
  for (let time = Math.ceil(period[0] / step) * step; time <= period[1]; time += step) {
    const x = xOf(time, width);
    paper.fillStyle = colours.line;
    paper.fillRect(x, 0, 1, lanes * LANE + 4);
    paper.fillStyle = colours.muted;
    if (x < width - 60) paper.fillText(step >= 1e6 ? `${time / 1e6} s` : step >= 1e3 ? `${time / 1e3} ms` : `${time} µs`, x + 3, lanes * LANE + 11);
  }
  for (const span of spans) {
    if (span.lane >= lanes || span.from > period[1] || span.from + span.size < period[0]) continue;
    const left = Math.max(xOf(span.from, width), 0);
    const wide = Math.min(xOf(span.from + span.size, width), width) - left;
    paint(paper, colours, {
      left, wide, top: span.lane * LANE + 1, tall: LANE - 2, fill: colours.handler(span.name), name: span.name,
      hit: has(span.name) || span === over, faded: wanted !== "" && !has(span.name),
    });
    if (span.waits) {
      paper.fillStyle = colours.ink;
      for (let x = left; x < left + wide; x += 8) paper.fillRect(x, span.lane * LANE + LANE - 2, Math.min(4, left + wide - x), 1);
    }
  }
}
function spanAt(event) {
  const rect = strip.getBoundingClientRect(), x = event.clientX - rect.left;
  const lane = Math.floor((event.clientY - rect.top - 1) / LANE);
  const near = (span) => Math.max(0, xOf(span.from, rect.width) - x, x - xOf(span.from + span.size, rect.width));
  const here = spans.filter((span) => span.lane === lane && near(span) <= 2);
  return here.sort((a, b) => near(a) - near(b))[0] || null;
}
function look_at(span) {
  const margin = span ? Math.max(span.size * 0.1, 5) : 0;
  period = span ? [Math.max(0, span.from - margin), span.from + span.size + margin] : ALL;
  drawStrip();
}

// --- both
function draw() {
  drawStrip();
  drawFlames();
}
function tell(thing) {
  over = thing;
  if (!thing) tip.textContent = "";
  else if ("lane" in thing) {
    tip.textContent = `${thing.name}   ${ms(thing.size)}, from ${ms(thing.from)} on${thing.waits ? "   (coroutine)" : ""}`;
  } else {
    const frame = thing.frame < 0 ? [data.target, "", 0] : data.frames[thing.frame];
    tip.textContent = `${frame[0]}   ${ms(thing.size)}, ${share(thing.size)}   ${whereOf(frame)}`;
  }
  draw();
}
function search(text) {
  find.value = text;
  wanted = text.trim().toLowerCase();
  let seen = 0, until = -1;
  for (const box of boxes) {
    // outermost matches only, so that nothing counts twice
    if (matches(box.frame) && box.from >= until) {
      seen += box.size;
      until = box.from + box.size;
    }
  }
  at("hits").textContent = wanted ? share(seen) : "";
  draw();
}
function follow(sheet, thingAt, enter, leave, step) {
  sheet.addEventListener("mousemove", (event) => {
    const thing = thingAt(event);
    if (thing !== over) tell(thing);
  });
  sheet.addEventListener("mouseleave", () => tell(null));
  sheet.addEventListener("click", (event) => {
    const thing = thingAt(event);
    tell(thing);                                   // fingers don't hover
    enter(thing);
  });
  sheet.addEventListener("keydown", (event) => {
    if (event.key === "Enter") enter(over);
    else if (event.key === "Escape") leave();
    else {
      const next = step(event.key);
      if (next === undefined) return;
      if (next) tell(next);
    }
    event.preventDefault();
  });
}
follow(canvas, boxAt, (box) => zoom(box || zoomed), () => zoom(root), (key) => {
  const here = over && "depth" in over ? over : zoomed;
  const beside = () => shown.filter((box) => box.depth === here.depth);
  if (key === "ArrowUp") {
    if (here.parent && here.parent.depth < top_()) zoom(here.parent);
    return here.parent;
  }
  if (key === "ArrowDown") return here.inner.reduce((most, box) => (!most || box.size > most.size ? box : most), null);
  if (key === "ArrowLeft") return beside()[beside().indexOf(here) - 1] || null;
  if (key === "ArrowRight") return beside()[beside().indexOf(here) + 1] || null;
});
follow(strip, spanAt, look_at, () => look_at(null), (key) => {
  const here = over && "lane" in over ? spans.indexOf(over) : -1;
  if (key === "ArrowLeft") return spans[here - 1] || null;
  if (key === "ArrowRight") return spans[here + 1] || null;
});
at("whole").addEventListener("click", () => zoom(root));
addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== find) {
    event.preventDefault();
    find.focus();
  }
});
document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
find.addEventListener("input", () => search(find.value));

function fill(id, rows) {
  const table = at(id);
  table.hidden = rows.length === 0;
  for (const [index, own, total] of rows) {
    const row = table.tBodies[0].insertRow(), frame = data.frames[index];
    const time = id === "handlers" ? total : own;
    row.insertCell().textContent = ms(time);
    row.insertCell().textContent = share(time);
    const cell = row.insertCell(), button = document.createElement("button");
    button.textContent = frame[0];
    button.addEventListener("click", () => search(has(frame[0]) ? "" : frame[0]));
    cell.append(button);
    if (whereOf(frame)) {
      const where = document.createElement("small");
      where.textContent = whereOf(frame);
      cell.append(" ", where);
    }
  }
}
const byTotal = data.weights.filter((row) => isHandler(row[0])).sort((a, b) => b[2] - a[2]);
fill("handlers", byTotal.slice(0, 25));
fill("functions", data.weights.filter((row) => !isHandler(row[0]) && row[1] > 0).slice(0, 40));
at("time").hidden = !spans.length;
at("more").textContent = [
  data.spans_left_out ? `${data.spans_left_out} shorter ones are left out` : "",
  free.length > lanes ? `${spans.filter((span) => span.lane >= lanes).length} more ran beside these` : "",
].filter(Boolean).join(", ");
document.querySelector("h1").textContent = `${data.target}: where the time went`;
at("about").textContent = `${ms(data.tree[1])} of ${data.seconds.toFixed(1)} s busy, by ${data.how}`
  + (data.about && data.about !== data.how ? `, ${data.about}` : "");
at("none").hidden = root.size > 0;
new ResizeObserver(draw).observe(canvas.parentElement);
matchMedia("(prefers-color-scheme: light)").addEventListener("change", draw);
document.body.dataset.ready = "";
