
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const canvas = document.getElementById("flames");
const tip = document.getElementById("tip");
const find = document.getElementById("find");
const ROW = 19;
const HANDLER = "(handler)";

/** Every box of the tree, outermost first: {frame, depth, from, size, parent}. */
const boxes = [];
function lay(node, depth, from, parent) {
  const box = { frame: node[0], depth, from, size: node[1], parent };
  boxes.push(box);
  let at = from;
  for (const child of node[2]) {
    lay(child, depth + 1, at, box);
    at += child[1];
  }
}
lay(data.tree, 0, 0, null);
const deepest = boxes.reduce((most, box) => Math.max(most, box.depth), 0);
let zoomed = boxes[0];
let over = null;
let wanted = "";

const nameOf = (index) => (index < 0 ? data.target : data.frames[index][0]);
const isHandler = (index) => index >= 0 && data.frames[index][1] === HANDLER;
const matches = (index) => {
  if (!wanted || index < 0) return false;
  const [name, file] = data.frames[index];
  return name.toLowerCase().includes(wanted) || file.toLowerCase().includes(wanted);
};
const ms = (us) => (us >= 1e6 ? `${(us / 1e6).toFixed(2)} s` : `${(us / 1e3).toFixed(1)} ms`);
const share = (us) => `${((100 * us) / (data.tree[1] || 1)).toFixed(1)} %`;

function hue(text) {
  let found = 7;
  for (const letter of text) found = (found * 31 + letter.charCodeAt(0)) % 9973;
  return found;
}
function colour(index, dark) {
  if (index < 0) return dark ? "#263043" : "#d5dbe5";
  const [name, file] = data.frames[index];
  const own = /^(nodes|amctl)\//.test(file);
  const base = own ? 18 + (hue(file) % 34) : 205 + (hue(file) % 30);
  return `hsl(${base} ${own ? 72 : 26}% ${(dark ? 40 : 72) + (hue(name) % 9)}%)`;
}

function isInZoom(box) {
  return box.from + box.size > zoomed.from && box.from < zoomed.from + zoomed.size;
}
function placeOf(box, width) {
  const scale = width / (zoomed.size || 1);
  const left = Math.max(box.from, zoomed.from);
  const right = Math.min(box.from + box.size, zoomed.from + zoomed.size);
  return [(left - zoomed.from) * scale, (right - left) * scale];
}

let shown = [];
function draw() {
  const ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = (deepest + 1) * ROW + 2;
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const paper = canvas.getContext("2d");
  paper.scale(ratio, ratio);
  paper.font = "12px ui-monospace, monospace";
  paper.textBaseline = "middle";
  const style = getComputedStyle(document.documentElement);
  const dark = style.colorScheme !== "light";
  const ink = style.getPropertyValue("--ink");
  const letter = paper.measureText("x").width;
  shown = [];
  for (const box of boxes) {
    if (!isInZoom(box)) continue;
    const [left, wide] = placeOf(box, width);
    if (wide < 0.4) continue;
    const top = box.depth * ROW + 1;
    shown.push(box);
    paper.globalAlpha = box.depth < zoomed.depth || (wanted && !matches(box.frame)) ? 0.35 : 1;
    paper.fillStyle = colour(box.frame, dark);
    paper.fillRect(left, top, Math.max(wide - 0.6, 0.4), ROW - 1);
    paper.globalAlpha = 1;
    if (isHandler(box.frame)) {
      paper.fillStyle = style.getPropertyValue("--handler");
      paper.fillRect(left, top, Math.max(wide - 0.6, 0.4), 3);
    }
    if (matches(box.frame) || box === over) {
      paper.strokeStyle = style.getPropertyValue("--hit");
      paper.lineWidth = 2;
      paper.strokeRect(left + 1, top + 1, Math.max(wide - 2.6, 0), ROW - 3);
    }
    const room = Math.floor((wide - 6) / letter);
    if (room > 1) {
      const name = nameOf(box.frame);
      paper.fillStyle = ink;
      paper.fillText(name.length > room ? `${name.slice(0, room - 1)}…` : name, left + 3, top + ROW / 2);
    }
  }
}

function tell(box) {
  over = box;
  if (!box) {
    tip.textContent = "";
  } else {
    const [name, file, line] = box.frame < 0 ? [data.target, "", 0] : data.frames[box.frame];
    const where = file && file !== HANDLER ? `   ${file}${line ? `:${line}` : ""}` : "";
    tip.textContent = `${name}   ${ms(box.size)}, ${share(box.size)}${where}`;
  }
  draw();
}
function boxAt(event) {
  const rect = canvas.getBoundingClientRect();
  const depth = Math.floor((event.clientY - rect.top - 1) / ROW);
  const x = event.clientX - rect.left;
  return shown.find((box) => {
    if (box.depth !== depth) return false;
    const [left, wide] = placeOf(box, rect.width);
    return x >= left && x < left + Math.max(wide, 1);
  });
}
function zoom(box) {
  zoomed = box || boxes[0];
  tell(over);
}

canvas.addEventListener("mousemove", (event) => {
  const box = boxAt(event) || null;
  if (box !== over) tell(box);
});
canvas.addEventListener("mouseleave", () => tell(null));
canvas.addEventListener("click", (event) => zoom(boxAt(event)));
canvas.addEventListener("keydown", (event) => {
  const here = over || zoomed;
  const beside = boxes.filter((box) => box.depth === here.depth);
  const steps = {
    ArrowUp: () => here.parent,
    ArrowDown: () => boxes.find((box) => box.parent === here),
    ArrowLeft: () => beside[beside.indexOf(here) - 1],
    ArrowRight: () => beside[beside.indexOf(here) + 1],
  };
  if (steps[event.key]) tell(steps[event.key]() || here);
  else if (event.key === "Enter") zoom(here);
  else if (event.key === "Escape") zoom(boxes[0]);
  else return;
  event.preventDefault();
});
document.getElementById("whole").addEventListener("click", () => zoom(boxes[0]));
addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== find) {
    event.preventDefault();
    find.focus();
  }
});
document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
function search(text) {
  find.value = text;
  wanted = text.trim().toLowerCase();
  let seen = 0;
  let until = -1;
  for (const box of boxes) {
    // outermost matches only, so that nothing counts twice
    if (matches(box.frame) && box.from >= until) {
      seen += box.size;
      until = box.from + box.size;
    }
  }
  document.getElementById("hits").textContent = wanted ? share(seen) : "";
  draw();
}
find.addEventListener("input", () => search(find.value));

function fill(id, rows) {
  const table = document.getElementById(id);
  table.hidden = rows.length === 0;
  for (const [index, own, total] of rows) {
    const row = table.tBodies[0].insertRow();
    const [name, file, line] = data.frames[index];
    row.insertCell().textContent = id === "handlers" ? ms(total) : ms(own);
    row.insertCell().textContent = share(id === "handlers" ? total : own);
    const cell = row.insertCell();
    cell.textContent = `${name} `;
    if (file && file !== HANDLER) {
      const where = document.createElement("small");
      where.textContent = line ? `${file}:${line}` : file;
      cell.append(where);
    }
    row.addEventListener("click", () => search(name));
  }
}
const byTotal = data.weights.filter((row) => isHandler(row[0])).sort((a, b) => b[2] - a[2]);
fill("handlers", byTotal.slice(0, 25));
fill("functions", data.weights.filter((row) => !isHandler(row[0]) && row[1] > 0).slice(0, 40));
document.querySelector("h1").textContent = `${data.target}: where the time went`;
document.getElementById("about").textContent =
  `${ms(data.tree[1])} of ${data.seconds.toFixed(1)} s busy, by ${data.how}` +
  (data.about && data.about !== data.how ? `, ${data.about}` : "");
new ResizeObserver(draw).observe(canvas.parentElement);
matchMedia("(prefers-color-scheme: light)").addEventListener("change", draw);
