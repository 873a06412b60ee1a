"use strict";
// Draws the run that is in this page as JSON. Only the rows that are visible are in the document, so that many events stay smooth.
// Texts are set as text, never as markup.

const run = JSON.parse(document.getElementById("run").textContent);
const by = (id) => document.getElementById(id);
const view = by("view"), space = by("space"), rowsBox = by("rows"), diagram = by("diagram"), titles = by("titles");
const SVG = "http://www.w3.org/2000/svg";
const GUTTER = 170; // pixels, for number and time
const LANE = 92; // pixels
const SPARE = 12; // rows above and below the visible ones

const state = { height: 20, text: "", hidden: new Set(), expanded: new Set(), chosen: null };
let shown = []; // the events that are shown, in order
let position = new Map(); // the number of an event -> its index in `shown`
let columns = []; // what is drawn from left to right
const events = new Map(run.events.map((event) => [event.n, event]));

function element(name, properties, ...children) {
  const made = document.createElement(name);
  Object.assign(made, properties);
  made.append(...children);
  return made;
}

function drawn(name, attributes, title) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (title) {
    const text = document.createElementNS(SVG, "title");
    text.textContent = title;
    made.append(text);
  }
  return made;
}

function clock(ns) {
  const pad = (number, width) => String(number).padStart(width, "0");
  const ms = Math.floor(ns / 1e6);
  const [seconds, rest] = [Math.floor(ms / 1000), ms % 1000];
  return `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}.${pad(rest, 3)}`;
}

// A lane that is expanded has a column for each of its tasks.
function layOut() {
  columns = [];
  run.lanes.forEach((lane, index) => {
    if (state.hidden.has(index)) return;
    if (!state.expanded.has(index)) return columns.push({ lane: index, task: null, title: lane.name });
    const tasks = [...new Set(run.events.filter((event) => event.lane === index).map((event) => event.task ?? ""))];
    for (const task of tasks) columns.push({ lane: index, task, title: task === "" ? lane.name : task.replace(/^.*\//, "") });
  });
  titles.replaceChildren(...columns.map((column, index) => {
    const title = element("button", { textContent: column.title, title: `${run.lanes[column.lane].name}: ${column.task ?? "all tasks"}` });
    title.style.left = `${x(index)}px`;
    title.style.maxWidth = `${LANE - 6}px`;
    title.onclick = () => {
      if (!state.expanded.delete(column.lane)) state.expanded.add(column.lane);
      update();
    };
    return title;
  }));
}

const x = (column) => GUTTER + LANE / 2 + column * LANE;
const y = (index) => (index + 0.5) * state.height;
function columnOf(event) {
  return columns.findIndex((column) => column.lane === event.lane && (column.task === null || column.task === (event.task ?? "")));
}
function columnOfLane(lane) {
  return columns.findIndex((column) => column.lane === lane);
}

function update() {
  const text = state.text.toLowerCase();
  const contains = (event) => [event.text, event.task, event.connection, run.lanes[event.lane].name].some((part) => part?.toLowerCase().includes(text));
  shown = run.events.filter((event) => !state.hidden.has(event.lane) && (text === "" || contains(event)));
  position = new Map(shown.map((event, index) => [event.n, index]));
  by("count").textContent = `${shown.length} of ${run.events.length} events` + (run.left_out > 0 ? `, ${run.left_out} before them` : "");
  layOut();
  space.style.height = `${shown.length * state.height + 8}px`;
  draw();
}

function draw() {
  const top = view.scrollTop - titles.offsetHeight;
  const first = Math.max(0, Math.floor(top / state.height) - SPARE);
  const last = Math.min(shown.length, Math.ceil((top + view.clientHeight) / state.height) + SPARE);
  const right = GUTTER + columns.length * LANE;
  rowsBox.replaceChildren(...shown.slice(first, last).map((event, nth) => row(event, first + nth, right)));
  diagram.setAttribute("width", right);
  diagram.setAttribute("height", shown.length * state.height);
  const parts = [];
  for (const fault of run.faults) {
    const [from, to] = [after(fault.from), fault.to === null ? shown.length : after(fault.to)];
    if (to < first || from > last) continue;
    parts.push(drawn("rect", { class: "band", x: GUTTER, y: from * state.height, width: right - GUTTER, height: Math.max(2, (to - from) * state.height) }, fault.text));
  }
  columns.forEach((_, column) => {
    parts.push(drawn("line", { class: "lane", x1: x(column), x2: x(column), y1: first * state.height, y2: last * state.height }));
  });
  for (const message of run.messages) {
    const [from, to] = [position.get(message.from), message.to === null ? null : position.get(message.to)];
    if (from === undefined || to === undefined || from > last || (to ?? from) < first) continue;
    parts.push(...arrow(message, from, to));
  }
  shown.slice(first, last).forEach((event, nth) => {
    const radius = event.group === "verdict" || event.group === "fault" ? 5 : 3.5;
    parts.push(drawn("circle", { class: `dot ${event.group}`, cx: x(columnOf(event)), cy: y(first + nth), r: radius }));
  });
  diagram.replaceChildren(...parts);
}

// The index of the first event shown that is not before this one.
function after(n) {
  let [low, high] = [0, shown.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (shown[middle].n < n) low = middle + 1;
    else high = middle;
  }
  return low;
}

function arrow(message, from, to) {
  const sender = events.get(message.from);
  const start = columnOf(sender);
  const end = to === null ? columnOfLane(message.lane) : columnOf(events.get(message.to));
  if (start < 0 || end < 0 || (start === end && message.what !== "stale")) return [];
  const chosen = state.chosen !== null && (message.from === state.chosen || message.to === state.chosen) ? " of-chosen" : "";
  const kind = message.what === "stale" ? " stale" : to === null ? " lost" : "";
  const [x1, y1] = [x(start), y(from)];
  // What never arrives ends in the air.
  const [x2, y2] = to === null ? [x1 + (x(end) - x1) * 0.55, y1 + state.height * 0.8] : [x(end), y(to)];
  const line = drawn("line", { class: `message${kind}${chosen}`, x1, y1, x2, y2 });
  if (to === null) return [line];
  const angle = Math.atan2(y2 - y1, x2 - x1);
  const tip = [x2 - 4 * Math.cos(angle), y2 - 4 * Math.sin(angle)];
  const side = (turn) => `${tip[0] - 7 * Math.cos(angle + turn)},${tip[1] - 7 * Math.sin(angle + turn)}`;
  return [line, drawn("polygon", { class: "head", points: `${tip.join(",")} ${side(0.4)} ${side(-0.4)}` })];
}

function row(event, index, right) {
  const cell = (name, textContent) => element("span", { className: name, textContent });
  const what = cell("what", event.text);
  const at = cell("at", clock(event.at));
  at.style.marginRight = `${right - 52 - 104 + 12}px`;
  const made = element("div", {}, cell("n", event.n), at, what, cell("task", event.place ?? event.task ?? ""));
  made.className = (event.group === "task" ? "task-group" : event.group) + (event.n === state.chosen ? " chosen" : "") + (event.n === run.curve?.inevitable_after ? " inevitable" : "");
  made.style.top = `${index * state.height}px`;
  made.style.height = `${state.height}px`;
  made.onclick = () => choose(event.n);
  return made;
}

function choose(n, quietly) {
  const event = events.get(n);
  if (!event) return;
  state.chosen = n;
  if (!position.has(n)) Object.assign(state, { text: "", hidden: new Set() }), (by("filter").value = ""), lanes(), update();
  const top = position.get(n) * state.height;
  const seen = view.clientHeight - titles.offsetHeight;
  if (top < view.scrollTop || top + state.height > view.scrollTop + seen) view.scrollTop = top - seen / 2;
  if (!quietly) history.replaceState(null, "", `#e${n}`);
  detail(event);
  draw();
}

function detail(event) {
  const link = (n) => element("a", { href: `#e${n}`, textContent: `event ${n}` });
  const facts = [`${event.at} ns`, run.lanes[event.lane].name, event.task, event.place, event.connection].filter(Boolean).join("   ");
  const parts = [element("p", {}, element("b", { textContent: `${event.n}  ${event.text}` })), element("p", { textContent: facts })];
  for (const message of run.messages) {
    const what = typeof message.what === "string" ? message.what : `${message.what.bytes} bytes`;
    if (message.from === event.n) parts.push(element("p", {}, `${what} to ${run.lanes[message.lane].name}: `, message.to === null ? "never arrives" : link(message.to)));
    if (message.to === event.n) parts.push(element("p", {}, `${what} from `, link(message.from)));
  }
  parts.push(element("pre", { textContent: JSON.stringify(event.data) }));
  by("detail").replaceChildren(...parts);
}

function step(by) {
  const index = state.chosen === null ? (by > 0 ? -1 : 0) : (position.get(state.chosen) ?? -1);
  const next = Math.min(shown.length - 1, Math.max(0, index + by));
  if (shown[next]) choose(shown[next].n);
}

function resize(factor) {
  const middle = (view.scrollTop + view.clientHeight / 2) / state.height;
  state.height = Math.min(48, Math.max(6, Math.round(state.height * factor)));
  update();
  view.scrollTop = middle * state.height - view.clientHeight / 2;
}

function changeTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}

function lanes() {
  by("lanes").replaceChildren(...run.lanes.map((lane, index) => {
    const box = element("input", { type: "checkbox", checked: !state.hidden.has(index) });
    box.onchange = () => {
      if (!state.hidden.delete(index)) state.hidden.add(index);
      update();
    };
    return element("label", {}, box, lane.name);
  }));
}

const keys = {
  ArrowDown: () => step(1), j: () => step(1), ArrowUp: () => step(-1), k: () => step(-1),
  PageDown: () => step(20), PageUp: () => step(-20), Home: () => step(-Infinity), End: () => step(Infinity),
  "+": () => resize(1.25), "-": () => resize(0.8), t: changeTheme, "/": () => by("filter").focus(),
};
document.addEventListener("keydown", (key) => {
  if (key.target === by("filter")) {
    if (key.key === "Escape" || key.key === "Enter") view.focus();
    return;
  }
  if (key.ctrlKey || key.metaKey || key.altKey || !keys[key.key]) return;
  key.preventDefault();
  keys[key.key]();
});
by("filter").oninput = (input) => { state.text = input.target.value; update(); };
by("smaller").onclick = () => resize(0.8);
by("larger").onclick = () => resize(1.25);
by("theme").onclick = changeTheme;
view.onscroll = () => requestAnimationFrame(draw);
addEventListener("resize", draw);
const linked = () => choose(Number(/^#e(\d+)$/.exec(location.hash)?.[1] ?? NaN), true);
addEventListener("hashchange", linked);

by("test").textContent = run.test;
by("headline").textContent = run.failure?.headline ?? "passed: every property held";
by("causes").replaceChildren(...(run.failure?.text ?? "").trim().split("\n").slice(1).map((line) => element("li", { textContent: line.trim() })));
by("plan").textContent = run.plan.join("\n");
by("sockets").replaceChildren(...(run.sockets.length === 0 ? [] : [["host", "protocol", "state", "local", "peer", "receive", "send"]]).concat(
  run.sockets.map((socket) => [socket.host ?? "(test)", socket.protocol, socket.state, socket.local, socket.peer, socket.receive_queue, socket.send_queue]),
).map((cells, index) => element("tr", {}, ...cells.map((textContent) => element(index === 0 ? "th" : "td", { textContent })))));
lanes();
update();
if (location.hash) linked();
else view.scrollTop = space.offsetHeight;
