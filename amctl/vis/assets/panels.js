// Around the picture: machines, details, search, keys, and the address of a moment.

// --- details of what is shown
const MOST = 60;   // lines of a list
const fullName = (s) => `${s.m.id}:${s.name}`;
const lampOf = (s) => {
  const on = isOn(s);
  return el("span", { class: `lamp ${s.kind}${on ? " on" : ""}` }, DATA.glyphs[s.kind][on ? 0 : 1]);
};
const small = (text) => el("span", { class: "kind" }, text);
const button = (text, item, ...before) => el("button", {
  class: "link", type: "button", click: () => pick(item, true),
  pointerenter: () => hint(item), pointerleave: () => hint(null),
}, ...before, text);
const stateLink = (s, whole) => button(whole ? fullName(s) : s.name, { state: s }, lampOf(s), " ");
const linkItem = (l, end) => el("li", {}, stateLink(l[end], true), small(` ${l.what}`));
const chips = (title, kids) => kids.length ? [el("h3", {}, title), el("div", { class: "chips" }, ...kids)] : [];
const lines = (title, kids) => {
  const more = kids.length - MOST, last = more > 0 ? [el("li", {}, small(`and ${more} more`))] : [];
  return kids.length ? [el("h3", {}, title), el("ul", {}, ...kids.slice(0, MOST), ...last)] : [];
};

function hint(item) {   // lights what a link in the panel leads to, and leaves the panel as it is
  document.querySelectorAll(".row.hint, .edge.hint").forEach((e) => e.classList.remove("hint"));
  if (item) node(item)?.classList.add("hint");
}
function details(item) {
  const { state, m, edge } = item, scroll = info.scrollTop;
  const close = { class: "close", type: "button", "aria-label": "Close details", click: () => pick(null) };
  const kids = state ? stateDetails(state) : m ? machineDetails(m) : edgeDetails(edge);
  info.replaceChildren(el("button", close, "×"), ...kids);
  info.scrollTop = scroll;
}
const clockNote = (m) => !H || cur === DATA.at || H.known.includes(m.at) ? ""
  : "; not drawn, so this is its clock at the drawn moment";
function stateDetails(s) {
  const flags = ["auto", "multi", "inherited"].filter((_, bit) => s.flags & 1 << bit);
  const facts = [isOn(s) ? "active" : "inactive", `tick ${clock[s.m.at][s.i]}`, ...flags];
  const note = clockNote(s.m) || (s.row ? "" : "; not drawn");
  const { seen } = walk([s]), crossed = new Set([...seen].map((x) => x.m));
  const relations = RELATIONS.flatMap(([, title], at) =>
    chips(title, s.relations[at].map((i) => stateLink(s.m.states[i]))));
  const path = `${count(seen.size - 1, "more state")} in ${count(crossed.size, "machine")}`;
  return [
    el("h2", {}, lampOf(s), s.name),
    el("p", {}, "of ", button(s.m.id, { m: s.m }), `; ${facts.join(", ")}${note}`),
    ...relations,
    ...lines("Comes from", s.in.map((l) => linkItem(l, "from"))),
    ...lines("Goes to", s.out.map((l) => linkItem(l, "to"))),
    ...(seen.size > 1 ? [el("h3", {}, "Whole path"), el("p", {}, path)] : []),
  ];
}
function machineDetails(m) {
  const sum = clock[m.at].reduce((a, b) => a + b, 0);
  const on = `${m.states.filter(isOn).length} of ${count(m.states.length, "state")} active`;
  const rpc = DATA.rpc.filter((pair) => pair.includes(m.at)).map(([a, b]) => machines[a === m.at ? b : a]);
  const partners = new Map();
  for (const [a, , b] of DATA.pipes) {
    if (a === m.at && b !== m.at) put(partners, `to ${machines[b].id}`, machines[b]);
    if (b === m.at && a !== m.at) put(partners, `from ${machines[a].id}`, machines[a]);
  }
  const links = (title, list) => lines(title, list.map((x) => el("li", {}, button(x.id, { m: x }))));
  const pipes = [...partners].map(([text, found]) =>
    el("li", {}, button(text, { m: found[0] }), small(` ${count(found.length, "pair")} of states`)));
  return [
    el("h2", {}, m.id),
    el("p", {}, `${on}, time ${sum}${clockNote(m) || ["; not drawn", "; only its title is drawn", ""][m.drawn]}`),
    ...(m.tags.length ? [el("p", {}, m.tags.map((tag) => "#" + tag).join(" "))] : []),
    ...links("Parent", m.parent >= 0 ? [machines[m.parent]] : []),
    ...links("Children", m.kids),
    ...links("RPC", rpc),
    ...lines("Pipes", pipes),
    ...chips("States", m.states.map((s) => stateLink(s))),
  ];
}
function edgeDetails(edge) {
  const { a, b } = edge.dataset, links = members.get(edge) || [];
  const [head, ...rest] = (edge.querySelector("title")?.textContent || "").split("\n");
  if (!links.length) {
    const ends = [a, b].filter((id) => byId.has(id)).map((id) => el("li", {}, button(id, { m: byId.get(id) })));
    return [el("h2", {}, head), ...rest.map((text) => el("p", {}, text)), ...lines("Ends", ends)];
  }
  const side = (s) => s ? stateLink(s) : "?";
  const kinds = new Set(links.map((l) => l.what)), all = kinds.size === 1 ? `, ${[...kinds][0]}` : "";
  return [
    el("h2", {}, `${a} → ${b}`),
    ...lines(`${count(links.length, "pair")} of states${all}`, links.map((l) =>
      el("li", {}, side(l.from), " → ", side(l.to), small(all ? "" : ` ${l.what}`)))),
  ];
}

// --- picking: a click, Enter, a link in a panel, or the address
function pick(item, go) {
  show(item, true);
  if (go && item) centre(node(item) || machineNodes.get((item.state || item).m?.id));
  if (item?.m || !item) focusRow(null);
  remember();
}
function focusRow(item) {
  const target = item && node(item);
  if (!target) return;
  target.setAttribute("tabindex", "-1");
  target.setAttribute("role", "button");
  target.setAttribute("aria-label", item.m ? item.m.id
    : `${item.state.m.id}, ${item.state.name}, ${isOn(item.state) ? "active" : "inactive"}`);
  target.focus({ preventScroll: true });
}
function moveTo(item) {
  if (!item) return;
  show(item, true);
  focusRow(item);
  const r = node(item).getBoundingClientRect(), v = view.getBoundingClientRect();
  const outside = r.left < v.left || r.right > v.right || r.top < v.top || r.bottom > v.bottom;
  if (outside || place.k < 0.5) centre(node(item));
  remember();
}

// --- the list of machines
function list() {
  const names = $("list").firstElementChild;
  const add = (m, depth) => {
    listed.add(m);
    if (m.drawn) names.append(line(m, depth));
    m.kids.forEach((kid) => listed.has(kid) || add(kid, depth + (m.drawn ? 1 : 0)));
  };
  const listed = new Set();
  const line = (m, depth) => {
    const span = (name) => el("span", { class: name });
    const item = { lamp: span("lamp"), count: span("count"), states: span("states"), button: el("button", {
      type: "button", class: m.drawn === 2 ? "" : "away", "data-m": m.id,
      click: () => { if (narrow()) toggleList(false); pick({ m }, true); },
    }) };
    item.button.style.setProperty("--depth", Math.min(depth, 6));
    item.button.append(item.lamp, el("span", { class: "name" }, m.id), item.count, item.states);
    m.item = item;
    const texts = machineNodes.get(m.id)?.querySelectorAll(":scope > text:not(.ttl)") || [];
    m.card = [...texts].find((text) => /^\d+\/\d+$/.test(text.textContent));
    paintMachine(m);
    return el("li", {}, item.button);
  };
  for (const m of machines) if (m.parent < 0) add(m, 0);
  for (const m of machines) if (!listed.has(m)) add(m, 0);   // parents in a circle
  const away = machines.filter((m) => !m.drawn).length;
  if (away) names.append(el("li", { class: "more" }, `${count(away, "more machine")} not drawn`));
}
const narrow = () => innerWidth <= 760;
function toggleList(on = !document.body.classList.contains("listed")) {
  document.body.classList.toggle("listed", on);
  $("b-list").setAttribute("aria-expanded", on);
  if (fitted) fit();
}

// --- search: "state", "machine" or "machine:state"; Enter walks through the hits
let hits = [], hitAt = -1;
function find(text) {
  const wanted = text.trim().toLowerCase();
  document.querySelectorAll(".found").forEach((e) => e.classList.remove("found"));
  hits = [];
  hitAt = -1;
  $("hits").textContent = "";
  if (!wanted) return;
  for (const m of machines) if (m.id.toLowerCase().includes(wanted)) hits.push({ m });
  const inState = wanted.includes(":") ? fullName : (s) => s.name;
  for (const s of states) if (inState(s).toLowerCase().includes(wanted)) hits.push({ state: s });
  for (const hit of hits) {
    node(hit)?.classList.add("found");
    (hit.state?.m || hit.m).item?.button.classList.add("found");
  }
  const away = hits.filter((hit) => !node(hit)).length;
  $("hits").textContent = count(hits.length, "hit") + (away ? `, ${away} not drawn` : "");
}
function nextHit(by) {
  if (!hits.length) return;
  hitAt = (hitAt + by + hits.length) % hits.length;
  pick(hits[hitAt], true);
  const { state, m } = hits[hitAt], name = state ? fullName(state) : m.id;
  $("hits").textContent = `${hitAt + 1} of ${hits.length}${node(hits[hitAt]) ? "" : ", not drawn"}`;
  say(`${$("hits").textContent}: ${name}`);
}

// --- the address: #t=NANOSECONDS&s=MACHINE:STATE, so that a moment can be sent to somebody
let remembering = 0;
function remember() {
  clearTimeout(remembering);
  remembering = setTimeout(() => {
    const parts = [];
    if (H && cur !== DATA.at) {
      const twin = cur && cur < moments && time[cur] === time[cur - 1] ? "." + cur : "";
      parts.push(`t=${cur ? BigInt(H.base) + BigInt(time[cur - 1]) : 0}${twin}`);
    }
    const { state, m } = pinned && shown || {}, coded = (...names) => names.map(encodeURIComponent).join(":");
    if (state) parts.push("s=" + coded(state.m.id, state.name));
    if (m) parts.push("m=" + coded(m.id));
    const hash = parts.length ? "#" + parts.join("&") : "";
    if (hash !== location.hash) history.replaceState(null, "", hash || location.href.split("#")[0]);
  }, 250);
}
function recall() {
  const asked = Object.fromEntries(location.hash.slice(1).split("&").map((part) => part.split(/=(.*)/s)));
  let decoded = [];
  try { decoded = (asked.s || asked.m || "").split(":").map(decodeURIComponent); } catch { /* not ours */ }
  if (H && /^\d+(\.\d+)?$/.test(asked.t || "")) {
    const [ns, at] = asked.t.split("."), since = BigInt(ns) - BigInt(H.base);
    const after = time.findIndex((t) => BigInt(t) > since);
    seek(at ? +at : after < 0 ? moments : after);
  }
  const s = asked.s && named(decoded[0], decoded[1]), m = asked.m && byId.get(decoded[0]);
  if (s) pick({ state: s }, true);
  else if (m) pick({ m }, true);
}

// --- hands
const pointers = new Map();
let moved = false, last = null;
view.addEventListener("wheel", (ev) => {
  ev.preventDefault();
  const r = view.getBoundingClientRect(), unit = [1, 16, 400][ev.deltaMode];
  zoom(Math.exp(clamp(-ev.deltaY * unit * 0.0015, -0.5, 0.5)), ev.clientX - r.left, ev.clientY - r.top);
}, { passive: false });
view.addEventListener("pointerdown", (ev) => {
  if (ev.button) return;
  pointers.set(ev.pointerId, [ev.clientX, ev.clientY]);
  if (pointers.size === 1) moved = false;
  last = null;
});
addEventListener("pointermove", (ev) => {
  const before = pointers.get(ev.pointerId);
  if (!before) return;
  const dx = ev.clientX - before[0], dy = ev.clientY - before[1];
  if (!moved && Math.hypot(dx, dy) < 5) return;
  if (!moved) { moved = true; view.classList.add("drag"); view.setPointerCapture(ev.pointerId); }
  pointers.set(ev.pointerId, [ev.clientX, ev.clientY]);
  if (pointers.size === 1) return pan(dx, dy);
  const [a, b] = [...pointers.values()], r = view.getBoundingClientRect();
  const x = (a[0] + b[0]) / 2 - r.left, y = (a[1] + b[1]) / 2 - r.top, far = Math.hypot(a[0] - b[0], a[1] - b[1]);
  if (last?.far) {
    pan(x - last.x, y - last.y);
    zoom(far / last.far, x, y);
  }
  last = { x, y, far };
});
const up = (ev) => { pointers.delete(ev.pointerId); last = null; if (!pointers.size) view.classList.remove("drag"); };
addEventListener("pointerup", up);
addEventListener("pointercancel", up);
let leaving = 0;
function hover(item) {   // what is left stays for a moment, or every gap between two rows would flicker
  clearTimeout(leaving);
  if (pinned || pointers.size || same(item, shown)) return;
  if (item) show(item, false);
  else leaving = setTimeout(() => { if (!pinned) show(null); }, 120);
}
sheet.addEventListener("pointerover", (ev) => {
  const item = ev.pointerType === "touch" ? null : itemOf(ev.target);
  hover(item?.m ? null : item);
});
sheet.addEventListener("pointerleave", () => hover(null));
view.addEventListener("click", (ev) => {
  if (moved) return;
  const item = itemOf(ev.target);
  pick(pinned && same(item, shown) ? null : item);
  if (item && !item.edge) focusRow(item);
});
view.addEventListener("dblclick", (ev) => {
  const r = view.getBoundingClientRect();
  zoom(1.7, ev.clientX - r.left, ev.clientY - r.top);
});

// --- keys
const readingOrder = (m) => m.states.filter((s) => s.row).sort((a, b) => {
  const one = a.row.getBoundingClientRect(), other = b.row.getBoundingClientRect();
  return one.left - other.left > 40 ? 1 : other.left - one.left > 40 ? -1 : one.top - other.top;
});
function inPicture(key) {
  const item = itemOf(document.activeElement);
  if (!item || item.edge) {
    if (key === "Enter") moveTo(shown && !shown.edge ? shown : { m: machines.find((m) => m.drawn === 2) });
    return key === "Enter";
  }
  const m = item.m || item.state.m, rows = readingOrder(m), at = rows.indexOf(item.state);
  if (key === "ArrowDown") moveTo(rows[at + 1] && { state: rows[at + 1] });
  else if (key === "ArrowUp") moveTo(at > 0 ? { state: rows[at - 1] } : item.state && { m });
  else if (key === "ArrowRight") moveTo(drawn(item.state?.out.map((l) => l.to)));
  else if (key === "ArrowLeft") moveTo(drawn(item.state?.in.map((l) => l.from)));
  else if (key === "Escape") { pick(null); view.focus(); }
  else return false;
  return true;
}
const drawn = (found) => { const s = found?.find((x) => x.row); return s && { state: s }; };
const KEYS = {
  "/": () => { $("find").focus(); $("find").select(); }, m: () => toggleList(), t: () => theme(), "?": () => help(),
  "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(1 / 1.25), 0: fit, 1: () => zoom(1 / place.k),
  ",": () => step(-1), ".": () => step(1), " ": () => H && play(!playing),
  Escape: () => { help(false); pick(null); find($("find").value = ""); },
};
const MOVES = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
addEventListener("keydown", (ev) => {
  if (ev.ctrlKey || ev.metaKey || ev.altKey) return;
  const target = ev.target;
  if (target === $("find")) {
    if (ev.key === "Enter") nextHit(ev.shiftKey ? -1 : 1);
    else if (ev.key === "Escape") { find(target.value = ""); view.focus(); }
    else return;
  } else if (view.contains(target) && inPicture(ev.key)) { /* it moved */ }
  else if (target === view && MOVES[ev.key]) pan(...MOVES[ev.key].map((way) => way * 80));
  else if (KEYS[ev.key] && !(ev.key === " " && target.matches("button"))) KEYS[ev.key]();
  else return;
  ev.preventDefault();
});

// --- looks
const system = matchMedia("(prefers-color-scheme: light)");
function theme() {
  const root = document.documentElement, now = root.dataset.theme || (system.matches ? "light" : "dark");
  const next = now === "light" ? "dark" : "light";
  if (next === (system.matches ? "light" : "dark")) delete root.dataset.theme;
  else root.dataset.theme = next;
}
function help(on = $("help").hidden) {
  $("help").hidden = !on;
  $("b-help").setAttribute("aria-expanded", on);
}

// --- begin
const BUTTONS = {
  "b-list": toggleList, "b-in": () => zoom(1.4), "b-out": () => zoom(1 / 1.4), "b-fit": fit,
  "b-one": () => zoom(1 / place.k), "b-theme": theme, "b-help": help, "b-back": () => step(-1),
  "b-on": () => step(1), "b-play": () => play(!playing),
};
function begin() {
  svg.setAttribute("role", "group");
  list();
  for (const [id, action] of Object.entries(BUTTONS)) $(id).addEventListener("click", () => action());
  $("find").addEventListener("input", (ev) => find(ev.target.value));
  if (H) {
    $("slider").max = moments;
    $("slider").addEventListener("input", (ev) => { if (playing) play(false); seek(+ev.target.value); });
    $("slider").addEventListener("change", remember);
    $("time").hidden = false;
    $("note").textContent = DATA.note;
    const drawnAt = DATA.at;
    if (DATA.exact) { cur = moments; rewind(drawnAt); tell(); } else seek(drawnAt);
  }
  new ResizeObserver(() => fitted ? fit() : apply()).observe(view);
  if (innerWidth >= 1280) toggleList(true);
  split();
  fit();
  roomForTitles();
  recall();
  addEventListener("hashchange", recall);
  document.body.dataset.ready = "";
}
function rewind(n) {   // the picture shows that moment already
  for (; cur > n; cur--) {
    const d = H.d[cur - 1], before = old[cur - 1];
    for (let j = d.length - 3; j >= 0; j -= 3) clock[d[j]][d[j + 1]] = before[j / 3];
  }
  machines.forEach(paintMachine);
}
function roomForTitles() {   // how much a title may grow when the picture is small
  for (const shape of base.querySelectorAll(".mach")) {
    const title = shape.querySelector(".ttl");
    if (!title) continue;
    const room = (shape.getBBox().width - 8) / title.getComputedTextLength();
    title.style.setProperty("--room", Math.max(1, room).toFixed(2));
  }
}
begin();
