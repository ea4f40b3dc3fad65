// What a job form is made of: fields with a label above and a line below.

import { UNSEEN, make, picture, showName, uniqueId } from "../base/text.js";

/** @import { Hint } from "./messages.js" */
/** @typedef {(name: string, value: string | boolean) => void} Edit is told what is typed or chosen */

/** A name as plain text, for places that take no elements, such as options. @param {string} name */
const plainName = (name) => name.replace(UNSEEN, (char, at) => picture(char, name.slice(Math.max(0, at - 2), at)) ?? char);

/** @type {Hint} */
const SILENT = { text: "", bad: false };

/**
 * A labelled control.
 * @template {HTMLInputElement | HTMLSelectElement} Control
 */
export class Field {
  /** @param {string} name @param {string} label @param {Control} control @param {Edit} call */
  constructor(name, label, control, call) {
    this.name = name;
    this.control = control;
    this.id = uniqueId("field");
    control.id = this.id;
    this.node = make("div", `ch-field ch-form-${name}`);
    this.hint = make("div", "ch-hint", "", { id: `${this.id}-hint` });
    control.setAttribute("aria-describedby", this.hint.id);
    this.node.append(make("label", "", label, { for: this.id }), control, this.hint);
    control.addEventListener(control.tagName === "SELECT" ? "change" : "input", () => call(name, control.value));
  }

  /** The form's value; where somebody types right now, only a `firm` one. @param {string} value */
  show(value, firm = true) {
    if ((firm || document.activeElement !== this.control) && this.control.value !== value) this.control.value = value;
  }

  /** @param {Hint | undefined} hint */
  say({ text, bad } = SILENT) {
    showName(this.hint, text);
    this.hint.classList.toggle("ch-bad", bad);
    this.control.setAttribute("aria-invalid", String(bad));
  }
}

/** @param {Record<string, string>} [attributes] */
export function textBox(placeholder = "", attributes = {}) {
  return make("input", "ch-input", "", { type: "text", placeholder, spellcheck: "false", autocomplete: "off", autocapitalize: "off", ...attributes });
}

/**
 * Options are [value, label]; what is chosen stays chosen if it is still among them.
 * @param {HTMLSelectElement} select
 * @param {[string, string][]} options
 * @param {string | null} first the label of one with no value
 */
export function setOptions(select, options, first = null) {
  const chosen = select.value;
  /** @type {[string, string][]} */
  const all = first === null ? options : [["", first], ...options];
  select.replaceChildren(...all.map(([value, label]) => make("option", "", plainName(label), { value })));
  if (all.some(([value]) => value === chosen)) select.value = chosen;
}

/** A box to tick with its label; one that is `offered` is there only while the kernel says something of it. */
export class Tick {
  /** @param {string} name @param {string} label @param {Edit} call */
  constructor(name, label, call, offered = false) {
    this.offered = offered;
    this.node = make("label", "ch-tick");
    this.control = make("input", "", "", { type: "checkbox" });
    this.node.append(this.control, make("span", "", label));
    this.control.addEventListener("change", () => call(name, this.control.checked));
  }

  /** @param {boolean} value */
  show(value) {
    this.control.checked = value;
  }

  /** @param {Hint | undefined} hint */
  say(hint) {
    if (this.offered) this.node.classList.toggle("ch-absent", !hint);
  }
}

/** One of a few, as buttons of which one is down; arrows move between them as in any radio group. */
export class Radios {
  /** @param {string} name @param {string} label @param {[string, string][]} options @param {Edit} call */
  constructor(name, label, options, call) {
    const groupName = uniqueId("radio");
    this.node = make("div", `ch-field ch-form-${name}`);
    this.group = make("div", "ch-radios", "", { role: "radiogroup", "aria-label": label });
    this.hint = make("div", "ch-hint");
    this.buttons = options.map(([value, text]) => {
      const choice = make("label", "ch-radio");
      const box = make("input", "", "", { type: "radio", name: groupName, value });
      box.addEventListener("change", () => box.checked && call(name, value));
      choice.append(box, make("span", "", text));
      this.group.append(choice);
      return box;
    });
    this.node.append(this.group, this.hint);
  }

  /** @param {string} value */
  show(value) {
    for (const box of this.buttons) box.checked = box.value === value;
  }

  /** @param {Hint | undefined} hint */
  say({ text, bad } = SILENT) {
    showName(this.hint, text);
    this.hint.classList.toggle("ch-bad", bad);
  }
}
