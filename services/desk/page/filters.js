// The filters: one form, one query string. The names are those of the API, and so are those in the address.

import { byId, el, getJson } from "./dom.js";

const GROUPS = [
  ["peace", "Stance on peace talks", [["support", "for"], ["conditional", "on terms"], ["neutral", "neutral"], ["oppose", "against"]]],
  ["types", "What is done", [
    ["AGREE", "agree"], ["CONSULT", "consult"], ["SUPPORT", "support"], ["CONCEDE", "concede"], ["STATEMENT", "statement"],
    ["COOPERATE", "cooperate"], ["AID", "aid"], ["RETREAT", "retreat"], ["REQUEST", "demand"], ["ACCUSE", "accuse"],
    ["REJECT", "reject"], ["THREATEN", "threaten"], ["PROTEST", "protest"], ["SANCTION", "sanction"],
    ["MOBILIZE", "mobilise"], ["COERCE", "coerce"], ["ASSAULT", "assault"]]],
  ["claim", "Claim", [["asserted", "as fact"], ["reported", "by account"], ["planned", "planned"], ["conditional", "conditional"], ["denied", "denied"]]],
  ["tone", "Tone", [["positive", "friendly"], ["neutral", "neutral"], ["negative", "hostile"]]],
  ["status", "Status", [["new", "new"], ["restated", "told again"], ["changed", "changed"], ["contradicted", "contradicted"], ["withdrawn", "withdrawn"]]],
  ["timing", "Timing", [["new", "new"], ["background", "background"]]],
];
const NAMES = [...GROUPS.map(([name]) => name), "sides", "dyads", "min_families", "shifted", "text"];

// The labels of each group with their words.
export const CHOICES = new Map(GROUPS.map(([name, , choices]) => [name, choices]));

export const LISTS = [...GROUPS.map(([name]) => name), "sides", "dyads"];

export function groups() {
  return GROUPS.map(([name, title, choices]) =>
    el("fieldset", {}, el("legend", {}, title), el("div", { class: "chips" }, choices.map(([value, words]) =>
      el("label", { class: "chip" }, el("input", { type: "checkbox", name, value }), el("span", {}, words))))));
}

export const codes = (words) => words.toUpperCase().match(/[A-Z]{2,6}/g) ?? [];
export const dyads = (words) => words.toUpperCase().match(/[A-Z]{2,6}(\|[A-Z]{2,6})*/g) ?? [];

// The filters of the form as a query.
export function query() {
  const made = new URLSearchParams();
  for (const box of byId("filters").querySelectorAll("input[type=checkbox]:checked")) made.append(box.name, box.value);
  for (const code of codes(byId("sides").value)) made.append("sides", code);
  for (const dyad of dyads(byId("dyads").value)) made.append("dyads", dyad);
  if (byId("min_families").value !== "1") made.set("min_families", byId("min_families").value);
  const words = byId("text").value.trim();
  if (words) made.set("text", words);
  return made;
}

// The query of an address into the form.
export function show(given) {
  for (const box of byId("filters").querySelectorAll("input[type=checkbox]")) {
    box.checked = given.getAll(box.name).includes(box.value);
  }
  byId("sides").value = given.getAll("sides").join(", ");
  byId("dyads").value = given.getAll("dyads").join(", ");
  byId("min_families").value = given.get("min_families") ?? "1";
  if (document.activeElement !== byId("text")) byId("text").value = given.get("text") ?? "";
  tell(given);
}

// How many filters are on.
export function tell(given) {
  const count = [...given.keys()].filter((name) => NAMES.includes(name)).length;
  byId("families-shown").value = byId("min_families").value;
  byId("clear").hidden = count === 0;
  byId("filter-count").hidden = count === 0;
  byId("filter-count").textContent = `${count} on`;
  return count;
}

// Only the filters of an address, without what is open.
export function only(given) {
  return new URLSearchParams([...given].filter(([name]) => NAMES.includes(name)));
}

// The query that shows what a subscription's filter takes.
export function ofSubscription(filter) {
  const made = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) {
    for (const part of [value].flat()) if (part !== "" && part !== false && !(name === "min_families" && part === 1)) made.append(name, part);
  }
  return made;
}

// Subscriptions with their filters as links; gives their names by id.
export async function showSubscriptions() {
  const list = byId("watching");
  const found = await getJson("api/subscriptions");
  list.replaceChildren(...found.map((one) => {
    return el("li", {},
      el("a", { href: `?${ofSubscription(one.filter)}`, "data-filter": true }, one.name, !one.enabled && el("span", { class: "faint" }, " (paused)")),
      el("a", { class: "feed", href: `api/subscriptions/${one.id}/feed`, "aria-label": `Atom feed of ${one.name}` }, "feed"));
  }));
  if (!found.length) list.append(el("li", { class: "faint" }, "none yet"));
  return new Map(found.map((one) => [one.id, one.name]));
}

export async function showDyads() {
  const found = await getJson("api/dyads");
  byId("dyad-list").replaceChildren(...found.slice(0, 200).map((row) => el("option", { value: row.dyad }, row.name)));
}
