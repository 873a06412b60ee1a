// Draws the histories of objects: a row for each client, a bar for each of its operations, from the call to the answer, and a line through the
// points at which they take effect in the longest order that explains the answers.

const HISTORY = { row: 20, top: 4, bar: 14, letter: 6.7 }; // pixels

// Where each operation of the order takes effect: within its bar, and after those before it. Positions are indices of moments.
function effects(history, index) {
  let last = -1;
  const starts = history.order.map((effect) => (last = Math.max(last, index.get(history.operations[effect.operation].from))));
  const count = new Map(), nth = new Map();
  for (const start of starts) count.set(start, (count.get(start) ?? 0) + 1);
  return starts.map((start) => {
    nth.set(start, (nth.get(start) ?? 0) + 1);
    return start + nth.get(start) / (count.get(start) + 1);
  });
}

// What the order shows, in sentences.
function explanation(history) {
  if (history.begin === null) return [];
  const explained = `${history.order.length} of ${history.operations.length} operations, from ${history.begin} on`;
  if (history.stuck.length === 0) return [`an order explains ${explained}`];
  const next = history.stuck.map((stuck) => `${history.operations[stuck.operation].text} would be answered ${stuck.would_answer}`);
  return [`the longest order explains ${explained}`, `then nothing can be next: ${next.join("; ")}`];
}

function drawHistory(history) {
  const picture = drawn("svg", { class: "history", role: "img" });
  picture.style.height = `${history.clients.length * HISTORY.row + 2 * HISTORY.top}px`;
  const stuck = new Set(history.stuck.map((one) => one.operation));
  const lay = () => {
    const left = 12 + HISTORY.letter * Math.min(24, Math.max(...history.clients.map((client) => client.length)));
    const width = Math.max(200, picture.clientWidth - left - 12);
    // By their order, not by time: most of a run's time passes between operations.
    const moments = [...new Set(history.operations.flatMap((of) => (of.to === null ? [of.from] : [of.from, of.to])))].sort((a, b) => a - b);
    const index = new Map(moments.map((n, index) => [n, index]));
    const across = (position) => left + (position / Math.max(1, moments.length)) * width;
    const parts = history.clients.map((client, index) => {
      const name = drawn("text", { x: left - 6, y: HISTORY.top + index * HISTORY.row + 12, "text-anchor": "end" }, client);
      name.append(client.length > 24 ? `${client.slice(0, 23)}\u2026` : client);
      return name;
    });
    history.operations.forEach((of, nth) => {
      const [from, to] = [across(index.get(of.from)), of.to === null ? left + width : across(index.get(of.to))];
      const y = HISTORY.top + of.client * HISTORY.row;
      const kind = `${of.fails ? " fails" : ""}${of.to === null ? " open" : ""}${stuck.has(nth) ? " stuck" : ""}`;
      const bar = drawn("rect", { class: `bar${kind}`, x: from, y, width: Math.max(3, to - from), height: HISTORY.bar, rx: 2 }, of.text);
      bar.onclick = () => choose(of.from);
      parts.push(bar);
      const letters = Math.floor((to - from - 6) / HISTORY.letter);
      if (letters < 3) return;
      const label = drawn("text", { class: "label", x: from + 3, y: y + 11 });
      label.append(of.text.length > letters ? `${of.text.slice(0, letters - 1)}\u2026` : of.text);
      parts.push(label);
    });
    const middle = (effect) => HISTORY.top + history.operations[effect.operation].client * HISTORY.row + HISTORY.bar / 2;
    const points = effects(history, index).map((position, nth) => [across(position), middle(history.order[nth])]);
    parts.push(drawn("polyline", { class: "order", points: points.map((point) => point.join(",")).join(" ") }));
    points.forEach(([cx, cy], nth) => {
      const { operation, state } = history.order[nth];
      const point = drawn("circle", { class: "effect", cx, cy, r: 3 }, `${nth + 1}. ${history.operations[operation].text}, then ${state}`);
      point.onclick = () => choose(history.operations[operation].from);
      parts.push(point);
    });
    picture.replaceChildren(...parts);
  };
  const title = history.key === null ? history.name : `${history.name}, key ${history.key}`;
  by("histories").append(element("p", { textContent: [title, ...explanation(history)].join(". ") }), picture);
  lay();
  addEventListener("resize", lay);
}

if (run.histories) {
  by("histories").hidden = false;
  run.histories.forEach(drawHistory);
  // The diagram has less room now.
  draw();
}
