// The charts of the page.

// ---- a chart over time: {host, height, series: [{name, colour, values, style, hidden}], text, stacked, whole, logarithmic}

class TimeChart {
  constructor(options) {
    Object.assign(this, options);
    this.host = document.getElementById(this.id);
    this.keys = this.host.parentElement.querySelector(".keys");
    for (const one of this.series) this.addKey(one);
    if (this.scales) this.addScaleSwitch();
    timeCharts.push(this);
  }
  addKey(one) {
    const button = html("button", this.keys);
    button.type = "button";
    button.title = one.name;
    html("i", button).style.setProperty("--c", `var(--${one.colour})`);
    html("span", button, one.name);
    const show = () => button.setAttribute("aria-pressed", String(!one.hidden));
    button.addEventListener("click", () => {
      one.hidden = !one.hidden;
      show();
      this.draw();
    });
    show();
  }
  addScaleSwitch() {
    const button = html("button", this.keys, undefined, "scale");
    button.type = "button";
    const show = () => (button.textContent = this.logarithmic ? "log scale" : "linear scale");
    button.title = "switch between a logarithmic and a linear scale";
    button.addEventListener("click", () => {
      this.logarithmic = !this.logarithmic;
      show();
      this.draw();
    });
    show();
  }
  get shown() {
    return this.series.filter((one) => !one.hidden);
  }
  x(seconds) {
    return margin.left + (this.area.inner * (seconds - timeRange[0])) / (timeRange[1] - timeRange[0]);
  }
  draw() {
    this.area = frame(this.host, this.height);
    const x = (seconds) => this.x(seconds);
    const layers = this.stacked ? this.stack() : null;
    const all = layers ? layers.flatMap((layer) => layer.high) : this.shown.flatMap((one) => one.values.filter((value) => value !== null));
    const highest = this.whole ? 1 : all.reduce((a, b) => Math.max(a, b), 0);
    const lowest = all.reduce((a, b) => (b > 0 ? Math.min(a, b) : a), Infinity);
    const scale = valueScale(highest, lowest === Infinity ? 0 : lowest, this.logarithmic);
    const y = (value) => margin.top + this.area.tall * (1 - scale.of(value));
    drawValueAxis(this.area, scale, this.axisText);
    drawTimeAxis(this.area, x);
    if (layers) {
      for (const layer of layers) this.shape("area", layer.one, stackPath(layer, x, y));
    } else {
      for (const one of this.shown) this.drawLine(one, x, y);
    }
    drawEvents(this.area, x);
    this.y = y;
    this.overlay = svg("g", {}, this.area.root);
    this.listen();
  }
  shape(className, one, path) {
    const style = `--c:var(--${one.colour})`;
    svg("path", { class: className, d: path }, this.area.root).style.cssText = style;
  }
  drawLine(one, x, y) {
    const path = linePath(one.values, x, y);
    if (one.filled && count > 1 && !one.values.includes(null)) {
      const floor = this.area.height - margin.bottom;
      this.shape("area faint", one, `${path}L${x(middle[count - 1]).toFixed(1)} ${floor}L${x(middle[0]).toFixed(1)} ${floor}Z`);
    }
    this.shape("line " + (one.style || ""), one, path);
  }
  // Layers on each other; with `whole` each column is divided by its sum. Where there are more intervals than columns of
  // two pixels, neighbours are averaged.
  stack() {
    const joined = Math.max(1, Math.ceil((2 * count) / this.area.inner));
    const columns = Math.ceil(count / joined);
    const average = (values) => {
      const sums = new Array(columns).fill(0);
      values.forEach((value, i) => (sums[Math.floor(i / joined)] += value));
      return sums.map((sum, i) => sum / Math.min(joined, count - i * joined));
    };
    const values = this.shown.map((one) => average(one.values));
    const sums = new Array(columns).fill(0);
    for (const column of values) column.forEach((value, i) => (sums[i] += value));
    const below = new Array(columns).fill(0);
    return this.shown.map((one, k) => {
      const low = below.slice();
      values[k].forEach((value, i) => (below[i] += this.whole ? (sums[i] ? value / sums[i] : 0) : value));
      return { one, low, high: below.slice(), joined };
    });
  }
  listen() {
    const root = this.area.root;
    const indexAt = (pointer) => {
      const box = root.getBoundingClientRect();
      const seconds = timeRange[0] + ((pointer.clientX - box.left - margin.left) / this.area.inner) * (timeRange[1] - timeRange[0]);
      let best = 0;
      for (let i = 1; i < count; ++i) if (Math.abs(middle[i] - seconds) < Math.abs(middle[best] - seconds)) best = i;
      return best;
    };
    root.addEventListener("pointermove", (pointer) => this.point(indexAt(pointer), { x: pointer.clientX, y: pointer.clientY }));
    root.addEventListener("pointerleave", leave);
    root.addEventListener("blur", leave);
    root.addEventListener("keydown", (key) => {
      const last = count - 1;
      const now = this.index ?? 0;
      const next = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last }[key.key];
      if (next === undefined) return;
      key.preventDefault();
      const box = root.getBoundingClientRect();
      const index = Math.min(Math.max(next, 0), last);
      this.point(index, { x: box.left + this.x(middle[index]), y: box.top + 40 });
    });
  }
  point(index, pointer) {
    if (!count) return;
    for (const chart of timeCharts) chart.cross(index);
    const time = html("strong", null, `${clock(spans.start[index])} – ${clock(spans.start[index] + spans.length[index])}`);
    const sum = this.shown.reduce((whole, one) => whole + (one.values[index] || 0), 0);
    const rows = this.shown
      .filter((one) => !this.stacked || one.values[index] > 0)
      .map((one) => ({ name: one.name, colour: one.colour, text: this.tipText(one.values[index], sum) }));
    if (this.stacked) rows.reverse();
    const near = [];
    const slack = ((timeRange[1] - timeRange[0]) / this.area.inner) * 4;
    const left = Math.min(spans.start[index], middle[index] - slack);
    const right = Math.max(spans.start[index] + spans.length[index], middle[index] + slack);
    data.events.forEach((event, i) => event.seconds >= left && event.seconds < right && near.push(i));
    light(near);
    const notes = near.slice(0, 5).map((i) => html("p", null, `${i + 1}  ${data.events[i].text}`, "event " + kindClass(data.events[i])));
    if (near.length > 5) notes.push(html("p", null, `and ${near.length - 5} more events`, "soft"));
    showTip([time, rows.length ? tipRows(rows) : html("p", null, this.nothing || "nothing", "soft"), ...notes], pointer);
  }
  cross(index) {
    this.index = index;
    const at = this.x(middle[index]);
    this.overlay.replaceChildren();
    svg("line", { class: "cross", x1: at, x2: at, y1: margin.top, y2: this.area.height - margin.bottom }, this.overlay);
    if (this.stacked) return;
    for (const one of this.shown) {
      if (one.values[index] === null) continue;
      const dot = svg("circle", { class: "dot", cx: at, cy: this.y(one.values[index]), r: 3.6 }, this.overlay);
      dot.style.cssText = `--c:var(--${one.colour})`;
    }
  }
}
const leave = () => {
  tip.hidden = true;
  light([]);
  for (const chart of timeCharts) chart.overlay.replaceChildren();
};

// ---- the percentile curve

const drawCurve = () => {
  const host = document.getElementById("curve");
  if (!host) return;
  const area = frame(host, 260);
  const points = data.curve;
  const depth = ([share]) => Math.log10(1 / Math.max(1 - share / 100, 1e-9));
  const deepest = Math.max(1, depth(points[points.length - 1]));
  const x = (point) => margin.left + (area.inner * Math.min(depth(point), deepest)) / deepest;
  const scale = valueScale(points[points.length - 1][1], points[0][1], drawCurve.logarithmic);
  const y = ([, value]) => margin.top + area.tall * (1 - scale.of(value));
  drawValueAxis(area, scale, shortDuration);
  const bottom = area.height - margin.bottom;
  svg("line", { class: "axis", x1: margin.left, x2: area.width - margin.right, y1: bottom, y2: bottom }, area.root);
  for (const share of [0, 50, 90, 99, 99.9, 99.99, 99.999, 99.9999, 99.99999]) {
    if (depth([share]) > deepest + 0.02) continue;
    svg("line", { class: "grid", x1: x([share]), x2: x([share]), y1: margin.top, y2: bottom }, area.root);
    svg("text", { x: x([share]), y: bottom + 17, "text-anchor": "middle" }, area.root).textContent = share + " %";
  }
  const path = points.map((point, i) => `${i ? "L" : "M"}${x(point).toFixed(1)} ${y(point).toFixed(1)}`).join("");
  svg("path", { class: "line", d: path }, area.root).style.cssText = "--c:var(--violet)";
  const dot = svg("circle", { class: "dot", r: 3.6, visibility: "hidden" }, area.root);
  dot.style.cssText = "--c:var(--violet)";
  const point = (i, pointer) => {
    drawCurve.index = i;
    dot.setAttribute("cx", x(points[i]));
    dot.setAttribute("cy", y(points[i]));
    dot.setAttribute("visibility", "visible");
    const share = points[i][0] >= 100 ? "100" : trimmed(points[i][0].toFixed(Math.min(7, Math.max(2, Math.ceil(depth(points[i]))))));
    showTip([html("strong", null, `${share} % within ${duration(points[i][1])}`)], pointer);
  };
  area.root.addEventListener("pointermove", (pointer) => {
    const at = pointer.clientX - area.root.getBoundingClientRect().left;
    let best = 0;
    points.forEach((candidate, i) => Math.abs(x(candidate) - at) < Math.abs(x(points[best]) - at) && (best = i));
    point(best, { x: pointer.clientX, y: pointer.clientY });
  });
  area.root.addEventListener("keydown", (key) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[key.key];
    if (!step) return;
    key.preventDefault();
    const box = area.root.getBoundingClientRect();
    const i = Math.min(Math.max((drawCurve.index ?? 0) + step, 0), points.length - 1);
    point(i, { x: box.left + x(points[i]), y: box.top + 40 });
  });
  const end = () => {
    tip.hidden = true;
    dot.setAttribute("visibility", "hidden");
  };
  area.root.addEventListener("pointerleave", end);
  area.root.addEventListener("blur", end);
};
drawCurve.logarithmic = true;

// ---- the charts of this run

const perSecond = (values) => values.map((value, i) => value / (spans.length[i] || 1));
const latency = (values) => values.map((value, i) => (spans.completed[i] ? value : null));
new TimeChart({
  id: "latency", height: 290, scales: true, logarithmic: true, axisText: shortDuration,
  tipText: (value) => (value === null ? "–" : duration(value)),
  series: [
    { name: "max", colour: "grey", values: latency(spans.max), style: "thin" },
    { name: "p99.9", colour: "pink", values: latency(spans.p999) },
    { name: "p99", colour: "violet", values: latency(spans.p99) },
    { name: "p90", colour: "blue", values: latency(spans.p90) },
    { name: "p50", colour: "sky", values: latency(spans.p50) },
  ],
});
new TimeChart({
  id: "throughput", height: 220, axisText: shortRate, tipText: (value) => `${rate(value)} ${data.unit}/s`,
  series: [
    { name: "completed", colour: "green", values: perSecond(spans.completed), filled: true },
    { name: data.open ? "offered" : "started", colour: "amber", values: perSecond(spans.started), style: "dashed" },
  ],
});
if (data.outcomes.length) {
  new TimeChart({
    id: "outcomes", height: 190, stacked: true, axisText: shortRate, nothing: "no answers",
    tipText: (value, sum) => `${rate(value)} /s  (${percent(sum ? value / sum : 0)})`,
    series: colouredAnswers(data.outcomes.map((one) => ({ ...one, values: perSecond(one.values) }))),
  });
}
if (data.errors.length) {
  new TimeChart({
    id: "errors", height: 190, stacked: true, axisText: shortRate, nothing: "no errors", tipText: (value) => rate(value) + " /s",
    series: coloured(data.errors.map((one) => ({ ...one, values: perSecond(one.values) })), errorPalette),
  });
}
if (data.shares.length) {
  new TimeChart({
    id: "shares", height: 210, stacked: true, whole: true, axisText: (value) => Math.round(value * 100) + " %",
    nothing: `no ${data.unit}`, tipText: (value, sum) => `${percent(sum ? value / sum : 0)}  (${value.toLocaleString("en")})`,
    series: coloured(data.shares, sharePalette),
  });
}
const curveSwitch = document.querySelector("#curve-keys");
if (curveSwitch) {
  const button = html("button", curveSwitch, "log scale", "scale");
  button.type = "button";
  button.addEventListener("click", () => {
    drawCurve.logarithmic = !drawCurve.logarithmic;
    button.textContent = drawCurve.logarithmic ? "log scale" : "linear scale";
    drawCurve();
  });
}
const drawAll = () => {
  for (const chart of timeCharts) chart.draw();
  drawCurve();
};
let drawnWidth = 0;
new ResizeObserver(() => {
  const width = document.querySelector("main").clientWidth;
  if (width === drawnWidth) return;
  drawnWidth = width;
  requestAnimationFrame(drawAll);
}).observe(document.querySelector("main"));

for (const row of document.querySelectorAll("#events tr[data-event]")) {
  row.addEventListener("pointerenter", () => light([Number(row.dataset.event)]));
  row.addEventListener("pointerleave", () => light([]));
}

// ---- every interval as a table, made when it is opened

const details = document.getElementById("intervals");
details.addEventListener("toggle", () => {
  const place = details.querySelector(".scroll");
  if (!details.open || place.firstChild) return;
  const table = html("table", place);
  const head = html("tr", html("thead", table));
  const columns = ["from", "started", "completed", "errors", "p50", "p90", "p99", "p99.9", "max"];
  columns.forEach((name) => (html("th", head, name, "number").scope = "col"));
  const body = html("tbody", table);
  for (let i = 0; i < count; ++i) {
    const row = html("tr", body);
    html("td", row, clock(spans.start[i]), "number");
    for (const key of ["started", "completed", "failed"]) html("td", row, spans[key][i].toLocaleString("en"), "number");
    for (const key of ["p50", "p90", "p99", "p999", "max"]) html("td", row, spans.completed[i] ? duration(spans[key][i]) : "–", "number");
  }
});
