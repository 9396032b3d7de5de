// The desk: what is shown follows from the address, and the stream keeps it up to date.

import { CorrectionForm } from "./corrections.js";
import { byId, el, getJson, who } from "./dom.js";
import { dyadView } from "./dyad.js";
import * as filters from "./filters.js";
import { List } from "./list.js";
import { storyView } from "./story.js";
import { Stream } from "./stream.js";
import { Subscriptions } from "./subscriptions.js";
import { Writing } from "./writing.js";

const STATES = { connecting: "connecting", live: "live", lost: "reconnecting", idle: "stopped" };
const LOST_MS = 1500;
const SAY_MS = 4000;
const TYPING_MS = 250;
const DYADS_MS = 60000;
const AGAIN_MS = 4000;

const list = new List(new Map());
let address = new URLSearchParams(location.search);
let cursor = null;
let unseen = 0;
let unsaid = [];
let turn = 0;
let opened = "";
let lostTimer = null;
let openedFrom = null;

const stream = new Stream({
  onStory(story) {
    const added = list.put(story);
    const last = list.trim();
    if (last !== null) {
      cursor = last;
      byId("older").hidden = false;
    }
    blank(null);
    unsaid.push(story);
    if (added && byId("main").getBoundingClientRect().top < -40) unseen += 1;
    tellNewer();
    if (address.get("story") === story.story_id) openDetail(true);
    tellCount();
  },
  onGone(id) {
    list.remove(id);
    if (!list.size) showEmpty();
  },
  onReset: () => load(),
  onState: showState,
});

function showState(state) {
  const node = byId("state");
  if (node.dataset.state !== state) {
    node.dataset.state = state;
    byId("state-words").textContent = STATES[state];
  }
  if (state === "lost") {
    lostTimer ??= setTimeout(() => banner("Connection lost. Trying again; what comes in the meantime will be shown, nothing is missed."), LOST_MS);
  } else {
    clearTimeout(lostTimer);
    lostTimer = null;
    if (state === "live") banner(null);
  }
}

function banner(words) {
  byId("banner").hidden = words === null;
  if (words !== null && byId("banner").textContent !== words) byId("banner").textContent = words;
}

function blank(...children) {
  byId("blank").hidden = children[0] === null;
  byId("blank").replaceChildren(...children.filter((child) => child !== null));
}

function showEmpty() {
  if (filters.tell(filters.only(address))) {
    blank(el("h2", {}, "No story matches"), el("p", {}, "New ones that do will appear here as they come."),
      el("button", { type: "button", class: "quiet", onclick: clear }, "Clear all filters"));
  } else {
    blank(el("h2", {}, "Waiting for the first story"), el("p", {}, "Stories appear here by themselves as articles come in."));
  }
}

// The list by the filters of the address, and then the stream from there on.
async function load(again = false) {
  const mine = ++turn;
  const query = filters.only(address);
  stream.close();
  if (!again) {
    list.loading();
    blank(null);
  }
  byId("older").hidden = true;
  unseen = 0;
  tellNewer();
  try {
    const page = await getJson(`api/stories?${query}`);
    if (mine !== turn) return;
    list.set(page.items);
    blank(null);
    cursor = page.next_cursor;
    byId("older").hidden = cursor === null;
    if (!page.items.length) showEmpty();
    list.mark(address.get("story"));
    tellCount();
    stream.open(query.toString(), page.last_seq);
  } catch (error) {
    if (mine !== turn) return;
    list.set([]);
    const wrong = error.status === 422;
    showState(wrong ? "idle" : "lost");
    clearTimeout(lostTimer);
    lostTimer = null;
    banner(null);
    if (!wrong) setTimeout(() => { if (mine === turn) load(true); }, AGAIN_MS);
    blank(el("h2", {}, wrong ? "This filter cannot be used" : "The stories cannot be loaded"),
      el("p", {}, wrong ? "One of its values is none the desk knows." : "The desk does not answer. It is asked again every few seconds."),
      el("button", { type: "button", class: "quiet", onclick: wrong ? clear : () => load() }, wrong ? "Clear all filters" : "Try again"));
  }
}

async function older() {
  const query = filters.only(address);
  query.set("cursor", cursor);
  byId("older").disabled = true;
  try {
    const page = await getJson(`api/stories?${query}`);
    list.add(page.items);
    cursor = page.next_cursor;
    byId("older").hidden = cursor === null;
    byId("older").textContent = "Older stories";
    tellCount();
  } catch {
    byId("older").textContent = "That did not work. Try again";
  }
  byId("older").disabled = false;
}

function tellCount() {
  const alerted = list.node.querySelectorAll(".row.alerted").length;
  byId("summary").textContent = `${list.size}${cursor === null ? "" : " and more"}, newest first${alerted ? `; ${alerted} with an alert` : ""}`;
}

function tellNewer() {
  byId("newer").hidden = unseen === 0;
  byId("newer").textContent = `↑ ${unseen} new ${unseen === 1 ? "story" : "stories"}`;
}

// Said together every few seconds, so that a reader of the screen is not drowned.
setInterval(() => {
  if (!unsaid.length) return;
  const latest = unsaid.at(-1);
  const alerts = unsaid.filter((story) => story.alerts.length).length;
  const count = unsaid.length === 1 ? "A new story" : `${unsaid.length} new stories`;
  byId("live").textContent = `${count}${alerts ? `, ${alerts} with an alert` : ""}. ${who(latest)}: ${latest.words.act}.`;
  unsaid = [];
}, SAY_MS);

// The story or dyad that the address names.
async function openDetail(again = false) {
  const story = address.get("story");
  const dyad = address.get("dyad");
  const wanted = story ?? dyad ?? "";
  list.mark(story);
  byId("desk").classList.toggle("with-detail", wanted !== "");
  byId("detail-idle").hidden = wanted !== "";
  byId("detail-body").hidden = wanted === "";
  const body = byId("detail-body");
  const changed = wanted !== opened;
  opened = wanted;
  if (!wanted) {
    body.replaceChildren();
    return;
  }
  const close = el("button", { class: "quiet close", type: "button", onclick: closeDetail, "aria-label": "Close details" }, "Close");
  if (!again && changed) body.replaceChildren(close, el("p", { class: "ghost-block", "aria-busy": "true" }, "loading"));
  try {
    const parts = story !== null
      ? storyView(await getJson(`api/stories/${encodeURIComponent(story)}`), list.subscriptions)
      : dyadView(await getJson(`api/dyads/${encodeURIComponent(dyad)}`));
    if (opened !== wanted) return;
    body.replaceChildren(close, ...parts.flat().filter(Boolean));
    if (!again && changed) {
      byId("detail").scrollTop = 0;
      byId("detail-title").focus({ preventScroll: true });
    }
  } catch (error) {
    if (opened !== wanted) return;
    body.replaceChildren(close, el("div", { class: "blank" }, el("h2", {}, error.status === 404 ? "This story is no longer kept" : "This cannot be loaded"), el("p", {}, error.message)));
  }
}

function closeDetail() {
  const former = openedFrom ?? list.current()?.querySelector(".row-link");
  address.delete("story");
  address.delete("dyad");
  go(address);
  (former?.isConnected ? former : byId("stream")).focus({ preventScroll: true });
}

function go(next, replace = false) {
  const before = filters.only(address).toString();
  address = new URLSearchParams(next);
  const to = address.size ? `?${address}` : location.pathname;
  history[replace ? "replaceState" : "pushState"](null, "", to);
  follow(before);
}

function follow(before) {
  filters.show(address);
  if (filters.only(address).toString() !== before) load();
  openDetail();
}

function applyFilters(replace) {
  const next = filters.query();
  for (const name of ["story", "dyad"]) if (address.has(name)) next.set(name, address.get(name));
  if (next.toString() !== address.toString()) go(next, replace);
}

function clear() {
  byId("text").value = "";
  go(new URLSearchParams());
}

function openPart(name, value) {
  const next = filters.only(address);
  next.set(name, value);
  openedFrom = document.activeElement?.closest?.("a") ?? null;
  go(next);
}

// With the story as it stands now: somebody else may have corrected it.
async function correct(eventId) {
  const story = address.get("story");
  try {
    const { tellings } = await getJson(`api/stories/${encodeURIComponent(story)}`);
    const told = tellings.find((one) => one.event_id === eventId);
    if (told && address.get("story") === story && !dialogIsOpen()) correcting.open(told);
  } catch (error) {
    banner(`The event cannot be loaded: ${error.message}`);
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-correct]");
  if (button) correct(button.dataset.correct);
  const link = event.target.closest("a[data-story], a[data-dyad], a[data-filter]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  if (link.dataset.story) openPart("story", link.dataset.story);
  else if (link.dataset.dyad) openPart("dyad", link.dataset.dyad);
  else go(new URL(link.href, location.href).searchParams);
});

const dialogIsOpen = () => document.querySelector("dialog[open]") !== null;

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input:not([type=checkbox]):not([type=range]), textarea, select");
  if (event.key === "Escape" && !dialogIsOpen()) {
    if (typing) event.target.blur();
    else if (opened) closeDetail();
    return;
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey || dialogIsOpen()) return;
  const keys = {
    j: () => list.move(1),
    k: () => list.move(-1),
    "/": () => byId("text").focus(),
    "?": () => byId("help").showModal(),
    d: () => {
      const id = list.current()?.dataset.id ?? address.get("story");
      if (id) getJson(`api/stories/${encodeURIComponent(id)}`).then((found) => openPart("dyad", found.story.dyad)).catch(() => {});
    },
  };
  if (keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
});

let typingTimer = null;
byId("filters").addEventListener("change", () => applyFilters(false));
byId("min_families").addEventListener("input", () => { byId("families-shown").value = byId("min_families").value; });
byId("filters").addEventListener("submit", (event) => { event.preventDefault(); applyFilters(false); });
byId("search").addEventListener("submit", (event) => { event.preventDefault(); applyFilters(false); });
byId("text").addEventListener("input", () => { clearTimeout(typingTimer); typingTimer = setTimeout(() => applyFilters(true), TYPING_MS); });
byId("clear").addEventListener("click", clear);
byId("older").addEventListener("click", older);
byId("newer").addEventListener("click", () => { unseen = 0; tellNewer(); scrollTo({ top: 0 }); });
byId("help-open").addEventListener("click", () => byId("help").showModal());
addEventListener("scroll", () => { if (scrollY < 40 && unseen) { unseen = 0; tellNewer(); } }, { passive: true });
addEventListener("popstate", () => {
  const before = filters.only(address).toString();
  address = new URLSearchParams(location.search);
  follow(before);
});

async function watch() {
  try {
    list.subscriptions = await filters.showSubscriptions();
  } catch {
    byId("watching").replaceChildren(el("li", { class: "faint" }, "cannot be loaded"));
  }
}

const writing = new Writing();
const subscriptions = new Subscriptions({ writing, changed: watch, shown: () => filters.only(address) });
const correcting = new CorrectionForm({
  writing,
  async saved() {
    await openDetail(true);
    byId("live").textContent = "The correction is saved.";
  },
});
byId("subs-open").addEventListener("click", () => subscriptions.open());

async function start() {
  if (matchMedia("(max-width: 1000px)").matches) byId("rail-fold").open = false;
  byId("groups").append(...filters.groups());
  filters.show(address);
  list.loading();
  await watch();
  await load();
  openDetail();
  filters.showDyads().catch(() => {});
  setInterval(() => filters.showDyads().catch(() => {}), DYADS_MS);
}

start();
