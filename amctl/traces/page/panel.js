// Names of rows, details of what is picked, the tip at the pointer. Texts only ever become text nodes.
"use strict";
const info = $("info"), labels = $("labels"), tip = $("tip");
const el = (tag, attrs = {}, ...kids) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attrs)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...kids);
  return node;
};
const say = (text) => { $("say").textContent = text; };

// --- names
const GROUPS = new Set(["service", "machine", "states", "transitions"]);
function marked(text) {
  const made = [], low = text.toLowerCase();
  // where small letters are longer, as of \u0130, places don't fit
  if (!hits.words || low.length !== text.length) return [text];
  let at = 0;
  for (let next = low.indexOf(hits.words); next >= 0; next = low.indexOf(hits.words, at)) {
    made.push(text.slice(at, next), el("mark", {}, text.slice(next, next + hits.words.length)));
    at = next + hits.words.length;
  }
  return [...made, text.slice(at)];
}
function countOf(row) {
  if (row.kind === "state" && row.spans.length > 1) return `\u00d7${row.spans.length.toLocaleString("en")}`;
  if (row.kind !== "transitions" && row.open) return "";
  return row.kids && row.kind !== "state" ? row.kids.toLocaleString("en") : "";
}
function labelOf(row, index) {
  const refused = row.kind === "transition" && row.spans.some((span) => span.flags & REFUSED), isBad = bad(row);
  const classes = ["row", GROUPS.has(row.kind) && row.depth < 2 ? "group" : "", row.kind === "states" || row.kind === "transitions" ? "quiet" : "",
    refused ? "refused" : "", isBad ? "bad" : "", row === picked.row ? "picked" : "", row.hit ? "hit" : "",
    hits.list[hits.at]?.row === row ? "at" : ""].filter(Boolean).join(" ");
  const node = el("div", {
    class: classes, id: `r${row.at}`, role: "treeitem", "aria-level": row.depth + 1, "aria-selected": row === picked.row ? "true" : "false",
    "aria-expanded": row.kids ? String(row.open) : null, title: row.label,
  });
  node.style.top = index * HIGH - tree.scrollTop + "px";
  node.style.paddingLeft = 4 + Math.min(row.depth, 12) * 14 + "px";
  node.append(el("span", { class: "twist" }, row.kids ? row.open ? "\u25be" : "\u25b8" : ""));
  if (row.depth === 0) {
    const chip = el("span", { class: "chip" });
    chip.style.background = ink.services[row.service];
    node.append(chip);
  }
  if (isBad) node.append(el("span", { class: "mark" }, "\u25b2"));
  else if (refused) node.append(el("span", { class: "mark" }, "\u00d7"));
  node.append(el("span", { class: "label" }, ...marked(row.label)), el("span", { class: "count" }, countOf(row)));
  return node;
}
function drawLabels(first, last) {
  const made = [];
  for (let i = first; i < last; i++) made.push(labelOf(shown[i], i));
  labels.replaceChildren(...made);
  if (picked.row && place[picked.row.at] >= 0) tree.setAttribute("aria-activedescendant", `r${picked.row.at}`);
  else tree.removeAttribute("aria-activedescendant");
}

// --- details
const section = (title, ...kids) => kids.length ? [el("h3", {}, title), ...kids] : [];
const jump = (span, lead = "") => el("button", { class: "jump", "data-span": span.id, click: () => go(span) }, lead, el("b", {}, DATA.services[span.service]), ` ${span.name}`);
const MOST = 200;
const jumps = (list) => {
  if (!list.length) return [];
  const more = list.length > MOST ? [el("li", {}, `and ${(list.length - MOST).toLocaleString("en")} more`)] : [];
  return [el("ul", {}, ...list.slice(0, MOST).map((span) => el("li", {}, jump(span))), ...more)];
};
function pairOf([key, value]) {   // the search may be for `key=value`
  const low = [key, value].map((text) => text.toLowerCase()), isBoth = hits.words.includes("=") && low.join("=").includes(hits.words);
  const both = isBoth && !low.some((text) => text.includes(hits.words));
  return el("tr", {}, el("td", {}, ...marked(key)), el("td", {}, ...(both ? [el("mark", {}, value)] : marked(value))));
}
const table = (list) => list.length ? [el("table", {}, el("tbody", {}, ...list.map(pairOf)))] : [];
function eventOf(span, [time, name, attributes]) {
  const when = el("span", { class: "when" }, `+${took(Math.max(time - span.start, 0))}`);
  return el("li", {}, when, ...marked(TEXT[name]), ...table(pairs(attributes)));
}
function detailsOf(span) {
  const row = rows[span.row], machine = row && machineOf(row), status = ["unset", "ok", "error", "unset"][span.flags & 3];
  const chips = [DATA.services[span.service], machine && machine.label !== DATA.services[span.service] && machine.label, row?.kind,
    span.flags & IDLE ? "refused auto" : span.flags & REFUSED && "refused"].filter(Boolean);
  const linked = (what) => span.links.filter(([to, kind]) => to >= 0 && TEXT[kind] === what).map(([to]) => spans[to]);
  const away = span.links.filter(([to]) => to < 0).map(([, kind, id]) => el("li", {}, `${TEXT[kind] || "link"}: span ${id}, not in this file`));
  const changed = (what) => span.changed.filter(([, kind]) => kind === what).map(([by]) => by);
  return [
    el("h2", { title: span.name }, span.name),
    el("div", { class: "chips" }, ...chips.map((text) => el("span", {}, text))),
    ...(failed(span) ? [el("p", { class: "status" }, `\u25b2 ${span.message || "failed"}`)] : []),
    ...section("Time", ...table([["begins", `+${took(span.start, 6)}`], ["took", took(span.took, 6)], ["at", `${clock(span.start)} UTC`], ["status", status]])),
    ...section("Caused by", ...jumps(span.causes)),
    ...section("Causes", ...jumps(span.caused)),
    ...section("Activated", ...jumps(linked("added"))),
    ...section("Deactivated", ...jumps(linked("removed"))),
    ...section("Activated by", ...jumps(changed("added"))),
    ...section("Deactivated by", ...jumps(changed("removed"))),
    ...section("Links elsewhere", ...(away.length ? [el("ul", {}, ...away)] : [])),
    ...section("Attributes", ...table(pairs(span.attributes))),
    ...section("Events", ...(span.events.length ? [el("ul", {}, ...span.events.slice(0, MOST).map((event) => eventOf(span, event)))] : [])),
    ...section("Span", ...table([["id", span.id], ["parent", span.parent >= 0 ? `${spans[span.parent].id} ${spans[span.parent].name}` : "none here"]])),
  ];
}
function rowDetails(row) {
  const below = row.last - row.at, facts = [["rows below", below.toLocaleString("en")]];
  if (row.spans.length) facts.push(["times", row.spans.length.toLocaleString("en")], ["in all", took(row.spans.reduce((sum, span) => sum + span.took, 0))]);
  return [
    el("h2", {}, row.label),
    el("div", { class: "chips" }, ...[DATA.services[row.service], row.kind].map((text) => el("span", {}, text))),
    ...section("In short", ...table(facts)),
    ...section("Each time", ...(row.spans.length ? [el("ul", {}, ...row.spans.slice(0, MOST).map((span) => el("li", {},
      el("span", { class: "when" }, `+${took(span.start)}`), el("button", { class: "jump", "data-span": span.id, click: () => go(span) }, took(span.took)))))] : [])),
    ...row.own.flatMap((span) => section(span.name, ...table([...pairs(span.attributes), ["span", span.id]]))),
  ];
}
function tell() {
  const { row, span } = picked;
  info.hidden = !row;
  if (!row) return info.replaceChildren();
  info.replaceChildren(el("button", { class: "close", "aria-label": "Close", click: () => pick(null) }, "\u00d7"), ...(span ? detailsOf(span) : rowDetails(row)));
  info.scrollTop = 0;
}

// --- the tip
function tipAt(x, y, span) {
  tip.hidden = !span;
  if (!span) return;
  const refused = span.flags & REFUSED ? ", refused" : "", message = failed(span) ? `, ${span.message || "failed"}` : "";
  tip.replaceChildren(el("b", {}, span.name), `${DATA.services[span.service]}, +${took(span.start)}, took ${took(span.took)}${refused}${message}`);
  const box = $("tip").parentElement.getBoundingClientRect(), own = tip.getBoundingClientRect();
  tip.style.left = clamp(x - box.left + 14, 4, box.width - own.width - 4) + "px";
  tip.style.top = (y - box.top + 20 + own.height > box.height ? y - box.top - own.height - 10 : y - box.top + 16) + "px";
}
