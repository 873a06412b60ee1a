// Draws the histories of objects: a row for each client, and a bar for each of its operations, from the call to the answer.

const HISTORY = { row: 20, top: 4, bar: 14, letter: 6.7 }; // pixels

function drawHistory(history) {
  const picture = drawn("svg", { class: "history", role: "img" });
  picture.style.height = `${history.clients.length * HISTORY.row + 2 * HISTORY.top}px`;
  const lay = () => {
    const left = 12 + HISTORY.letter * Math.min(24, Math.max(...history.clients.map((client) => client.length)));
    const width = Math.max(200, picture.clientWidth - left - 12);
    // By their order, not by time: most of a run's time passes between operations.
    const moments = [...new Set(history.operations.flatMap((of) => (of.to === null ? [of.from] : [of.from, of.to])))].sort((a, b) => a - b);
    const at = new Map(moments.map((n, index) => [n, left + (index / Math.max(1, moments.length)) * width]));
    const parts = history.clients.map((client, index) => {
      const name = drawn("text", { x: left - 6, y: HISTORY.top + index * HISTORY.row + 12, "text-anchor": "end" }, client);
      name.append(client.length > 24 ? `${client.slice(0, 23)}\u2026` : client);
      return name;
    });
    for (const of of history.operations) {
      const [from, to] = [at.get(of.from), of.to === null ? left + width : at.get(of.to)];
      const y = HISTORY.top + of.client * HISTORY.row;
      const kind = `${of.fails ? " fails" : ""}${of.to === null ? " open" : ""}`;
      const bar = drawn("rect", { class: `bar${kind}`, x: from, y, width: Math.max(3, to - from), height: HISTORY.bar, rx: 2 }, of.text);
      bar.onclick = () => choose(of.from);
      parts.push(bar);
      const letters = Math.floor((to - from - 6) / HISTORY.letter);
      if (letters < 3) continue;
      const label = drawn("text", { class: "label", x: from + 3, y: y + 11 });
      label.append(of.text.length > letters ? `${of.text.slice(0, letters - 1)}\u2026` : of.text);
      parts.push(label);
    }
    picture.replaceChildren(...parts);
  };
  by("histories").append(element("p", { textContent: history.name }), picture);
  lay();
  addEventListener("resize", lay);
}

if (run.histories) {
  by("histories").hidden = false;
  run.histories.forEach(drawHistory);
  // The diagram has less room now.
  draw();
}
