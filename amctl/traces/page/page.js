// What people do: keys, mouse, buttons.
"use strict";
const find = $("find");
const trail = [];   // where jumps came from

// --- picking
function pick(row, span = null) {
  picked = { row, span };
  const before = info.hidden;
  tell();
  const hash = span ? `#${span.id}` : "";
  if (location.hash !== hash) history.replaceState(null, "", hash || location.pathname + location.search);
  if (before !== info.hidden) measure();
  redraw();
}
const only = (row) => row.spans.length === 1 ? row.spans[0] : null;
function reveal(row) {   // opens what is above it, and scrolls to it
  let changed = false;
  if (!autos && isIdle(row)) { setAutos(true); }
  for (let at = row.parent; at >= 0; at = rows[at].parent) if (!rows[at].open) { rows[at].open = true; changed = true; }
  if (changed) unfold();
  sizeTree();
  const top = place[row.at] * HIGH;
  if (top < tree.scrollTop + HIGH || top > tree.scrollTop + tree.clientHeight - 3 * HIGH) tree.scrollTop = Math.max(0, top - tree.clientHeight / 2);
}
function bring(span) {   // into the time that is shown
  const wide = view.to - view.from, margin = wide * 0.08;
  const isIn = span.from >= view.from + margin && Math.min(span.to, span.from + wide * 0.8) <= view.to - margin * 0.2;
  if (wide < 1 && !isIn) look(span.from - wide * 0.3, span.from + wide * 0.7);
}
function go(span, remember = true) {
  if (remember && picked.row) trail.push(picked);
  const row = rows[span.row];
  if (!row) return;
  reveal(row);
  bring(span);
  pick(row, span);
  say(`${DATA.services[span.service]} ${span.name}, took ${took(span.took)}`);
}
function back() {
  const last = trail.pop();
  if (!last) return;
  if (last.span) go(last.span, false);
  else { reveal(last.row); pick(last.row); }
}
function toCause() {
  if (!picked.span) return say("nothing is selected");
  const cause = picked.span.causes[0] || picked.span.changed.find(([, kind]) => kind === "added")?.[0];
  if (cause) go(cause);
  else say("no cause is known");
}
function walk(by) {
  const at = picked.row ? indexOf(picked.row.at) + by : by > 0 ? 0 : shown.length - 1, row = shown[clamp(at, 0, shown.length - 1)];
  if (!row) return;
  reveal(row);
  pick(row, only(row));
  if (picked.span) bring(picked.span);
}
function fold(row, open = !row.open) {
  if (!row?.kids) return;
  row.open = open;
  unfold();
  sizeTree();
  redraw();
}
function foldAll() {
  const close = $("b-fold").getAttribute("aria-pressed") !== "true";
  for (const row of rows) row.open = close ? row.depth > 0 || !row.kids : openByDefault(row);
  $("b-fold").setAttribute("aria-pressed", close);
  unfold();
  sizeTree();
  tree.scrollTop = 0;
  redraw();
}

// --- search
function runSearch() {
  search(find.value);
  showHits();
  redraw();
  if (picked.row) tell();
}
function showHits() {
  const { words, list, at } = hits;
  $("hits").textContent = !words ? "" : !list.length ? "none" : at < 0 ? list.length.toLocaleString("en") : `${at + 1} of ${list.length.toLocaleString("en")}`;
}
function nextHit(by) {
  if (!hits.list.length) return;
  hits.at = hits.at < 0 ? (by > 0 ? 0 : hits.list.length - 1) : (hits.at + by + hits.list.length) % hits.list.length;
  const { row, span } = hits.list[hits.at];
  if (span) go(span, false);
  else { reveal(row); pick(row); }
  showHits();
}

// --- the view
function setAutos(on) {
  autos = on;
  $("b-autos").setAttribute("aria-pressed", on);
  unfold();
  sizeTree();
  redraw();
}
function setGaps(on) {
  const a = timeAt(view.from), b = timeAt(view.to), whole = view.to - view.from > 0.999;
  pressed = on && DATA.gaps.length > 0;
  $("b-gaps").setAttribute("aria-pressed", pressed);
  layTime();
  if (whole) look(0, 1);
  else look(placeOf(a), placeOf(b));
  mapPicture = null;
  redraw();
}
function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  readInk();
  redraw();
}
function zoomTo(span) {
  if (!span) return;
  const wide = Math.max((span.to - span.from) * 1.3, finest() * 20);
  const middle = (span.from + span.to) / 2;
  look(middle - wide / 2, middle + wide / 2);
  redraw();
}
const zoom = (factor, at) => { zoomBy(factor, at); redraw(); };
const pan = (share) => { panBy(share); redraw(); };
function help(open = $("help").hidden) {
  $("help").hidden = !open;
  $("b-help").setAttribute("aria-expanded", open);
}
function sizeTree() {   // before the next frame, so that it can be scrolled at once
  $("space").style.height = Math.max(shown.length * HIGH + 8, tree.clientHeight) + "px";
}
function measure() {
  document.documentElement.style.setProperty("--bar", tree.offsetWidth - tree.clientWidth + (info.hidden || innerWidth <= 760 ? 0 : info.offsetWidth) + "px");
  redraw();
}
function setNames(wide) {
  document.body.style.setProperty("--names", clamp(wide, 90, tree.clientWidth - 120) + "px");
  measure();
}

// --- the mouse
const laneX = (event) => event.clientX - lanes.getBoundingClientRect().left;
function rowAt(event) {
  const y = event.clientY - tree.getBoundingClientRect().top + tree.scrollTop;
  return shown[Math.floor(y / HIGH)];
}
function spanAt(event) {
  const row = rowAt(event), x = laneX(event);
  if (!row) return null;
  let best = null, least = 6;
  for (const span of !row.spans.length && !row.open ? inside(row) : row.spans) {
    const left = xOf(span.from), right = Math.max(xOf(span.to), left + 2), away = x < left ? left - x : x > right ? x - right : 0;
    if (away < least || (away === least && best && span.took < best.took)) { best = span; least = away; }
  }
  return best;
}
function dragging(target, start) {   // start(event) gives what to do while it moves, and at the end
  target.addEventListener("pointerdown", (event) => {
    if (event.button || (event.pointerType === "touch" && target === lanes && event.isPrimary === false)) return;
    const moves = start(event);
    if (!moves) return;
    target.setPointerCapture(event.pointerId);
    const move = (e) => moves.move?.(e), end = (e) => {
      target.removeEventListener("pointermove", move);
      target.removeEventListener("pointerup", end);
      target.removeEventListener("pointercancel", end);
      target.classList.remove("drag");
      moves.end?.(e);
    };
    target.addEventListener("pointermove", move);
    target.addEventListener("pointerup", end);
    target.addEventListener("pointercancel", end);
  });
}
dragging(lanes, (event) => {
  const from = { x: event.clientX, y: event.clientY, view: { ...view }, top: tree.scrollTop };
  let moved = false;
  return {
    move: (e) => {
      if (!moved && Math.hypot(e.clientX - from.x, e.clientY - from.y) < 4) return;
      moved = true;
      lanes.classList.add("drag");
      tipAt(0, 0, null);
      const wide = from.view.to - from.view.from, shift = (e.clientX - from.x) / size.wide * wide;
      look(from.view.from - shift, from.view.to - shift);
      if (e.pointerType !== "touch") tree.scrollTop = from.top - (e.clientY - from.y);
      redraw();
    },
    end: (e) => {
      if (moved || e.type === "pointercancel") return;
      const span = spanAt(e), row = rowAt(e);
      if (span) pick(rows[span.row] && place[span.row] >= 0 ? rows[span.row] : row, span);
      else if (row) pick(row, null);
    },
  };
});
lanes.addEventListener("dblclick", (event) => zoomTo(spanAt(event)));
lanes.addEventListener("pointermove", (event) => { if (!event.buttons) tipAt(event.clientX, event.clientY, spanAt(event)); });
lanes.addEventListener("pointerleave", () => tipAt(0, 0, null));
tree.addEventListener("wheel", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) {
    event.preventDefault();
    zoom(1.0018 ** event.deltaY, whereAt(clamp(laneX(event), 0, size.wide)));
  } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    event.preventDefault();
    pan((event.deltaX || event.deltaY) / size.wide);
  }
}, { passive: false });
dragging(axis, (event) => {
  const left = axis.getBoundingClientRect().left, x = event.clientX - left;
  return {
    move: (e) => { const to = clamp(e.clientX - left, 0, size.wide); sweep = [Math.min(x, to), Math.max(x, to)]; redraw(); },
    end: () => {
      const swept = sweep;
      sweep = null;
      if (swept && swept[1] - swept[0] > 4) look(whereAt(swept[0]), whereAt(swept[1]));
      redraw();
    },
  };
});
axis.addEventListener("dblclick", () => { look(0, 1); redraw(); });
dragging(map, (event) => {
  const left = map.getBoundingClientRect().left, at = (e) => clamp((e.clientX - left) / size.wide, 0, 1), wide = view.to - view.from;
  const grip = at(event) >= view.from && at(event) <= view.to ? at(event) - view.from : wide / 2;
  const move = (e) => { map.classList.add("drag"); look(at(e) - grip, at(e) - grip + wide); redraw(); };
  move(event);
  return { move };
});
map.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(1.0018 ** event.deltaY, event.offsetX / size.wide);
}, { passive: false });
dragging($("split"), (event) => {
  const left = tree.getBoundingClientRect().left;
  return { move: (e) => setNames(e.clientX - left) };
});
labels.addEventListener("click", (event) => {
  const row = rowAt(event);
  if (!row) return;
  if (event.target.closest(".twist") && row.kids) return fold(row);
  pick(row, only(row));
  if (GROUPS.has(row.kind)) fold(row);
  else if (picked.span) { bring(picked.span); redraw(); }
});
labels.addEventListener("dblclick", (event) => { const row = rowAt(event); if (row) zoomTo(only(row)); });
tree.addEventListener("scroll", redraw);

// --- keys and buttons
const keys = {
  "+": () => zoom(1 / 1.5), "=": () => zoom(1 / 1.5), "-": () => zoom(1.5), "0": () => { look(0, 1); redraw(); }, f: () => { look(0, 1); redraw(); },
  ArrowLeft: () => pan(-0.15), ArrowRight: () => pan(0.15), ArrowUp: () => walk(-1), ArrowDown: () => walk(1), k: () => walk(-1), j: () => walk(1),
  PageUp: () => walk(-Math.floor(tree.clientHeight / HIGH)), PageDown: () => walk(Math.floor(tree.clientHeight / HIGH)),
  Home: () => walk(-rows.length), End: () => walk(rows.length),
  Enter: () => fold(picked.row), " ": () => fold(picked.row), z: () => zoomTo(picked.span), c: toCause, b: back, Backspace: back,
  "/": () => { find.focus(); find.select(); }, n: () => nextHit(1), N: () => nextHit(-1), g: () => setGaps(!pressed), a: () => setAutos(!autos), e: foldAll,
  t: () => setTheme(document.documentElement.dataset.theme === "light" ? "dark" : "light"), "?": () => help(),
  Escape: () => { if (!$("help").hidden) help(false); else pick(null); },
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === find) {
    if (event.key === "Enter") nextHit(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") { find.value = ""; runSearch(); tree.focus(); }
    else return;
    event.preventDefault();
    return;
  }
  if (event.target === $("split") && event.key.startsWith("Arrow")) return setNames(labels.offsetWidth + (event.key === "ArrowLeft" ? -20 : 20));
  const isButton = event.target.closest("button") && (event.key === "Enter" || event.key === " ");
  const act = Object.hasOwn(keys, event.key) ? keys[event.key] : null;
  if (!act || isButton) return;
  event.preventDefault();
  act();
});
find.addEventListener("input", runSearch);
const press = {
  "b-in": () => zoom(1 / 1.5), "b-out": () => zoom(1.5), "b-fit": keys["0"], "b-gaps": keys.g, "b-autos": keys.a, "b-fold": foldAll,
  "b-theme": keys.t, "b-help": () => help(), "b-next": () => nextHit(1), "b-prev": () => nextHit(-1),
};
for (const [id, act] of Object.entries(press)) $(id).addEventListener("click", act);
document.querySelector("#help .close").addEventListener("click", () => help(false));
$("b-gaps").hidden = !DATA.gaps.length;
$("b-gaps").setAttribute("aria-pressed", pressed);
$("b-autos").hidden = !rows.some(isIdle);

// --- begin
const errors = spans.filter(failed).length;
$("facts").append(`${DATA.started.slice(0, 19).replace("T", " ")} UTC, ${took(DATA.length)}, ${counted(spans.length, "span")}, ${counted(DATA.services.length, "service")}`);
if (errors) $("facts").append(", ", el("span", { class: "bad" }, counted(errors, "error")));
if (DATA.lost) $("facts").append(", ", el("span", { class: "bad" }, `${counted(DATA.lost, "span")} lost`));
if (DATA.left_out) $("note").textContent = `${counted(DATA.left_out, "span")} of the least left out`;
else $("note").textContent = `${counted(arrows.length, "cause")} across services`;
document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
matchMedia("(prefers-color-scheme: light)").addEventListener("change", (event) => setTheme(event.matches ? "light" : "dark"));
readInk();
new ResizeObserver(measure).observe(tree);
setNames(innerWidth <= 760 ? innerWidth * 0.38 : Math.min(320, innerWidth * 0.26));
const asked = byId.get(location.hash.slice(1));
draw();
if (asked) go(asked, false);
tree.focus({ preventScroll: true });
document.body.dataset.ready = "";
