// Draws the plots of the page. Runs in a browser, with Plot in its globals.

const { cases, samples, metrics } = JSON.parse(
  document.getElementById("data").textContent,
);
const metricSelect = document.getElementById("metric");
const connectionsSelect = document.getElementById("connections");
const subjectBoxes = document.getElementById("subjects");

// Colours that people who see fewer colours can tell apart.
const colors = {
  "native": "#0072b2",
  "deno-engine": "#56b4e9",
  "deno": "#009e73",
  "bun": "#e69f00",
  "node": "#cc79a7",
  "floor": "#8a8f98",
};
const choices = [
  ...["cpu", "operationsPerSecond", "scriptCpu", "p50", "p99", "p999"],
  "peakMemory",
];
// What is shown of cases that lack what was chosen.
const fallbacks = ["p99", "startTime", "memory"];

const subjects = [
  ...new Map(
    cases.flatMap(({ rows }) =>
      rows.map(({ subject }) => [subject.id, subject])
    ),
  ).values(),
];

function fillControls() {
  for (const name of choices) {
    metricSelect.add(new Option(metrics[name].unit, name));
  }
  connectionsSelect.add(new Option("all", "all"));
  const counts = cases.map(({ connections }) => connections);
  for (const count of [...new Set(counts)].sort((a, b) => a - b)) {
    if (count > 0) connectionsSelect.add(new Option(count, count));
  }
  for (const { id, title } of subjects) {
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.value = id;
    box.checked = true;
    const swatch = document.createElement("span");
    swatch.className = "swatch";
    swatch.style.background = colors[id];
    label.append(box, swatch, title);
    subjectBoxes.append(label);
  }
}

function has({ rows }, metric) {
  return rows.some(({ summaries }) => summaries[metric]);
}

function metricFor(analyzed) {
  return [metricSelect.value, ...fallbacks]
    .find((metric) => has(analyzed, metric));
}

function shownSubjects() {
  const boxes = [...subjectBoxes.querySelectorAll("input")];
  return new Set(boxes.filter((box) => box.checked).map((box) => box.value));
}

// Memory is kept in bytes and read in megabytes.
function scaleOf(metric) {
  return metric === "memory" || metric === "peakMemory" ? 1e-6 : 1;
}

function valueText(value) {
  return value.toLocaleString("en", { maximumSignificantDigits: 3 });
}

function draw(analyzed, metric, shown) {
  const scale = scaleOf(metric);
  const rows = analyzed.rows
    .filter(({ subject, summaries }) =>
      shown.has(subject.id) && summaries[metric] &&
      !(metric === "scriptCpu" && subject.role === "floor")
    )
    .map(({ subject, summaries, isLoadBound }) => ({
      id: subject.id,
      title: subject.title,
      value: summaries[metric].median * scale,
      script: subject.role === "floor" ? 0 : summaries.scriptCpu?.median ?? 0,
      mark: isLoadBound && metric === "operationsPerSecond" ? " *" : "",
    }));
  if (rows.length === 0) return undefined;
  const titles = new Map(rows.map(({ id, title }) => [id, title]));
  const points = samples
    .filter(({ workload, connections, subject, metrics }) =>
      workload === analyzed.workload.name &&
      connections === analyzed.connections && titles.has(subject) &&
      metrics[metric] !== undefined
    )
    .map(({ subject, round, metrics }) => ({
      title: titles.get(subject),
      value: metrics[metric] * scale,
      round: round + 1,
    }));
  const isCpu = metric === "cpu";
  return Plot.plot({
    width: 430,
    height: 44 + 26 * rows.length,
    marginLeft: 150,
    marginRight: 56,
    marginTop: 4,
    x: { label: null, grid: true, ticks: 4, zero: true, tickFormat: "~s" },
    y: { label: null, domain: rows.map(({ title }) => title), padding: 0.25 },
    style: { background: "transparent", fontSize: "12px" },
    marks: [
      Plot.barX(rows, {
        x: "value",
        y: "title",
        fill: ({ id }) => colors[id],
        fillOpacity: isCpu ? 0.45 : 0.8,
      }),
      isCpu
        ? Plot.barX(rows, {
          x: "script",
          y: "title",
          fill: ({ id }) => colors[id],
        })
        : null,
      Plot.dot(points, {
        x: "value",
        y: "title",
        r: 2.5,
        fill: "currentColor",
        fillOpacity: 0.55,
        title: ({ title, round, value }) =>
          `${title}, round ${round}: ${valueText(value)}`,
      }),
      Plot.text(rows, {
        x: ({ title, value }) =>
          Math.max(
            value,
            ...points.filter((it) => it.title === title).map((it) => it.value),
          ),
        y: "title",
        text: ({ value, mark }) => valueText(value) + mark,
        textAnchor: "start",
        dx: 6,
      }),
      Plot.ruleX([0]),
    ],
  });
}

function figureFor(analyzed, shown) {
  const metric = metricFor(analyzed);
  if (metric === undefined) return undefined;
  const plot = draw(analyzed, metric, shown);
  if (plot === undefined) return undefined;
  const { workload, connections } = analyzed;
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.textContent = workload.title;
  const detail = document.createElement("small");
  const { unit, better } = metrics[metric];
  const count = workload.group === "Start and memory"
    ? ""
    : connections === 1
    ? ", 1 connection"
    : `, ${connections} connections`;
  const wish = better === "higher" ? "more is better" : "less is better";
  detail.textContent = ` ${unit}${count}; ${wish}`;
  caption.append(detail);
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", `${workload.title}: ${unit}`);
  figure.append(caption, plot);
  return figure;
}

function explanation() {
  const cpu = metricSelect.value === "cpu"
    ? " The dark part is the JavaScript thread."
    : "";
  return `Bars are medians, dots are rounds.${cpu} ` +
    "An asterisk: the server was not at full CPU.";
}

function drawAll() {
  const shown = shownSubjects();
  const wanted = connectionsSelect.value;
  const plots = document.getElementById("plots");
  plots.replaceChildren();
  document.getElementById("explanation").textContent = explanation();
  for (const group of new Set(cases.map(({ workload }) => workload.group))) {
    const figures = cases
      .filter(({ workload, connections }) =>
        workload.group === group &&
        (wanted === "all" || connections === Number(wanted))
      )
      .map((analyzed) => figureFor(analyzed, shown))
      .filter((figure) => figure !== undefined);
    if (figures.length === 0) continue;
    const heading = document.createElement("h2");
    heading.textContent = group;
    const box = document.createElement("div");
    box.className = "figures";
    box.append(...figures);
    plots.append(heading, box);
  }
}

fillControls();
drawAll();
document.querySelector("form").addEventListener("change", drawAll);
