// The data of the page, and what every chart is drawn with: text, colours, scales, axes, shapes. charts.js follows in the same
// function.
const data = JSON.parse(document.getElementById("data").textContent);
const spans = data.intervals;
const count = spans.start.length;
const middle = spans.start.map((start, i) => start + spans.length[i] / 2);
const firstEvent = data.events.length ? Math.max(-5, Math.min(...data.events.map((event) => event.seconds))) : 0;
const timeRange = [Math.min(0, firstEvent), Math.max(data.seconds, count ? spans.start[count - 1] + spans.length[count - 1] : 0, 0.001)];

// ---- text

const digits = (value) => (value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2));
const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
const duration = (ms) => {
  if (ms >= 999.5) return digits(ms / 1000) + " s";
  if (ms >= 0.9995) return digits(ms) + " ms";
  return ms <= 0 ? "0 ms" : digits(ms * 1000) + " us";
};
const shortDuration = (ms) => (([number, unit]) => trimmed(number) + " " + unit)(duration(ms).split(" "));
const rate = (value) => (value >= 100 ? Math.round(value).toLocaleString("en") : trimmed(value.toFixed(2)));
const shortRate = (value) =>
  value >= 1e6 ? trimmed((value / 1e6).toFixed(2)) + "M" : value >= 1e4 ? trimmed((value / 1e3).toFixed(1)) + "k" : rate(value);
const percent = (share) => (share * 100).toFixed(share > 0 && share < 0.1 ? 2 : 1) + " %";
const clock = (seconds) => {
  const sign = seconds < 0 ? "-" : "";
  const whole = Math.abs(seconds);
  if (timeRange[1] < 120) return sign + trimmed(whole.toFixed(2)) + " s";
  const rest = (whole % 60).toFixed(whole % 1 ? 1 : 0).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${sign}${minutes}:${rest}` : `${sign}${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
};

// ---- elements

const svgNamespace = "http://www.w3.org/2000/svg";
const svg = (name, attributes, parent) => {
  const element = document.createElementNS(svgNamespace, name);
  for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
  if (parent) parent.append(element);
  return element;
};
const html = (name, parent, text, className) => {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  if (parent) parent.append(element);
  return element;
};
const kinds = ["health", "reload", "shift", "override", "life", "admin"];
const tones = ["plain", "good", "bad"];
const kindClass = ({ kind, tone }) => `${kinds.includes(kind) ? kind : "other"} ${tones.includes(tone) ? tone : "plain"}`;

// ---- colours: a target group that is named after one gets it

const sharePalette = ["blue", "amber", "green", "pink", "violet", "cyan", "lime", "sky"];
const errorPalette = ["red", "amber", "violet", "cyan", "pink", "blue", "lime", "sky"];
// Statuses by their class, response codes by what they mean; a palette that is used up goes on with the colours of others.
const answerPalettes = {
  1: ["grey"], 2: ["green", "lime", "cyan"], 3: ["blue", "sky"], 4: ["amber", "violet"], 5: ["red", "pink", "wine"],
  NOERROR: ["green", "lime"], NXDOMAIN: ["blue", "sky"], SERVFAIL: ["red", "pink"], REFUSED: ["amber", "violet"],
};
const colouredAnswers = (series) => {
  const taken = new Set();
  const rest = ["cyan", "violet", "sky", "pink", "lime", "amber"];
  const free = (palette) => palette.find((colour) => !taken.has(colour));
  for (const one of series) {
    const own = one.others ? ["grey"] : answerPalettes[one.name.split(" ")[0]] || answerPalettes[one.name[0]] || [];
    taken.add((one.colour = free(own) || free(rest) || "grey"));
  }
  return series;
};
const coloured = (series, palette) => {
  const taken = new Set();
  for (const one of series) {
    const named = ["blue", "green"].find((colour) => one.name.toLowerCase().includes(colour) && !taken.has(colour));
    if (named) taken.add((one.colour = named));
  }
  for (const one of series) {
    if (one.colour) continue;
    one.colour = one.others ? "grey" : palette.find((colour) => !taken.has(colour)) || "grey";
    taken.add(one.colour);
  }
  return series;
};

// ---- scales

const linearTicks = (low, high, wanted) => {
  const rough = (high - low) / wanted || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i) ticks.push(i * step);
  return ticks;
};
const timeTicks = (low, high, wanted) => {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];
  const rough = (high - low) / wanted;
  if (rough < 1) return linearTicks(low, high, wanted);
  const step = steps.find((candidate) => candidate >= rough) || Math.ceil(rough / 86400) * 86400;
  const ticks = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) ticks.push(tick);
  return ticks;
};
const logTicks = (low, high) => {
  const ticks = [];
  const factors = Math.log10(high / low) > 3.2 ? [1] : [1, 2, 5];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); ++power) {
    for (const factor of factors) {
      const tick = factor * 10 ** power;
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
    }
  }
  return ticks;
};
// {of(value) -> 0..1, ticks} for values from 0, or from the lowest positive one when logarithmic.
const valueScale = (highest, lowest, logarithmic) => {
  if (!logarithmic || !(lowest > 0)) {
    const ticks = linearTicks(0, highest || 1, 4);
    const step = ticks[1] - ticks[0];
    const top = Math.max(ticks[ticks.length - 1], Math.ceil((highest || 1) / step - 1e-9) * step);
    if (ticks[ticks.length - 1] < top) ticks.push(top);
    return { of: (value) => value / top, ticks };
  }
  const low = lowest / 1.15;
  const high = Math.max(highest * 1.15, low * 2);
  return {
    of: (value) => (value <= low ? 0 : Math.log(value / low) / Math.log(high / low)),
    ticks: logTicks(low, high),
  };
};

// ---- what all charts share

const margin = { left: 66, right: 28, top: 24, bottom: 24 };
const tip = html("div", document.body, undefined, "tip");
tip.hidden = true;
const timeCharts = [];

const showTip = (box, pointer) => {
  tip.replaceChildren(...box);
  tip.hidden = false;
  const left = pointer.x + 18 + tip.offsetWidth > window.innerWidth ? pointer.x - 18 - tip.offsetWidth : pointer.x + 18;
  const top = Math.min(Math.max(8, pointer.y - 20), Math.max(8, window.innerHeight - tip.offsetHeight - 8));
  tip.style.left = Math.max(8, left) + "px";
  tip.style.top = top + "px";
};
const tipRows = (rows) => {
  const table = document.createElement("table");
  for (const row of rows) {
    const line = html("tr", table);
    const name = html("td", line);
    html("i", name).style.setProperty("--c", `var(--${row.colour})`);
    name.append(row.name);
    html("td", line, row.text);
  }
  return table;
};
const frame = (host, height) => {
  const width = Math.max(320, host.clientWidth);
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, height, tabindex: 0, role: "img", "aria-label": host.dataset.label });
  host.replaceChildren(root);
  return { root, width, height, inner: width - margin.left - margin.right, tall: height - margin.top - margin.bottom };
};
const drawValueAxis = (area, scale, text) => {
  for (const tick of scale.ticks) {
    const y = margin.top + area.tall * (1 - scale.of(tick));
    svg("line", { class: "grid", x1: margin.left, x2: area.width - margin.right, y1: y, y2: y }, area.root);
    svg("text", { x: margin.left - 8, y: y + 4, "text-anchor": "end" }, area.root).textContent = text(tick);
  }
};
const drawTimeAxis = (area, x) => {
  const bottom = area.height - margin.bottom;
  svg("line", { class: "axis", x1: margin.left, x2: area.width - margin.right, y1: bottom, y2: bottom }, area.root);
  for (const tick of timeTicks(timeRange[0], timeRange[1], Math.max(3, area.inner / 90))) {
    svg("text", { x: x(tick), y: bottom + 17, "text-anchor": "middle" }, area.root).textContent = clock(tick);
  }
};
// Labels that would lie on each other become one: `3-7`.
const drawEvents = (area, x) => {
  const labels = [];
  data.events.forEach((event, i) => {
    if (event.seconds < timeRange[0] || event.seconds > timeRange[1]) return;
    const at = x(event.seconds);
    const group = svg("g", { class: "event " + kindClass(event), "data-event": i }, area.root);
    const place = { x1: at, x2: at, y1: margin.top - 4, y2: area.height - margin.bottom };
    svg("line", { class: "halo", ...place }, group);
    svg("line", place, group);
    const last = labels[labels.length - 1];
    const width = (text) => 9 + 6.5 * text.length;
    if (last && at - last.at < width(last.text) / 2 + width(String(i + 1)) / 2 + 3) {
      last.to = i;
      last.text = `${last.from + 1}-${i + 1}`;
      if (last.kind !== kindClass(event)) last.kind = "other plain";
    } else {
      labels.push({ at, from: i, to: i, text: String(i + 1), kind: kindClass(event) });
    }
  });
  for (const label of labels) {
    const width = 9 + 6.5 * label.text.length;
    const left = Math.min(Math.max(label.at - width / 2, 0), area.width - width);
    const group = svg("g", { class: "event " + label.kind }, area.root);
    svg("rect", { x: left, y: margin.top - 20, width, height: 16, rx: 4 }, group);
    svg("text", { x: left + width / 2, y: margin.top - 8 }, group).textContent = label.text;
  }
};
const light = (chosen) => {
  for (const element of document.querySelectorAll("[data-event]")) {
    element.classList.toggle("lit", chosen.includes(Number(element.dataset.event)));
  }
};

// ---- shapes

const linePath = (values, x, y) => {
  let path = "";
  let down = false;
  values.forEach((value, i) => {
    if (value === null) return void (down = false);
    path += `${down ? "L" : "M"}${x(middle[i]).toFixed(1)} ${y(value).toFixed(1)}`;
    // A lone point between two gaps is still seen.
    if (!down && (i + 1 === count || values[i + 1] === null)) path += "h.1";
    down = true;
  });
  return path;
};
const stackPath = ({ low, high, joined }, x, y) => {
  let path = "";
  for (let i = 0; i < high.length; ++i) {
    if (high[i] <= low[i]) continue;
    const last = Math.min((i + 1) * joined, count) - 1;
    const left = x(spans.start[i * joined]);
    // Neighbours touch, although seconds are not measured to the millisecond.
    const measured = spans.start[last] + spans.length[last];
    const touches = last + 1 < count && Math.abs(spans.start[last + 1] - measured) < spans.length[last] / 4;
    const right = Math.max(x(touches ? spans.start[last + 1] : measured), left + 0.6);
    path += `M${left.toFixed(1)} ${y(low[i]).toFixed(1)}V${y(high[i]).toFixed(1)}H${right.toFixed(1)}V${y(low[i]).toFixed(1)}Z`;
  }
  return path;
};
