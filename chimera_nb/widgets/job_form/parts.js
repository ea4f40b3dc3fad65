// What a job form is made of: fields with a label above and a line below, the figures of a plan.

/** A name as plain text, for places that take no elements, such as options. */
const plainName = (name) => name.replace(UNSEEN, (char, at) => picture(char, name.slice(Math.max(0, at - 2), at)) ?? char);

/** A labelled control. `call(name, value)` is told what is typed or chosen. */
class Field {
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

  /** The form's value; where somebody types right now, only a `firm` one. */
  show(value, firm = true) {
    if ((firm || document.activeElement !== this.control) && this.control.value !== value) this.control.value = value;
  }

  say({ text = "", bad = false } = {}) {
    showName(this.hint, text);
    this.hint.classList.toggle("ch-bad", bad);
    this.control.setAttribute("aria-invalid", String(bad));
  }
}

function textBox(placeholder = "", attributes = {}) {
  return make("input", "ch-input", "", { type: "text", placeholder, spellcheck: "false", autocomplete: "off", autocapitalize: "off", ...attributes });
}

/** Options are [value, label]; what is chosen stays chosen if it is still among them. */
function setOptions(select, options, first = null) {
  const chosen = select.value;
  const all = first === null ? options : [["", first], ...options];
  select.replaceChildren(...all.map(([value, label]) => make("option", "", plainName(label), { value })));
  if (all.some(([value]) => value === chosen)) select.value = chosen;
}

/** A box to tick with its label; one that is `offered` is there only while the kernel says something of it. */
class Tick {
  constructor(name, label, call, offered = false) {
    this.offered = offered;
    this.node = make("label", "ch-tick");
    this.control = make("input", "", "", { type: "checkbox" });
    this.node.append(this.control, make("span", "", label));
    this.control.addEventListener("change", () => call(name, this.control.checked));
  }

  show(value) {
    this.control.checked = value;
  }

  say(hint) {
    if (this.offered) this.node.classList.toggle("ch-absent", !hint);
  }
}

/** One of a few, as buttons of which one is down; arrows move between them as in any radio group. */
class Radios {
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

  show(value) {
    for (const box of this.buttons) box.checked = box.value === value;
  }

  say({ text = "", bad = false } = {}) {
    showName(this.hint, text);
    this.hint.classList.toggle("ch-bad", bad);
  }
}

// The plan

const about = (text) => `about ${text}`;

function minutes(value) {
  if (value < 1) return "under a minute";
  if (value < 90) return about(`${Math.round(value)} min`);
  if (value < 48 * 60) return about(`${(value / 60).toFixed(1)} h`);
  return about(`${(value / 1440).toFixed(1)} days`);
}

function hours(value) {
  if (value < 0.1) return "under 0.1";
  return about(value < 10 ? value.toFixed(1) : number(Math.round(value)));
}

/** The texts of a plan's five figures; `plan` is empty where there is none. */
function figures(plan) {
  const { files, bytes: size, raw_bytes: raw, minutes: time, worker_hours: work, more } = plan;
  if (files === undefined) return ["–", "–", "–", "–", "–"];
  const least = more ? "over " : "";
  const told = (value, text) => (value !== null && value !== undefined ? (more ? text(value).replace(/^about /, "over ") : text(value)) : plan.counting ? "…" : "unknown");
  return [least + number(files), least + bytes(size), told(raw, (value) => about(bytes(value))), told(time, minutes), told(work, hours)];
}

// Text to copy
