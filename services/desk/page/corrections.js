// Corrections: what analysts say an event should be, and the form in which they say so.

import { byId, el, time } from "./dom.js";
import { CHOICES } from "./filters.js";
import { field } from "./writing.js";

const NONE = ["none", "does not speak of peace talks"];
const LABELS = [["type", "What is done"], ["claim", "Claim"], ["timing", "Timing"], ["tone", "Tone"], ["peace", "Stance on peace talks"]];

// What stands below a telling: its corrections, and the button to make one.
export function corrections(told) {
  return el("div", { class: "corrections" },
    told.corrections.length > 0 && el("ol", { "aria-label": "Corrections, newest first" }, told.corrections.map((one, index) =>
      el("li", { class: index ? "correction former" : "correction" },
        el("p", {}, el("strong", {}, index ? "Earlier correction" : "Corrected"), ` by ${one.by}, `, time(one.given_at)),
        el("ul", {}, one.words.map((words) => el("li", {}, words))),
        one.note && el("p", { class: "correction-note" }, one.note)))),
    el("button", { type: "button", class: "quiet", "aria-haspopup": "dialog", "data-correct": told.event_id }, "Correct",
      el("span", { class: "unseen" }, ` the event told by ${told.source || "an unnamed source"}`)));
}

export class CorrectionForm {
  // `saved` is called when a correction was taken, and shows it.
  constructor({ writing, saved }) {
    this.writing = writing;
    this.saved = saved;
    this.dialog = byId("correct");
    // Emptied again, so that the field for the token is there once. The story may have been drawn anew in the meantime.
    this.dialog.addEventListener("close", () => {
      this.dialog.replaceChildren();
      toButton(this.told.event_id);
    });
  }

  open(told) {
    this.told = told;
    const present = told.corrections[0]?.corrected ?? told.labels;
    const gone = told.corrections.length > 0 && told.corrections[0].corrected === null;
    this.labels = el("fieldset", { disabled: gone }, el("legend", {}, "What it should be"),
      el("div", { class: "form-pair" },
        field("correct-actors", "Who acts", sides("actors", present.actors), "Codes such as RUS, UKR; UNK where it is not told"),
        field("correct-recipients", "Towards whom", sides("recipients", present.recipients), "Codes, or nothing")),
      el("div", { class: "form-pair" }, LABELS.map(([name, title]) => field(`correct-${name}`, title, choice(name, present[name])))));
    const none = el("input", { type: "checkbox", name: "none", checked: gone, onchange: () => { this.labels.disabled = none.checked; } });
    const note = el("textarea", { id: "correct-note", name: "note", maxlength: "2000", rows: "3" });
    this.form = el("form", { onsubmit: (event) => { event.preventDefault(); this.save(); } },
      el("label", { class: "check" }, none, " Not an event: the words state none"), this.labels,
      field(note.id, "Note", note, "Why, for whoever reads it later"),
      el("button", { class: "quiet strong" }, "Save the correction"));
    this.dialog.replaceChildren(
      el("button", { class: "quiet close", type: "button", onclick: () => this.dialog.close() }, "Close"),
      el("h2", { id: "correct-title", tabindex: "-1" }, "Correct this event"),
      el("blockquote", {}, el("p", {}, told.before, el("mark", {}, told.quote), told.after)),
      ...this.writing.parts(() => none), this.form);
    this.dialog.showModal();
    byId("correct-title").focus();
  }

  async save() {
    const { elements } = this.form;
    const correction = elements.none.checked ? "not-an-event"
      : { actors: listed(elements.actors), recipients: listed(elements.recipients), ...Object.fromEntries(LABELS.map(([name]) => [name, elements[name].value])) };
    const body = { event_id: this.told.event_id, correction, note: elements.note.value };
    if (await this.writing.write("POST", "api/feedback", body) === null) return;
    this.dialog.close();
    await this.saved();
    toButton(this.told.event_id);
  }
}

function toButton(eventId) {
  document.querySelector(`[data-correct="${CSS.escape(eventId)}"]`)?.focus({ preventScroll: true });
}

// As they were typed: a word that is no code is the desk's to refuse, not ours to drop.
function listed(input) {
  return input.value.toUpperCase().split(/[\s,;|]+/).filter(Boolean);
}

function sides(name, codes) {
  return el("input", { id: `correct-${name}`, name, value: codes.join(", "), autocomplete: "off", spellcheck: "false" });
}

function choice(name, present) {
  const choices = name === "peace" ? [NONE, ...CHOICES.get("peace")] : CHOICES.get(name === "type" ? "types" : name);
  return el("select", { id: `correct-${name}`, name },
    choices.map(([value, words]) => el("option", { value, selected: value === present }, words)));
}
