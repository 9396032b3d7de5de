// A dyad by day: cooperation and conflict above, stance on peace talks below. Drawn as SVG, told as a table too.

import { day, el, svg } from "./dom.js";

const WIDTH = 500;
const LEFT = 68;
const RIGHT = 14;
const TOP = 18;
const MIDDLE = 118;
const HALF = 92;
const LANES = 262;
const LANE = 24;
const STANCES = [["support", "for"], ["conditional", "on terms"], ["neutral", "neutral"], ["oppose", "against"]];
const HEIGHT = LANES + STANCES.length * LANE + 26;
const DAY_MS = 86400000;
const SPREAD = 10;
const EDGE = 8;

export function dyadView(dyad) {
  const title = el("h2", { class: "detail-title", id: "detail-title", tabindex: "-1" }, dyad.name);
  const stories = el("p", {}, el("a", { class: "more", href: `?dyads=${encodeURIComponent(dyad.dyad)}`, "data-filter": true }, "Only these stories in the stream"));
  if (!dyad.points.length) {
    return [el("p", { class: "eyebrow" }, "Timeline"), title, stories,
      el("p", { class: "blank" }, dyad.undated ? `${dyad.undated} stories, none with a date: no place on a timeline.` : "No stories of this dyad yet.")];
  }
  return [
    el("p", { class: "eyebrow" }, "Timeline"),
    title,
    el("p", { class: "faint" }, span(dyad)),
    el("div", { class: "plot" }, plot(dyad)),
    el("p", { class: "legend" },
      el("span", { class: "key coop" }, "cooperation"), el("span", { class: "key conf" }, "conflict"),
      el("span", { class: "key open-dot" }, "denied or only planned")),
    stories,
    el("details", { class: "table-fold" }, el("summary", {}, `As a table, ${dyad.points.length} stories`), table(dyad)),
  ];
}

function span(dyad) {
  const [first, last] = [dyad.points[0].day, dyad.points.at(-1).day];
  const days = first === last ? day(first) : `${day(first)} to ${day(last)}`;
  const undated = dyad.undated ? `; ${dyad.undated} more without a date` : "";
  return `${dyad.points.length} ${dyad.points.length === 1 ? "story" : "stories"}, ${days}${undated}`;
}

function plot(dyad) {
  const x = scale(dyad.points);
  const stances = dyad.points.filter((point) => point.peace !== "none").length;
  const conflict = dyad.points.filter((point) => point.goldstein < 0).length;
  const told = `${dyad.points.length} stories between ${dyad.name}: ${conflict} of conflict, ${dyad.points.length - conflict} of cooperation or neutral, ${stances} with a stance on peace talks. The table below has each.`;
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "group", "aria-label": told },
    frame(dyad.points),
    dyad.points.map((point, index) => mark(point, x(index))));
}

// The x of a point: its day, with points of one day side by side.
function scale(points) {
  const days = points.map((point) => Date.parse(`${point.day}T00:00:00Z`));
  const first = days[0];
  const length = days.at(-1) - first;
  const [left, right] = [LEFT + EDGE, WIDTH - RIGHT - EDGE];
  const sizes = new Map();
  const nth = days.map((each) => {
    sizes.set(each, (sizes.get(each) ?? 0) + 1);
    return sizes.get(each) - 1;
  });
  return (index) => {
    const size = sizes.get(days[index]);
    const step = Math.min(SPREAD, (right - left) / size);
    const middle = length ? left + ((days[index] - first) / length) * (right - left) : (left + right) / 2;
    const start = Math.min(Math.max(middle - ((size - 1) / 2) * step, left), right - (size - 1) * step);
    return start + nth[index] * step;
  };
}

function frame(points) {
  const lines = [10, 5, 0, -5, -10].map((value) => {
    const y = MIDDLE - (value / 10) * HALF;
    return [
      svg("line", { class: value ? "grid" : "zero", x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y }),
      svg("text", { class: "tick", x: LEFT - 8, y: y + 4, "text-anchor": "end" }, value > 0 ? `+${value}` : value < 0 ? `−${-value}` : "0"),
    ];
  });
  const lanes = STANCES.map(([, words], index) => {
    const y = LANES + index * LANE;
    return [
      svg("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y }),
      svg("text", { class: "tick", x: LEFT - 8, y: y + 4, "text-anchor": "end" }, words),
    ];
  });
  const ends = points.length > 1 && points[0].day !== points.at(-1).day ? [0, points.length - 1] : [0];
  const days = ends.map((index, n) => svg("text", { class: "tick", x: ends.length === 1 ? (LEFT + WIDTH - RIGHT) / 2 : n ? WIDTH - RIGHT : LEFT, y: HEIGHT - 4, "text-anchor": ends.length === 1 ? "middle" : n ? "end" : "start" }, points[index].day));
  return svg("g", { "aria-hidden": "true" },
    svg("text", { class: "lane-name", x: LEFT, y: TOP - 6 }, "Cooperation (+) and conflict (−), Goldstein scale"),
    svg("text", { class: "lane-name", x: LEFT, y: LANES - 18 }, "Stance on peace talks"),
    lines, lanes, days);
}

function mark(point, x) {
  const y = MIDDLE - (point.goldstein / 10) * HALF;
  const kind = point.goldstein < 0 ? "conf" : "coop";
  const loose = ["denied", "planned", "conditional"].includes(point.claim) ? " loose" : "";
  const lane = STANCES.findIndex(([stance]) => stance === point.peace);
  return svg("a", { class: `mark ${kind}${loose}`, href: `?story=${encodeURIComponent(point.story_id)}`, "data-story": point.story_id, "aria-label": point.summary },
    svg("title", {}, point.summary),
    svg("line", { x1: x, x2: x, y1: MIDDLE, y2: y }),
    svg("circle", { cx: x, cy: y, r: 4.5 }),
    lane >= 0 && svg("circle", { class: `stance peace-${point.peace}`, cx: x, cy: LANES + lane * LANE, r: 4.5 }));
}

function table(dyad) {
  const head = ["Day", "Act", "Scale", "Claim", "Peace talks"].map((words) => el("th", { scope: "col" }, words));
  const rows = [...dyad.points].reverse().map((point) => el("tr", {},
    el("td", {}, point.day),
    el("td", {}, el("a", { href: `?story=${encodeURIComponent(point.story_id)}`, "data-story": point.story_id }, point.type.toLowerCase())),
    el("td", { class: "number" }, point.goldstein.toFixed(1)),
    el("td", {}, point.claim),
    el("td", {}, point.peace === "none" ? "" : point.peace)));
  return el("div", { class: "table-scroll" }, el("table", {}, el("caption", { class: "unseen" }, `Stories of ${dyad.name}`), el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows)));
}
