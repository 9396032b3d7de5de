// The rows of the stream.

import { byId, el, names, time } from "./dom.js";

const MOST_ROWS = 600;

// A row; `subscriptions` has names by id.
export function row(story, subscriptions) {
  const id = `row-${story.seq}`;
  const alerted = story.alerts.map((mark) => subscriptions.get(mark.subscription) ?? mark.subscription);
  return el("li", { class: `row quad-${story.quad}${alerted.length ? " alerted" : ""}`, "data-id": story.story_id, "data-seq": story.seq },
    el("a", { class: "row-link", href: `?story=${encodeURIComponent(story.story_id)}`, "data-story": story.story_id, "aria-labelledby": id, "aria-describedby": `${id}-more` }),
    el("div", { class: "row-time" }, time(story.last_seen)),
    el("div", { class: "row-main" },
      el("h2", { id, class: "row-head" }, headline(story)),
      el("p", { class: "row-quote" }, `“${story.quote.replace(/\s+/g, " ")}”`),
      el("p", { class: "row-more", id: `${id}-more` },
        alerted.length > 0 && el("span", { class: "badge alert" }, el("span", { "aria-hidden": "true" }, "● "), "Alert: ", alerted.join(", ")),
        story.corrected > 0 && el("span", { class: "badge corrected" }, "corrected"),
        story.status !== "new" && el("span", { class: `badge status-${story.status}` }, story.words.status),
        story.words.peace && el("span", { class: `badge peace-${story.peace}` }, story.words.peace),
        el("span", { class: "row-source" }, story.source || "source not given"),
        story.families > 1 && el("span", {}, `${story.families} independent outlets`),
        el("span", {}, story.words.claim),
        story.timing === "background" && story.words.status !== "told as background" && el("span", {}, "background"))));
}

export function headline(story) {
  const parts = [el("span", { class: "side" }, names(story.actors) || "Somebody unnamed"), " ", el("span", { class: "act" }, story.words.act)];
  if (story.recipients.length) parts.push(" ", el("span", { class: "arrow", "aria-hidden": "true" }, "→ "), el("span", { class: "side" }, names(story.recipients)));
  return parts;
}

export class List {
  constructor(subscriptions) {
    this.subscriptions = subscriptions;
    this.node = byId("stream");
  }

  get rows() {
    return [...this.node.querySelectorAll(".row")];
  }

  get size() {
    return this.node.querySelectorAll(".row").length;
  }

  find(storyId) {
    return this.node.querySelector(`.row[data-id="${CSS.escape(storyId)}"]`);
  }

  loading() {
    this.node.setAttribute("aria-busy", "true");
    this.node.replaceChildren(...Array.from({ length: 6 }, () => el("li", { class: "ghost", "aria-hidden": "true" }, el("span"), el("span"), el("span"))));
  }

  set(stories) {
    this.node.setAttribute("aria-busy", "false");
    this.node.replaceChildren(...stories.map((story) => row(story, this.subscriptions)));
  }

  add(stories) {
    // What the stream has brought in the meantime is newer than what is asked for.
    this.node.append(...stories.filter((story) => !this.find(story.story_id)).map((story) => row(story, this.subscriptions)));
  }

  // A new or changed story on top; whether it was not there before.
  put(story) {
    const old = this.find(story.story_id);
    if (old && Number(old.dataset.seq) >= story.seq) return false;
    const focused = old?.contains(document.activeElement);
    const made = row(story, this.subscriptions);
    made.classList.add("fresh");
    if (old?.classList.contains("open")) made.classList.add("open");
    old?.remove();
    this.node.prepend(made);
    if (focused) made.querySelector(".row-link").focus({ preventScroll: true });
    return !old;
  }

  // Takes away the eldest rows beyond the most; the number of the last row left, or null where none had to go.
  trim() {
    const rows = this.rows;
    if (rows.length <= MOST_ROWS) return null;
    for (const each of rows.slice(MOST_ROWS)) each.remove();
    return Number(rows[MOST_ROWS - 1].dataset.seq);
  }

  remove(storyId) {
    this.find(storyId)?.remove();
  }

  mark(storyId) {
    for (const each of this.rows) {
      each.classList.toggle("open", each.dataset.id === storyId);
      if (each.dataset.id === storyId) each.querySelector(".row-link").setAttribute("aria-current", "true");
      else each.querySelector(".row-link").removeAttribute("aria-current");
    }
  }

  // The row under the focus, else the open one.
  current() {
    return document.activeElement?.closest?.(".row") ?? this.node.querySelector(".row.open");
  }

  move(step) {
    const rows = this.rows;
    if (!rows.length) return;
    const at = rows.indexOf(this.current());
    const next = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))];
    next.querySelector(".row-link").focus();
    next.scrollIntoView({ block: "nearest" });
  }
}
