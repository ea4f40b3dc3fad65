// What people say of a job: its name, a note and tags, and a form to say it.

import { button, make, showLines, showName } from "../base/text.js";

/** @import { Describe, Job } from "./messages.js" */

/** Tags as they are typed: words with commas or spaces between them, each once. @param {string} text */
export const tagsOf = (text) => [...new Set(text.split(/[\s,#]+/).filter(Boolean))];

export class Labels {
  job = "";
  shown = "";
  node = make("div", "ch-labels");
  said = make("div", "ch-labels-said");
  form = make("form", "ch-labels-form");
  name = make("input", "ch-input", "", { type: "text", maxlength: 120, placeholder: "Name", "aria-label": "Name of the job" });
  tags = make("input", "ch-input", "", { type: "text", maxlength: 400, placeholder: "Tags, with commas", "aria-label": "Tags" });
  note = make("textarea", "ch-input ch-labels-note", "", { maxlength: 4000, rows: 3, placeholder: "Note", "aria-label": "Note" });

  /** @param {(request: Describe) => void} ask */
  constructor(ask) {
    this.edit = button("ch-labels-edit", "Name it", () => this.open(true), { title: "A name, a note and tags: the list of jobs finds them" });
    const bar = make("div", "ch-labels-bar");
    bar.append(button("", "Cancel", () => this.open(false)), make("button", "ch-button ch-primary", "Keep", { type: "submit" }));
    this.form.append(this.name, this.tags, this.note, bar);
    this.form.hidden = true;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      ask({ kind: "describe", job: this.job, name: this.name.value, note: this.note.value, tags: tagsOf(this.tags.value) });
      this.open(false);
    });
    this.form.addEventListener("keydown", (event) => event.key === "Escape" && this.open(false));
    this.node.append(this.said, this.form);
  }

  /** @param {boolean} is */
  open(is) {
    this.form.hidden = !is;
    (is ? this.name : this.edit).focus();
  }

  /** @param {Job} job */
  show({ id, name, note, tags }) {
    const key = JSON.stringify([id, name, note, tags]);
    if (key === this.shown) return;
    if (id !== this.job) this.form.hidden = true;
    [this.shown, this.job] = [key, id];
    [this.name.value, this.note.value, this.tags.value] = [name, note, tags.join(", ")];
    const line = make("div", "ch-labels-line");
    for (const tag of tags) showName(line.appendChild(make("span", "ch-tag")), tag);
    line.append(this.edit);
    this.edit.textContent = name || note || tags.length ? "Edit" : "Name it";
    const text = make("div", "ch-labels-text");
    showLines(text, note);
    text.hidden = !note;
    this.said.replaceChildren(line, text);
  }
}
