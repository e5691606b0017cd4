"use strict";
// What the daemon tells is shown as text only: nothing of it is ever read as HTML.

const hour = 3600;
const past = {at: [], queries: [], kernel: [], servfail: [], drops: [], hit: [], p50: [], p99: [], wait50: [], wait99: []};
const find = (id) => document.getElementById(id);

// make returns an element with a class, texts and elements in it.
function make(name, kind, ...inside) {
  const e = document.createElement(name);
  if (kind) e.className = kind;
  e.append(...inside.filter((x) => x !== null && x !== undefined).map((x) => (x instanceof Node ? x : String(x))));
  return e;
}

function svg(name, attributes, text) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  if (text !== undefined) e.textContent = text;
  return e;
}

// Numbers as people read them.
function count(n) {
  if (n < 0) return "–";
  if (n < 10 && n !== Math.round(n)) return n.toFixed(1);
  if (n < 1e4) return Math.round(n).toLocaleString("en");
  for (const [unit, size] of [["G", 1e9], ["M", 1e6], ["k", 1e3]]) if (n >= size) return (n / size).toPrecision(3) + " " + unit;
  return String(n);
}
function micros(us) {
  if (us < 0) return "–";
  if (us < 1000) return (us < 10 ? us.toFixed(1) : Math.round(us)) + " µs";
  if (us < 1e6) return (us / 1e3).toPrecision(3) + " ms";
  return (us / 1e6).toPrecision(3) + " s";
}
const percent = (share) => (share < 0 ? "–" : (share * 100).toFixed(share > 0.9995 || share === 0 ? 0 : share < 0.001 ? 2 : 1) + " %");
function bytes(n) {
  for (const [unit, size] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]) if (n >= size) return (n / size).toPrecision(3) + " " + unit;
  return n + " B";
}
function span(s) {
  const d = Math.floor(s / 86400), h = Math.floor(s / 3600) % 24, m = Math.floor(s / 60) % 60;
  return d ? `${d} d ${h} h` : h ? `${h} h ${m} min` : m ? `${m} min` : `${Math.floor(s)} s`;
}
const clock = (at) => new Date(at * 1000).toLocaleTimeString([], {hour: "2-digit", minute: "2-digit", hourCycle: "h23"});

let newest = 0; // number of the last point

// take adds new points, and forgets those older than an hour, and those that are later than a new one: a clock was set back.
function take(h) {
  newest = h.last;
  for (let i = 0; i < (h.at || []).length; i++) {
    let keep = past.at.length;
    while (keep && past.at[keep - 1] >= h.at[i]) keep--;
    for (const key of Object.keys(past)) past[key].splice(keep, Infinity, h[key][i]);
  }
  let old = 0;
  while (past.at.length - old > 720) old++;
  if (old) for (const key of Object.keys(past)) past[key].splice(0, old);
}

const last = (key) => (past.at.length ? past[key][past.at.length - 1] : -1);
// recent is the mean of the last half minute, of what is known.
function recent(key) {
  const known = past[key].slice(-6).filter((v) => v >= 0);
  return known.length ? known.reduce((a, b) => a + b, 0) / known.length : -1;
}

// A chart shows lines of past over the last hour.
const charts = [
  {id: "load", format: count, zero: true, lines: [["queries", "shards", "blue", true], ["kernel", "kernel", "teal", true], ["servfail", "SERVFAIL", "red"], ["drops", "drops", "amber"]], optional: ["kernel", "servfail", "drops"]},
  {id: "latency", format: micros, log: true, lines: [["p50", "P50", "teal"], ["p99", "P99", "blue"], ["wait50", "asked P50", "violet"], ["wait99", "asked P99", "amber"]], optional: ["wait50", "wait99"]},
  {id: "hit", format: percent, zero: true, most: 1, lines: [["hit", "hit ratio", "green", true]], optional: []},
];

function ticksOf(c, low, high) {
  if (c.most) return [0, 0.25, 0.5, 0.75, 1];
  if (c.log) {
    const list = [];
    for (let v = 10 ** Math.ceil(Math.log10(low) - 1e-9); v <= high * 1.0001; v *= 10) list.push(v);
    return list;
  }
  const step = high / 4;
  return [0, step, 2 * step, 3 * step, high];
}

function draw(c) {
  const box = find(c.id), width = box.clientWidth, height = box.clientHeight;
  const lines = c.lines.filter(([key]) => !c.optional.includes(key) || past[key].some((v) => v > 0));
  find(c.id + "-legend").replaceChildren(...lines.map(([, name, colour]) => make("span", "", make("i", colour), name)));
  const known = lines.flatMap(([key]) => past[key].filter((v) => v > 0 || (c.zero && v >= 0)));
  if (past.at.length < 2 || !known.length) {
    box.replaceChildren(make("p", "empty", past.at.length < 2 ? "gathering the first points" : "no queries yet"));
    return;
  }
  let high = c.most || Math.max(...known), low = c.log ? Math.min(...known) : 0;
  if (c.log) {
    low = 10 ** Math.floor(Math.log10(low));
    high = 10 ** Math.ceil(Math.log10(high) + 1e-9);
  } else if (!c.most) {
    const size = 10 ** Math.floor(Math.log10(Math.max(high, 4) / 4));
    high = 4 * size * Math.ceil(Math.max(high, 4) / 4 / size);
  }
  const left = 52, bottom = 18, right = 4, top = 6;
  const end = past.at[past.at.length - 1], begin = Math.max(end - hour, Math.min(past.at[0], end - 60));
  const x = (at) => left + ((at - begin) / (end - begin)) * (width - left - right);
  const level = (v) => (c.log ? (Math.log10(v) - Math.log10(low)) / (Math.log10(high) - Math.log10(low)) : v / high);
  const y = (v) => top + (1 - level(v)) * (height - top - bottom);
  const picture = svg("svg", {viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${c.id} over the last hour`});
  for (const v of ticksOf(c, low, high)) {
    picture.append(svg("line", {class: "grid", x1: left, x2: width - right, y1: y(v), y2: y(v)}));
    picture.append(svg("text", {x: left - 8, y: y(v) + 4, "text-anchor": "end"}, c.format(v).replace(/\.0+ /, " ")));
  }
  const marks = Math.min(width > 420 ? 4 : 2, Math.floor((end - begin) / 120) || 1);
  for (let i = 0; i <= marks; i++) {
    const at = begin + ((end - begin) * i) / marks;
    picture.append(svg("text", {x: x(at), y: height - 2, "text-anchor": i === 0 ? "start" : i === marks ? "end" : "middle"}, clock(at)));
  }
  for (const [key, , colour, area] of lines) {
    let path = "", fill = "", open = null;
    for (let i = 0; i < past.at.length; i++) {
      const v = past[key][i], gap = i > 0 && past.at[i] - past.at[i - 1] > 60;
      if (v < 0 || (c.log && v <= 0) || gap) {
        if (open !== null) fill += `L${x(past.at[i - 1]).toFixed(1)},${y(low).toFixed(1)}L${open},${y(low).toFixed(1)}Z`;
        open = null;
        if (!gap || v < 0) continue;
      }
      const px = x(past.at[i]).toFixed(1), step = `${open === null ? "M" : "L"}${px},${y(v).toFixed(1)}`;
      if (open === null) open = px;
      path += step;
      fill += step;
    }
    if (open !== null) fill += `L${x(end).toFixed(1)},${y(low).toFixed(1)}L${open},${y(low).toFixed(1)}Z`;
    if (area) picture.append(svg("path", {class: "area " + colour, d: fill}));
    picture.append(svg("path", {class: "line " + colour, d: path}));
  }
  const cross = svg("line", {class: "cross", y1: top, y2: height - bottom, visibility: "hidden"});
  picture.append(cross);
  const tip = make("div", "tip");
  tip.hidden = true;
  box.replaceChildren(picture, tip);
  c.point = (px) => {
    if (px === null) {
      tip.hidden = true;
      cross.setAttribute("visibility", "hidden");
      return;
    }
    const at = begin + ((px - left) / (width - left - right)) * (end - begin);
    let near = 0;
    for (let i = 1; i < past.at.length; i++) if (Math.abs(past.at[i] - at) < Math.abs(past.at[near] - at)) near = i;
    tip.replaceChildren(make("p", "", make("time", "", new Date(past.at[near] * 1000).toLocaleTimeString())),
      ...lines.map(([key, name, colour]) => make("p", "", make("span", colour, name), make("strong", "", c.format(past[key][near])))));
    tip.hidden = false;
    const to = x(past.at[near]);
    cross.setAttribute("x1", to);
    cross.setAttribute("x2", to);
    cross.setAttribute("visibility", "visible");
    tip.style.left = (to > width / 2 ? to - tip.offsetWidth - 10 : to + 10) + "px";
  };
}

function tile(what, value, more, kind) {
  return make("div", "tile " + (kind || ""), make("p", "what", what), make("p", "value", value), make("p", "more", more));
}

function meter(share, tell) {
  const b = make("b", share > 0.95 ? "full" : share > 0.8 ? "hot" : "");
  b.style.width = Math.max(0, Math.min(1, share)) * 100 + "%";
  return make("td", "", tell, make("span", "meter", b));
}

function table(id, heads, rows, none) {
  find(id + "-card").hidden = !rows.length && !none;
  if (!rows.length) {
    find(id).replaceChildren(make("tbody", "", make("tr", "", make("td", "text", none || ""))));
    return;
  }
  find(id).replaceChildren(make("thead", "", make("tr", "", ...heads.map(([name, kind]) => make("th", kind, name)))), make("tbody", "", ...rows));
}

function bars(id, list, none) {
  const most = Math.max(...list.map((x) => x.share), 1e-9);
  find(id).replaceChildren(...list.map((x) => {
    const b = make("b");
    b.style.width = (x.share / most) * 100 + "%";
    return make("li", x.bad ? "bad" : "", b, make("span", "", x.what), make("span", "", x.tell || percent(x.share)));
  }));
  if (!list.length) find(id).replaceChildren(make("li", "muted", none));
}

const dot = (kind, text) => make("span", "dot " + kind, text);
const stateKind = (s) => ({running: "good", up: "good", serving: "good", unknown: "", starting: "warn", loading: "warn", draining: "warn", restarting: "bad", down: "bad", failed: "bad", stopped: "bad"})[s] ?? "";

function show(d) {
  take(d.history);
  charts.forEach(draw);
  const s = d.status, warnings = (s && s.warnings) || [];
  const running = d.shards ? d.shards.filter((x) => x.state === "running").length : 0, shards = d.shards ? d.shards.length : 0;
  const down = (d.upstreams || []).flatMap((g) => g.servers || []).filter((u) => u.state === "down").length;
  const state = find("state");
  if (shards && running < shards) [state.className, state.textContent] = ["pill bad", "trouble"];
  else if (warnings.length || down || d.trouble) [state.className, state.textContent] = ["pill warn", warnings.length ? `${warnings.length} warning${warnings.length > 1 ? "s" : ""}` : "look below"];
  else [state.className, state.textContent] = ["pill good", "serving"];
  find("warnings").replaceChildren(...[...warnings, ...(d.trouble ? [d.trouble] : [])].slice(0, 20).map((w) => make("li", "", w)));
  if (s) find("about").textContent = `${s.version} · up ${span(s.uptime_seconds)} · ${s.backend} · ${(s.listen || []).join(" ")}`;
  const queries = recent("queries"), fail = queries > 0 ? recent("servfail") / queries : 0, drops = recent("drops");
  const tiles = [
    tile("Queries", count(queries) + "/s", s ? count(s.totals.queries) + " in all" : ""),
    tile("Hit ratio", percent(recent("hit")), s ? count(s.cache_entries) + " entries cached" : ""),
    tile("Answered here, P99", micros(last("p99")), "P50 " + micros(last("p50")), last("p99") > 1e4 ? "warn" : ""),
    tile("Asked of others, P50", micros(recent("wait50")), "P99 " + micros(recent("wait99"))),
    tile("SERVFAIL", percent(fail), count(Math.max(drops, 0)) + " drops/s", fail > 0.05 ? "bad" : fail > 0.01 ? "warn" : ""),
    d.kernel ? tile("Out of the kernel", count(recent("kernel")) + "/s", count(d.kernel.answers) + " hot answers")
      : tile("In flight", s ? count(s.in_flight) : "–", s && s.memory_bytes ? bytes(s.memory_bytes) + " resident" : ""),
  ];
  find("tiles").replaceChildren(...tiles);
  table("shards", [["Shard"], ["CPU"], ["Queries/s"], ["Hit ratio"], ["P99"], ["Busy"], ["In flight"], ["Cache"], ["Restarts"]], (d.shards || []).map((x) =>
    make("tr", "", make("td", "text", dot(stateKind(x.state), `${x.id} ${x.state}`)), make("td", "", x.cpu < 0 ? "any" : x.cpu), make("td", "", count(x.queries)),
      make("td", "", percent(x.hit)), make("td", "", micros(x.p99)), meter(x.busy, percent(Math.min(x.busy, 1))), meter(x.limit ? x.inFlight / x.limit : 0, count(x.inFlight)),
      meter(x.memory ? x.cache / x.memory : 0, bytes(x.cache)), make("td", "", x.restarts))), "the shards begin");
  find("top").hidden = !d.topOn;
  if (d.topOn) {
    bars("names", d.names || [], "nobody has asked for anything lately");
    bars("clients", d.clients || [], "nobody has asked for anything lately");
  }
  table("upstreams", [["Server"], ["State", "text"], ["RTT"], ["Queries"], ["Timeouts"], ["Zone", "text"]], (d.upstreams || []).flatMap((g) => (g.servers || []).map((u) =>
    make("tr", "", make("td", "text", u.address), make("td", "text", dot(stateKind(u.state), u.state)), make("td", "", u.srtt_us ? micros(u.srtt_us) : "–"),
      make("td", "", count(u.queries)), make("td", "", count(u.timeouts)), make("td", "text wrap", `${g.kind} ${g.zone}`)))), "");
  table("zones", [["Zone"], ["State", "text"], ["Serial"], ["Records"], ["Memory"]], (d.zones || []).map((z) =>
    make("tr", "", make("td", "text wrap", z.name, z.problems && z.problems.length ? make("small", "", z.problems[0]) : null), make("td", "text", dot(stateKind(z.state), z.state)),
      make("td", "", z.serial), make("td", "", count(z.records)), make("td", "", bytes(z.memory_bytes)))), "");
  const totals = s ? s.totals : {}, replies = Object.values(totals.rcodes || {}).reduce((a, b) => a + b, 0);
  const listed = (m, bad) => Object.entries(m || {}).sort((a, b) => b[1] - a[1]).map(([what, n]) => ({what, share: n / Math.max(replies, 1), tell: count(n), bad}));
  bars("answers", [...listed(totals.rcodes, false), ...listed(totals.drops, true).map((x) => ({...x, what: "dropped: " + x.what}))], "no responses yet");
  find("kernel-card").hidden = !d.kernel;
  if (d.kernel) {
    const k = d.kernel, rows = [
      ["Interfaces", k.interfaces.map((i) => `${i.name} (${i.mode}${i.detached ? ", taken off" : ""})`).join(", ")], ["Answered", count(k.answered)], ["Dropped", count(k.dropped)],
      ["Passed to the shards", count(k.passed)], ["Hot answers", `${count(k.answers)} of ${count(k.answers_max)}`], ["Table", bytes(k.table_bytes)], ["Prefixes of clients", count(k.clients.prefixes)],
    ];
    find("kernel").replaceChildren(...rows.flatMap(([what, tell]) => [make("dt", "", what), make("dd", "", tell)]));
  }
  const cut = [];
  const shownServers = (d.upstreams || []).reduce((n, g) => n + (g.servers || []).length, 0);
  if (d.servers > shownServers) cut.push(`${shownServers} of ${d.servers} servers are shown`);
  if (d.zoneCount > (d.zones || []).length) cut.push(`${d.zones.length} of ${d.zoneCount} zones are shown`);
  if (d.topOn) cut.push("names and clients are a sample of the last minutes" + (d.kernel ? ", without what the kernel answers" : ""));
  find("foot").textContent = ["This page changes nothing; heimdallctl does.", ...cut].join(" · ");
  document.body.dataset.shown = String(past.at.length);
}

// fetchOnce gets what is new, and comes again when there is more.
async function fetchOnce() {
  let wait = 5000;
  try {
    const r = await fetch("data.json?since=" + newest, {cache: "no-store", signal: AbortSignal.timeout(20000)});
    if (!r.ok) throw new Error(r.status);
    const d = await r.json();
    wait = Math.min(d.interval * 1000, past.at.length ? 5000 : 1000);
    show(d);
  } catch (e) {
    const state = find("state");
    [state.className, state.textContent] = ["pill bad", "no answer"];
    document.body.dataset.error = String(e);
  }
  setTimeout(fetchOnce, wait);
}

for (const c of charts) {
  const box = find(c.id), at = (e) => c.point && c.point(e === null ? null : e.clientX - box.getBoundingClientRect().left);
  box.addEventListener("pointermove", at);
  box.addEventListener("pointerdown", at);
  box.addEventListener("pointerleave", () => at(null));
}
new ResizeObserver(() => charts.forEach(draw)).observe(find("load"));
fetchOnce();
