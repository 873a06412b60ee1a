// Draws when the failure became inevitable: the share of continuations that fail, by the event that they go on from.

const CURVE = { left: 44, right: 12, top: 12, height: 64 }; // pixels

function drawCurve() {
  const figure = by("curve"), picture = figure.querySelector("svg");
  const width = Math.max(200, picture.clientWidth) - CURVE.left - CURVE.right;
  const last = Math.max(1, run.events.at(-1)?.n ?? 1, ...run.curve.points.map((point) => point.after ?? 0));
  // The start of the run is before event 0.
  const across = (after) => CURVE.left + (((after ?? -1) + 1) / (last + 1)) * width;
  const up = (share) => CURVE.top + (1 - share) * CURVE.height;
  const share = (point) => point.fails / Math.max(1, point.of);
  const points = run.curve.points.map((point) => [across(point.after), up(share(point))]);
  const line = points.map((point) => point.join(",")).join(" ");
  const label = (x, y, text, anchor) => {
    const made = drawn("text", { x, y, "text-anchor": anchor });
    made.textContent = text;
    return made;
  };
  const parts = [
    drawn("line", { class: "axis", x1: CURVE.left, x2: CURVE.left + width, y1: up(0), y2: up(0) }),
    drawn("line", { class: "axis", x1: CURVE.left, x2: CURVE.left + width, y1: up(1), y2: up(1) }),
    label(CURVE.left - 6, up(1) + 4, "100 %", "end"),
    label(CURVE.left - 6, up(0) + 4, "0 %", "end"),
    label(CURVE.left, up(0) + 16, "start", "start"),
    label(CURVE.left + width, up(0) + 16, `event ${last}`, "end"),
  ];
  if (points.length > 0) {
    const under = `${points[0][0]},${up(0)} ${line} ${points.at(-1)[0]},${up(0)}`;
    parts.push(drawn("polygon", { class: "area", points: under }), drawn("polyline", { class: "share", points: line }));
  }
  const marked = run.curve.inevitable_after;
  if (marked !== null) {
    const at = across(marked);
    parts.push(drawn("line", { class: "inevitable", x1: at, x2: at, y1: up(1) - 6, y2: up(0) + 6 }));
    parts.push(label(at, up(0) + 16, `event ${marked}`, "middle"));
  }
  run.curve.points.forEach((point, index) => {
    const [cx, cy] = points[index];
    const where = point.after === null ? "from the start" : `after event ${point.after}`;
    const all = point.fails === point.of ? " all" : "";
    const dot = drawn("circle", { class: `point${all}`, cx, cy, r: 3.5 }, `${where}: ${point.fails} of ${point.of} fail`);
    if (point.after !== null) dot.onclick = () => choose(point.after);
    parts.push(dot);
  });
  picture.replaceChildren(...parts);
}

if (run.curve) {
  by("curve").hidden = false;
  by("curve").querySelector("figcaption").replaceChildren(...run.curve.sentences.map((textContent) => element("p", { textContent })));
  drawCurve();
  addEventListener("resize", drawCurve);
  // The diagram has less room now.
  draw();
}
