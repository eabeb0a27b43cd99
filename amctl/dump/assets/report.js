// The page of a recording. All that comes from the recording is set as text, never as markup.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const HEIGHT = 24;
  const [SCHEMA, MICROS, ID, FLAGS, CALLED, CHANGES, MORE] = [0, 1, 2, 3, 4, 5, 6];
  const [AUTO, ACCEPTED, CHECK, QUEUED] = [4, 8, 16, 32];
  const SIGNS = ["+", "-", "="];
  const rows = data.rows;
  const index = new Map(); // machine and id -> the first such row
  const texts = new Array(rows.length); // what a search looks at, made when it is needed
  let shown = [];
  let chosen = -1; // a row
  const picked = new Set(); // machines; none: all

  function el(tag, text, name) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (name) made.className = name;
    return made;
  }

  const schemaOf = (row) => data.schemas[row[SCHEMA]];
  const machineOf = (row) => data.machines[schemaOf(row).m];
  const nameOf = (row, state) => schemaOf(row).names[state] ?? `#${state}`;
  const key = (machine, id) => JSON.stringify([machine, id]);

  function kindOf(row) {
    const flags = row[FLAGS];
    if (flags & QUEUED) return "queued";
    if (flags & CHECK) return "check";
    return flags & ACCEPTED ? "executed" : "canceled";
  }

  function called(row) {
    const type = row[FLAGS] & 3;
    return type === 3 ? "eval" : SIGNS[type] + row[CALLED].map((s) => nameOf(row, s)).join(", ");
  }

  const changes = (row) => row[CHANGES].map((c) => ["+-*"[c % 3], nameOf(row, Math.floor(c / 3))]);
  const isError = (row) => changes(row).some(([sign, name]) => sign !== "-" && /^(Err|Exception$)/.test(name));
  const args = (row) => Object.entries(row[MORE]?.args ?? {}).sort().map(([k, v]) => `${k}=${v}`).join(" ");
  const seconds = (micros) => (micros === null ? "-" : (micros / 1e6).toFixed(6));

  function textOf(at) {
    if (texts[at] === undefined) {
      const row = rows[at];
      const more = row[MORE] || {};
      const logs = [...(more.pre || []), ...(more.logs || [])].map((line) => line[1]);
      texts[at] = [
        machineOf(row).id, row[ID], called(row), changes(row).map((c) => c.join("")).join(" "),
        args(row), more.reason || "", ...logs,
      ].join("\n").toLowerCase();
    }
    return texts[at];
  }

  // -- the list

  function matches(at, words, kind) {
    const row = rows[at];
    if (picked.size && !picked.has(schemaOf(row).m)) return false;
    if (kind === "changed" ? !row[CHANGES].length : kind === "error" ? !isError(row)
      : kind !== "all" && kindOf(row) !== kind) return false;
    return words.every((word) => textOf(at).includes(word));
  }

  function filter() {
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const kind = byId("kind").value;
    shown = [];
    for (let at = 0; at < rows.length; at++) if (matches(at, words, kind)) shown.push(at);
    const cut = data.total > rows.length ? ` (the recording has ${data.total})` : "";
    byId("shown").textContent = `showing ${shown.length} of ${rows.length}${cut}`;
    byId("space").style.height = `${shown.length * HEIGHT}px`;
    byId("list").scrollTop = 0;
    draw();
  }

  function draw() {
    const list = byId("list");
    const first = Math.max(0, Math.floor(list.scrollTop / HEIGHT) - 5);
    const last = Math.min(shown.length, first + Math.ceil(list.clientHeight / HEIGHT) + 10);
    byId("rows").style.transform = `translateY(${first * HEIGHT}px)`;
    const made = [];
    for (let i = first; i < last; i++) made.push(drawRow(i));
    byId("rows").replaceChildren(...made);
    const active = made.find((row) => row.getAttribute("aria-selected") === "true");
    if (active) list.setAttribute("aria-activedescendant", active.id);
    else list.removeAttribute("aria-activedescendant");
  }

  function drawRow(place) {
    const at = shown[place];
    const row = rows[at];
    const made = el("div", undefined, `row ${kindOf(row)}${place % 2 ? " odd" : ""}`);
    made.id = `r${at}`;
    made.setAttribute("role", "option");
    made.setAttribute("aria-selected", String(at === chosen));
    made.setAttribute("aria-posinset", String(place + 1));
    made.setAttribute("aria-setsize", String(shown.length));
    const what = el("span", called(row), "called");
    if (args(row)) what.append(el("span", `  ${args(row)}`, "flag"));
    const flags = [row[FLAGS] & AUTO ? "auto" : "", kindOf(row) === "executed" ? "" : kindOf(row)];
    made.append(
      el("span", seconds(row[MICROS]), "time"), el("span", machineOf(row).id), what,
      el("span", flags.filter(Boolean).join(" "), "flag"), changed(row),
    );
    made.addEventListener("click", () => choose(at));
    return made;
  }

  function changed(row) {
    const made = el("span");
    for (const [sign, name] of changes(row)) {
      const tone = sign === "-" ? "rem" : /^(Err|Exception$)/.test(name) ? "err" : sign === "+" ? "add" : "tick";
      made.append(el("span", `${sign}${name} `, tone));
    }
    return made;
  }

  // -- one transition

  function choose(at, reveal = false) {
    chosen = at;
    let place = shown.indexOf(at);
    if (place < 0 && reveal) {
      reset();
      place = shown.indexOf(at);
    }
    if (place >= 0) {
      const list = byId("list");
      const top = place * HEIGHT;
      if (top < list.scrollTop) list.scrollTop = top;
      if (top + HEIGHT > list.scrollTop + list.clientHeight) list.scrollTop = top + HEIGHT - list.clientHeight;
    }
    draw();
    detail(rows[at], at);
    const link = `#${encodeURIComponent(machineOf(rows[at]).id)}/${encodeURIComponent(rows[at][ID])}`;
    try { history.replaceState(null, "", link); } catch { /* a page that lies in a file may not */ }
  }

  function activeAfter(at) {
    const machine = schemaOf(rows[at]).m;
    const active = new Map();
    for (let i = 0; i <= at; i++) {
      if (schemaOf(rows[i]).m !== machine) continue;
      for (const [sign, name] of changes(rows[i])) {
        if (sign === "+") active.set(name, i);
        if (sign === "-") active.delete(name);
      }
    }
    return active;
  }

  function part(title, ...content) {
    byId("detail").append(el("h2", title), ...content);
  }

  function lines(texts, name) {
    const made = el("ul", undefined, name);
    made.append(...texts.map((text) => (typeof text === "string" ? el("li", text) : text)));
    return made;
  }

  function detail(row, at) {
    const box = byId("detail");
    const more = row[MORE] || {};
    box.replaceChildren(el("h3", called(row)));
    const kind = `${row[FLAGS] & AUTO ? "auto, " : ""}${kindOf(row)}`;
    box.append(el("p", `${machineOf(row).id}, ${kind}, at ${seconds(row[MICROS])} s`, "muted"));
    box.append(el("p", `mach://${machineOf(row).id}/${row[ID]}`, "mono"));
    if (more.reason) part("Why not", el("p", more.reason, "lost"));
    if (row[CHANGES].length) part("Changed", changed(row));
    if (more.args) part("Arguments", lines(Object.entries(more.args).map(([k, v]) => `${k} = ${v}`), "mono"));
    if (more.source) part("Came from", source(more.source));
    const active = [...activeAfter(at)].map(([name, since]) => {
      const chip = el("li", name, since === at ? "add" : "");
      if (since !== at) chip.title = `since ${seconds(rows[since][MICROS])} s`;
      return chip;
    });
    part("Active after it", active.length ? lines(active, "chips") : el("p", "none", "muted"));
    if (more.steps) part("Steps", lines(more.steps, "mono"));
    for (const [title, logs] of [["Log before it", more.pre], ["Log", more.logs]]) {
      if (logs) part(title, lines(logs.map(([level, text]) => `${level} ${text}`), "mono"));
    }
    if (more.queue) part("Queue", lines(more.queue.map(([name, value]) => `${name} ${value}`)));
    if (more.stack) part("Asked for at", el("pre", more.stack));
  }

  function source([machine, id, time]) {
    const name = `${machine}/${id}${time ? ` at time ${time}` : ""}`;
    const at = index.get(key(machine, id));
    if (at === undefined) return el("p", `${name} (not in this page)`, "mono");
    const made = el("button", name, "link mono");
    made.type = "button";
    made.addEventListener("click", () => choose(at, true));
    return made;
  }

  // -- around it

  function reset() {
    byId("search").value = "";
    byId("kind").value = "all";
    picked.clear();
    press();
    filter();
  }

  function press() {
    for (const button of byId("machines").querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(picked.has(Number(button.dataset.at))));
    }
  }

  function machineButton(machine, at) {
    const button = el("button");
    button.type = "button";
    button.dataset.at = String(at);
    button.title = [machine.id, machine.parent && `child of ${machine.parent}`, ...machine.tags].filter(Boolean).join("\n");
    button.append(el("span", machine.id, "name"), el("span", machine.gone ? "gone" : "", "muted"));
    button.append(el("span", String(machine.count), "count"));
    button.addEventListener("click", () => {
      if (!picked.delete(at)) picked.add(at);
      press();
      filter();
    });
    const item = el("li");
    item.append(button);
    return item;
  }

  function facts() {
    byId("name").textContent = data.name;
    for (const [term, value] of data.facts) {
      const pair = el("div");
      pair.append(el("dt", term), el("dd", value));
      byId("facts").append(pair);
    }
    if (data.gaps.length) {
      byId("gaps").hidden = false;
      byId("gaps").textContent = `Missing: ${data.gaps.join("; ")}`;
    }
    byId("machines").append(...data.machines.map(machineButton));
  }

  function step(event) {
    const leaps = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20, Home: -Infinity, End: Infinity };
    const leap = leaps[event.key];
    if (leap === undefined || !shown.length) return;
    event.preventDefault();
    const place = shown.indexOf(chosen);
    choose(shown[Math.min(shown.length - 1, Math.max(0, place + leap))]);
  }

  function theme(name) {
    document.documentElement.dataset.theme = name;
  }

  rows.forEach((row, at) => {
    const name = key(machineOf(row).id, row[ID]);
    if (!index.has(name)) index.set(name, at);
  });
  theme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  byId("theme").addEventListener("click", () =>
    theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
  byId("list").addEventListener("scroll", draw);
  byId("list").addEventListener("keydown", step);
  byId("search").addEventListener("input", filter);
  byId("kind").addEventListener("change", filter);
  byId("clear").addEventListener("click", reset);
  addEventListener("resize", draw);
  facts();
  press();
  filter();
  const [machine, id] = location.hash.slice(1).split("/").map((part) => {
    try { return decodeURIComponent(part); } catch { return ""; }
  });
  const linked = index.get(key(machine, id));
  if (linked !== undefined) choose(linked, true);
})();
