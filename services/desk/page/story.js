// One story: who says so, in which words, and what of it is certain.

import { corrections } from "./corrections.js";
import { day, el, time } from "./dom.js";
import { headline } from "./list.js";

export function storyView(detail, subscriptions) {
  const { story, tellings } = detail;
  const alerted = story.alerts.map((mark) => {
    const name = subscriptions.get(mark.subscription) ?? mark.subscription;
    const updates = mark.revision - 1;
    return updates ? `${name} (updated ${updates === 1 ? "once" : `${updates} times`})` : name;
  });
  return [
    el("p", { class: "eyebrow" }, story.words.status, " · ", time(story.last_seen)),
    el("h2", { class: "detail-title", id: "detail-title", tabindex: "-1" }, headline(story)),
    alerted.length > 0 && el("p", { class: "detail-alert" }, el("strong", {}, "Alert"), " ", alerted.join(", ")),
    story.corrected > 0 && el("p", { class: "detail-corrected" }, el("strong", {}, "Corrected by analysts: "), `${story.corrected} of ${tellings.length} ${tellings.length === 1 ? "telling" : "tellings"}, see below`),
    facts(story, tellings[0]),
    el("p", {}, el("a", { class: "more", href: `?dyad=${encodeURIComponent(story.dyad)}`, "data-dyad": story.dyad }, `Timeline of ${story.dyad_name}`)),
    history(tellings),
    tellings.flatMap((told) => told.shifts).map(shift),
    el("h3", {}, tellings.length === 1 ? "The source" : `${tellings.length} tellings, newest first`),
    story.families > 1 && el("p", { class: "faint" }, `${story.families} of them are independent of each other.`),
    el("ol", { class: "tellings" }, tellings.map(telling)),
  ];
}

function facts(story, newest) {
  const rows = [
    ["Stance", story.words.peace ?? "does not speak of peace talks"],
    ["Claim", story.words.claim],
    ["Timing", story.words.timing],
    ["Tone", story.words.tone],
    ["When", newest?.when ? day(newest.when) : `not told${newest?.when_reason ? `: ${newest.when_reason}` : ""}`],
    story.place && ["Where", story.place],
  ];
  return el("dl", { class: "facts" }, rows.filter(Boolean).map(([name, words]) => el("div", {}, el("dt", {}, name), el("dd", {}, words))));
}

// How the story came to be what it is, oldest first, without plain repetitions.
function history(tellings) {
  const steps = [...tellings].reverse().filter((told, index) => index === 0 || told.status !== "restated");
  if (steps.length < 2 && !steps.some((told) => told.changes.length)) return null;
  return [
    el("h3", {}, "How it changed"),
    el("ol", { class: "history" }, steps.map((told) => el("li", { class: `status-${told.status}` },
      time(told.seen_at), " ", el("strong", {}, told.words.status), ` by ${told.source || "an unnamed source"}: ${told.words.claim}`,
      told.words.peace && `, ${told.words.peace}`,
      told.changes.map((change) => el("div", { class: "change" }, change))))),
  ];
}

function shift(told) {
  return el("div", { class: "shift" }, el("h3", {}, "Stance shift"), el("p", {}, told.words),
    el("p", { class: "faint" }, `Before: “${told.quote}” ${[told.source, day(told.day)].filter(Boolean).join(", ")}`));
}

function telling(told) {
  const title = told.title || "without a title";
  return el("li", { class: "telling" },
    el("p", { class: "telling-head" },
      el("strong", {}, told.source || "source not given"), " ",
      el("span", { class: "faint" }, told.published_at ? day(told.published_at) : `no date${told.published_at_reason ? `: ${told.published_at_reason}` : ""}`)),
    el("p", { class: "telling-title" }, told.url
      ? el("a", { href: told.url, rel: "noreferrer noopener external", target: "_blank" }, title, el("span", { class: "unseen" }, " (opens another site)"))
      : title),
    el("blockquote", {}, el("p", {}, told.before, el("mark", {}, told.quote), told.after)),
    chain(told),
    el("p", { class: "faint telling-words" }, [told.words.claim, told.words.timing, told.words.peace].filter(Boolean).join(" · ")),
    corrections(told));
}

// From the outlet down to who is said to have said it.
function chain(told) {
  const links = told.attribution.map((link) => el("li", {}, link.text, link.cue && el("i", {}, ` “${link.cue}”`)));
  return el("div", { class: "chain-line" },
    el("span", { class: "chain-name" }, "Who says so"),
    el("ol", { class: "chain" }, el("li", {}, told.source || "source not given", links.length === 0 && el("span", { class: "faint" }, ", in its own voice")), links));
}
