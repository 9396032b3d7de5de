// Writing to the desk from a dialog. The token lives in memory only, as long as the page.

import { byId, el, readJson } from "./dom.js";

export class Writing {
  constructor() {
    this.token = "";
  }

  // Where a dialog says how a call went, and where it asks for the token; `next` is given the focus once it is held.
  parts(next) {
    this.next = next;
    this.said = el("p", { class: "form-said", role: "status" });
    this.key = el("div", { class: "form-token" });
    this.showToken();
    return [this.said, this.key];
  }

  say(words, wrong = false) {
    this.said.classList.toggle("wrong", wrong);
    this.said.textContent = words;
    if (words) this.said.scrollIntoView({ block: "nearest" });
  }

  // Asked for until one is held, and again when the desk does not know it.
  showToken() {
    if (this.token) {
      const forget = el("button", { type: "button", class: "quiet", onclick: () => { this.token = ""; this.showToken(); byId("token").focus(); } }, "Forget it");
      this.key.replaceChildren(el("p", { class: "faint" }, "The token is held until this page is closed or loaded anew. "), forget);
      return;
    }
    const take = (event) => {
      event.preventDefault();
      this.token = byId("token").value.trim();
      if (!this.token) return;
      this.showToken();
      this.say("");
      this.next().focus();
    };
    this.key.replaceChildren(el("form", { onsubmit: take },
      el("div", { class: "field" }, el("label", { for: "token" }, "Token"),
        el("input", { id: "token", type: "password", autocomplete: "off", "aria-describedby": "token-hint" }),
        el("small", { id: "token-hint" }, "Writing needs one: demarche token NAME makes it. It is kept in this page's memory only.")),
      el("button", { class: "quiet" }, "Use it")));
  }

  unknownToken() {
    this.token = "";
    this.showToken();
    this.say("The desk does not know this token.", true);
    byId("token").focus();
  }

  // A call that needs the token; null, and said why, when it was refused.
  async write(method, path, body) {
    if (!this.token) {
      this.say("A token is needed for that.", true);
      byId("token").focus();
      return null;
    }
    try {
      const headers = { Authorization: `Bearer ${this.token}`, ...(body ? { "Content-Type": "application/json" } : {}) };
      return { made: await readJson(await fetch(path, { method, headers, body: body && JSON.stringify(body) })) };
    } catch (error) {
      if (error.status === 401) {
        this.unknownToken();
      } else {
        const fields = (error.fields ?? []).map((one) => `${one.loc.slice(1).join(" ")}: ${one.msg}`);
        this.say(fields.length ? `Not taken: ${fields.join("; ")}` : `That did not work: ${error.message}`, true);
      }
      return null;
    }
  }
}

export function field(id, label, input, hint = "") {
  if (hint) input.setAttribute("aria-describedby", `${id}-hint`);
  return el("div", { class: "field" }, el("label", { for: id }, label), input, hint && el("small", { id: `${id}-hint` }, hint));
}
