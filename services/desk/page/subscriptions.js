// Subscriptions: a list to pause and delete, a form to make one.

import { byId, el, getJson } from "./dom.js";
import { LISTS, codes, dyads, groups, ofSubscription } from "./filters.js";
import { field } from "./writing.js";

const MOST_WEBHOOKS = 5;

export class Subscriptions {
  // `changed` is called when one was made, changed or taken away; `shown` gives the filters set on the page.
  constructor({ writing, changed, shown }) {
    this.writing = writing;
    this.changed = changed;
    this.shown = shown;
    this.dialog = byId("subs");
    // Emptied again, so that none of its fields is there twice beside those of the filters.
    this.dialog.addEventListener("close", () => this.dialog.replaceChildren());
  }

  async open() {
    this.rows = el("ul", { class: "subs-list", "aria-label": "Subscriptions" }, el("li", { class: "faint" }, "loading"));
    this.presets = [];
    this.form = this.makeForm();
    this.dialog.replaceChildren(...[
      el("button", { class: "quiet close", type: "button", onclick: () => this.dialog.close() }, "Close"),
      el("h2", { id: "subs-title", tabindex: "-1" }, "Subscriptions"), this.writing.parts(() => this.form.elements.name), this.rows,
      el("h3", {}, "New subscription"), this.form].flat());
    this.dialog.showModal();
    byId("subs-title").focus();
    await Promise.all([this.showRows(), this.loadPresets()]);
  }

  async showRows(focus = null) {
    try {
      const found = await getJson("api/subscriptions");
      this.rows.replaceChildren(...found.map((one) => this.row(one)));
      if (!found.length) this.rows.append(el("li", { class: "faint" }, "none yet"));
    } catch (error) {
      this.rows.replaceChildren(el("li", { class: "faint" }, `They cannot be loaded: ${error.message}`));
    }
    // The button that was pressed is gone with its row; whoever works by keys must not be thrown out of the list.
    if (focus !== null) (this.rows.querySelector(`[data-pause="${CSS.escape(focus)}"]`) ?? byId("subs-title")).focus();
  }

  row(one) {
    const hooks = one.channels.webhooks.length;
    const where = [one.channels.topic && "topic alerts", hooks > 0 && `${hooks} ${hooks === 1 ? "webhook" : "webhooks"}`, "page and feed"];
    const remove = el("button", { type: "button", class: "quiet", "aria-label": `Delete ${one.name}` }, "Delete");
    remove.addEventListener("click", () => {
      if (remove.dataset.sure) this.remove(one);
      else {
        remove.dataset.sure = "yes";
        remove.textContent = "Really delete";
        remove.setAttribute("aria-label", `Really delete ${one.name}`);
        this.writing.say(`${one.name} goes with its alerts. Press again to delete it.`);
      }
    });
    remove.addEventListener("blur", () => {
      delete remove.dataset.sure;
      remove.textContent = "Delete";
      remove.setAttribute("aria-label", `Delete ${one.name}`);
    });
    return el("li", {},
      el("div", { class: "subs-what" }, el("strong", {}, one.name), !one.enabled && el("span", { class: "badge" }, "paused"),
        el("p", { class: "faint" }, `${inWords(one.filter)}. To ${where.filter(Boolean).join(", ")}.`)),
      el("div", { class: "subs-do" },
        el("button", { type: "button", class: "quiet", "data-pause": one.id, "aria-label": `${one.enabled ? "Pause" : "Resume"} ${one.name}`, onclick: () => this.pause(one) }, one.enabled ? "Pause" : "Resume"),
        remove));
  }

  async pause(one) {
    const path = `api/subscriptions/${encodeURIComponent(one.id)}`;
    // As it stands now, and with the webhooks' addresses in full, which only a token is shown.
    const now = await this.writing.write("GET", path);
    if (now === null) return;
    const { name, filter, channels, enabled } = now.made;
    if (JSON.stringify(channels).includes("/***#")) {
      this.writing.unknownToken();
      return;
    }
    if (await this.writing.write("PUT", path, { name, filter, channels, enabled: !enabled }) === null) return;
    this.writing.say(`${name} is ${enabled ? "paused: it raises and updates no alert" : "on again"}.`);
    await this.showRows(one.id);
    this.changed();
  }

  async remove(one) {
    if (await this.writing.write("DELETE", `api/subscriptions/${encodeURIComponent(one.id)}`) === null) return;
    this.writing.say(`${one.name} is deleted.`);
    await this.showRows("");
    this.changed();
  }

  makeForm() {
    const preset = el("select", { id: "subs-preset", onchange: () => this.fill() });
    this.hooks = el("div", {});
    const add = el("button", { type: "button", class: "quiet", onclick: () => this.addHook() }, "Add a webhook");
    // Only the last one can go, so that the numbers stay those of the labels.
    this.drop = el("button", { type: "button", class: "quiet", hidden: true, onclick: () => this.dropHook(add) }, "Take the last webhook away");
    return el("form", { id: "subs-form", onsubmit: (event) => { event.preventDefault(); this.make(); } },
      el("div", { class: "form-pair" },
        field("subs-name", "Name", el("input", { id: "subs-name", name: "name", required: true, maxlength: "80", autocomplete: "off" })),
        field("subs-preset", "Begin with", preset)),
      el("div", { class: "form-pair" },
        field("subs-sides", "Sides", el("input", { id: "subs-sides", name: "sides", placeholder: "RUS, UKR", autocomplete: "off", spellcheck: "false" }), "Codes, any of them"),
        field("subs-dyads", "Dyads", el("input", { id: "subs-dyads", name: "dyads", placeholder: "RUS|UKR", autocomplete: "off", spellcheck: "false" }), "Codes joined by |")),
      groups(),
      el("div", { class: "form-pair" },
        field("subs-text", "Words", el("input", { id: "subs-text", name: "text", maxlength: "200", autocomplete: "off" }), "All of them in quote, sentence, title or names"),
        field("subs-families", "Independent outlets, at least", el("input", { id: "subs-families", name: "min_families", type: "number", min: "1", max: "1000", value: "1" }))),
      el("label", { class: "check" }, el("input", { type: "checkbox", name: "shifted" }), " Only stance shifts"),
      el("fieldset", {}, el("legend", {}, "Where alerts go"),
        el("p", { class: "faint" }, "The page, the event stream and the Atom feed show them in any case."),
        el("label", { class: "check" }, el("input", { type: "checkbox", name: "topic", checked: true }), " To the topic alerts"),
        this.hooks, el("div", { class: "subs-do" }, add, this.drop)),
      el("button", { class: "quiet strong" }, "Make the subscription"));
  }

  addHook() {
    const number = this.hooks.children.length + 1;
    if (number > MOST_WEBHOOKS) {
      this.writing.say(`${MOST_WEBHOOKS} webhooks are the most.`, true);
      return;
    }
    const url = el("input", { type: "url", id: `subs-hook-${number}`, placeholder: "https://…", autocomplete: "off", required: true });
    const form = el("select", { "aria-label": `Form of webhook ${number}` }, el("option", { value: "json" }, "JSON"), el("option", { value: "slack" }, "Slack's form"));
    this.hooks.append(el("div", { class: "subs-hook" }, field(url.id, `Address of webhook ${number}`, url), form));
    this.drop.hidden = false;
    url.focus();
  }

  dropHook(add) {
    this.hooks.lastElementChild.remove();
    this.drop.hidden = this.hooks.children.length === 0;
    if (this.drop.hidden) add.focus();
  }

  async loadPresets() {
    const shown = this.shown();
    try {
      this.presets = (await getJson("api/presets")).map((one) => [one.title, one.subscription.filter]);
    } catch {
      this.presets = [];
    }
    if (shown.size) this.presets.unshift(["the filters set now", ofQuery(shown)]);
    byId("subs-preset").replaceChildren(el("option", { value: "" }, "nothing"),
      ...this.presets.map(([title], index) => el("option", { value: String(index) }, title)));
  }

  // A preset's filter into the fields.
  fill() {
    const chosen = byId("subs-preset").value;
    const [title, filter] = chosen === "" ? ["", {}] : this.presets[Number(chosen)];
    const { elements } = this.form;
    for (const box of this.form.querySelectorAll(".chip input")) box.checked = (filter[box.name] ?? []).includes(box.value);
    for (const name of ["sides", "dyads"]) elements[name].value = (filter[name] ?? []).join(", ");
    elements.text.value = filter.text ?? "";
    elements.min_families.value = filter.min_families ?? 1;
    elements.shifted.checked = filter.shifted ?? false;
    if (!elements.name.value && title !== "the filters set now") elements.name.value = title;
  }

  async make() {
    const { elements } = this.form;
    const filter = { sides: codes(elements.sides.value), dyads: dyads(elements.dyads.value), text: elements.text.value.trim(),
      min_families: Number(elements.min_families.value), shifted: elements.shifted.checked };
    for (const box of this.form.querySelectorAll(".chip input:checked")) (filter[box.name] ??= []).push(box.value);
    const webhooks = [...this.hooks.children].map((row) => ({ url: row.querySelector("input").value, form: row.querySelector("select").value }));
    const done = await this.writing.write("POST", "api/subscriptions", { name: elements.name.value.trim(), filter, channels: { topic: elements.topic.checked, webhooks } });
    if (done === null) return;
    this.form.reset();
    this.hooks.replaceChildren();
    this.drop.hidden = true;
    this.writing.say(`${done.made.name} is made. It hears of what comes from now on.${webhooks.length ? ` The secret that signs its webhooks, shown only now: ${done.made.secret}` : ""}`);
    await this.showRows(done.made.id);
    this.changed();
  }
}

function ofQuery(query) {
  const filter = {};
  for (const [name, value] of query) {
    if (LISTS.includes(name)) (filter[name] ??= []).push(value);
    else filter[name] = name === "shifted" ? value === "true" : value;
  }
  return filter;
}

// A filter as one line: "peace support, oppose; timing new".
function inWords(filter) {
  const query = ofSubscription(filter);
  const parts = [...new Set(query.keys())].map((name) => {
    const values = query.getAll(name).join(", ");
    if (name === "shifted") return "only stance shifts";
    return `${name.replace("min_families", "outlets at least")} ${["sides", "dyads", "text"].includes(name) ? values : values.toLowerCase()}`;
  });
  return parts.length ? parts.join("; ") : "everything";
}
