// Making elements. Text is only ever set as text: what an article says is never taken for markup.

export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const byId = (id) => document.getElementById(id);

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });
const dayAndClock = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false });
const longDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });

export function time(iso) {
  const moment = new Date(iso);
  const today = moment.toDateString() === new Date().toDateString();
  return el("time", { datetime: iso, title: moment.toLocaleString() }, (today ? clock : dayAndClock).format(moment));
}

// A date as the article tells it: 2024, 2024-05 or 2024-05-03.
export function day(iso) {
  if (!iso) return null;
  return iso.length === 10 ? longDay.format(new Date(`${iso}T00:00:00Z`)) : iso;
}

export function names(sides) {
  return sides.map((side) => side.name).join(", ");
}

export function who(story) {
  const actors = names(story.actors) || "Somebody unnamed";
  return story.recipients.length ? `${actors} to ${names(story.recipients)}` : actors;
}

export async function getJson(path, headers = {}) {
  return readJson(await fetch(path, { headers: { Accept: "application/json", ...headers } }));
}

// The answer's JSON, null where it has none; an error with the desk's words and the status when it is none of success.
export async function readJson(answer) {
  if (!answer.ok) {
    const told = await answer.json().catch(() => ({}));
    const error = new Error(typeof told.detail === "string" ? told.detail : `the desk answered ${answer.status}`);
    error.status = answer.status;
    error.fields = Array.isArray(told.detail) ? told.detail : [];
    throw error;
  }
  return answer.status === 204 ? null : answer.json();
}
