"use strict";
// One colour for each line, told apart also by people who see few colours.
const colors = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#777777", "#000000"];

// A logarithmic axis has no place for zero: such a value is drawn at the floor of the chart.
function above(values, log, floor) {
  return log ? values.map((v) => (v === null ? null : Math.max(v, floor))) : values;
}

function smallest(lines) {
  let least = Infinity;
  for (const line of lines) for (const v of line.values) if (v !== null && v > 0 && v < least) least = v;
  return least === Infinity ? 1 : least;
}

function short(v) {
  if (v === null || v === undefined) return "-";
  if (v !== 0 && Math.abs(v) < 1) return String(+v.toPrecision(2));
  return Math.abs(v) >= 1e6 ? +(v / 1e6).toPrecision(4) + "M" : String(+v.toPrecision(5));
}

function draw(place, chart) {
  const floor = smallest(chart.lines);
  const ticks = (u, list) => list.map((v) => (v === null ? "" : short(v)));
  const options = {
    width: place.clientWidth, height: 300,
    scales: { x: { time: false, distr: chart.logx ? 3 : 1 }, y: { distr: chart.logy ? 3 : 1 } },
    axes: [{ label: chart.xlabel, values: ticks }, { label: chart.ylabel, values: ticks, size: 64 }],
    series: [{ label: chart.xlabel, value: (u, v) => short(v) }].concat(chart.lines.map((line, i) => ({
      label: line.name, stroke: colors[i % colors.length], width: 1.5, spanGaps: false, points: { show: chart.x.length < 40 },
      value: (u, v) => short(v),
    }))),
  };
  const data = [chart.x].concat(chart.lines.map((line) => above(line.values, chart.logy, floor)));
  const plot = new uPlot(options, data, place);
  window.addEventListener("resize", () => plot.setSize({ width: place.clientWidth, height: 300 }));
}

document.querySelectorAll("figure.chart").forEach((place, i) => draw(place, charts[i]));
document.querySelectorAll("td").forEach((cell) => {
  if (/^[\d.,]+( ?(ms|s|us|%|\/s))?$/.test(cell.textContent)) cell.classList.add("number");
});
