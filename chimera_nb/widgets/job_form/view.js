// The front end of JobForm (widget.py): it sends what is typed, key by key, and shows what the kernel makes of it.

import { button, make, number, setText, showMiddle, showName } from "../base/text.js";
import { TERMS } from "../base/terms.js";
import { View } from "../base/view.js";
import { CodePanel } from "./code.js";
import { figures } from "./figures.js";
import { Field, Radios, Tick, setOptions, textBox } from "./parts.js";
import { UnreadLine } from "./unread.js";

/** @import { RenderProps } from "../base/model.js" */
/** @import { Box, FormMessage, FormRequest, FormTraits } from "./messages.js" */
/** @import { Edit } from "./parts.js" */

const INPUTS_SHOWN = 4;
const RAW = "lines as they are";
const OF_VIEW = ["view_options", "format", "partition_by", "max_bad_lines"]; // fields that raw lines have not

/** The controls that are laid out by hand. @param {Record<string, string>} labels of options @param {Edit} edit */
function makeOwn(labels, edit) {
  return {
    source: new Field("source", labels.source, make("select", "ch-input"), edit),
    view: new Field("view", labels.view, make("select", "ch-input"), edit),
    format: new Field("format", labels.format, make("select", "ch-input"), edit),
    bucket: new Field("bucket", "Bucket", textBox("results"), edit),
    prefix: new Field("prefix", TERMS.prefix[0], textBox("jobs/first"), edit),
    runner: new Radios("runner", "Runs", [["direct", "On this machine"], ["dataflow", "On Dataflow"]], edit),
    overwrite: new Tick("overwrite", labels.overwrite, edit, true),
  };
}

/** The control of an option; it stands where its box says. @param {Box} box @param {Edit} edit */
function makeOption({ name, kind, label, placeholder }, edit) {
  if (kind === "tick") return new Tick(name, label, edit);
  const field = new Field(name, label, textBox(placeholder, kind === "number" ? { inputmode: "numeric" } : {}), edit);
  field.node.classList.add("ch-form-option");
  return field;
}

/** @extends {View<FormTraits, FormMessage, FormRequest>} */
class FormView extends View {
  number = 0; // of the last edit
  all = false; // whether every input is listed
  /** @type {string | null} the token that a click has used */
  pressed = null;
  edit = (/** @type {string} */ name, /** @type {string | boolean} */ value) => {
    this.number += 1;
    this.onGo(); // the kernel has not looked at it
    this.ask({ kind: "edit", field: name, value, view: this.id, number: this.number });
  };
  boxes = this.model.get("_boxes");
  own = makeOwn(Object.fromEntries(this.boxes.map(({ name, label }) => [name, label])), this.edit);
  options = this.boxes.filter(({ name }) => !(name in this.own)).map((box) => ({ box, control: makeOption(box, this.edit) }));
  /** @type {Record<string, Field<HTMLInputElement | HTMLSelectElement> | Tick | Radios>} */
  controls = { ...this.own, ...Object.fromEntries(this.options.map(({ box, control }) => [box.name, control])) };
  configurations = this.makePicker("Start from an earlier job", true);
  selections = this.makePicker("Select what an earlier job read", false);
  inputs = make("ul", "ch-form-list", "", { "aria-label": "Selection" });
  inputsHint = make("div", "ch-hint", "", { role: "status" });
  buckets = make("datalist", "", "", { id: `${this.id}-buckets` });
  dataflow = make("div", "ch-form-dataflow");
  moreDataflow = make("div", "ch-form-dataflow");
  more = make("details", "ch-form-more");
  carried = make("div", "ch-muted ch-form-carried");
  figures = ["Files", "Compressed", TERMS.raw[0], "Time", TERMS.workerHours[0]].map((label) => {
    const node = make("div", "ch-figure");
    const value = make("dd", "ch-numbers");
    node.append(make("dt", "", label), value);
    return { node, value };
  });
  count = button("ch-count", "Stop", () => this.ask({ kind: "count", on: !this.model.get("_plan").counting }));
  unread = new UnreadLine((every) => this.edit("every_file", every));
  assumes = make("p", "ch-hint ch-assumes");
  go = button("ch-go", "Launch", () => this.launch());
  says = make("div", "ch-form-says", "", { role: "status" });
  another = button("", "Set up another", () => this.ask({ kind: "another" }));
  code = new CodePanel();

  /** @param {RenderProps<FormTraits>} props */
  constructor({ model, el }) {
    super(model, el, "form", "New job");
    this.node.classList.add("ch-panel");
    const retry = () => this.ask({ kind: "retry" });
    this.node.append(this.makeRead(), this.makeWrite(), this.makeRun(), this.makePlan(), this.makeGo(), this.makeError(retry), this.code.node);
    const shows = {
      "change:_choices": () => this.onChoices(),
      "change:_fields": () => this.onFields(),
      "change:_hints": () => this.onHints(),
      "change:_selected": () => this.onSelected(),
      "change:_plan": () => this.onPlan(),
      "change:_go": () => this.onGo(),
      "change:_code": () => this.code.show(this.model.get("_code")),
    };
    this.hearMessages({});
    this.hear(shows);
    for (const show of Object.values(shows)) show();
    this.hello();
  }

  // What it is made of

  /** A list of jobs of before, of which one fills in the form (`whole`), or its selection. @param {string} label @param {boolean} whole */
  makePicker(label, whole) {
    const select = make("select", "ch-input ch-pick", "", { "aria-label": label });
    select.addEventListener("change", () => {
      if (select.value) this.ask({ kind: "pick", job: select.value, whole });
      select.value = "";
    });
    return select;
  }

  /** @param {string} title @param {string} name @param {Element[]} nodes */
  makePart(title, name, ...nodes) {
    const part = make("section", `ch-form-part ch-form-${name}-part`, "", { "aria-label": title });
    const held = make("div", "ch-form-held");
    held.append(...nodes);
    part.append(make("h3", "ch-form-heading", title), held);
    return part;
  }

  makeRead() {
    const picked = make("div", "ch-field ch-form-inputs");
    const line = make("div", "ch-form-line");
    line.append(make("div", "ch-form-label", "Selection"), this.selections, this.configurations);
    picked.append(line, this.inputs, this.inputsHint);
    const kind = make("div", "ch-form-kind");
    kind.append(this.own.source.node, this.own.view.node);
    return this.makePart("Read", "read", picked, kind, ...this.optionsOf("read"));
  }

  makeWrite() {
    const { bucket, prefix, overwrite, format } = this.own;
    bucket.control.setAttribute("list", this.buckets.id);
    prefix.node.append(overwrite.node);
    return this.makePart("Write", "write", bucket.node, prefix.node, format.node, ...this.optionsOf("write"), this.buckets);
  }

  makeRun() {
    this.dataflow.append(...this.optionsOf("run", true));
    this.moreDataflow.append(...this.optionsOf("more", true));
    const held = make("div", "ch-form-more-held");
    const [texts, ticks] = [this.optionsOf("more", false, false), this.optionsOf("more", false, true)];
    held.append(...texts, this.moreDataflow, ...ticks, this.carried);
    this.more.append(make("summary", "", "More"), held);
    return this.makePart("Run", "run", this.own.runner.node, ...this.optionsOf("run"), this.dataflow, this.more);
  }

  /** The options that stand in a part; `ticks`: only those to tick, or only others. @param {Box["part"]} part @param {boolean} [ticks] */
  optionsOf(part, dataflow = false, ticks) {
    const here = this.options.filter(({ box }) => box.part === part && box.dataflow === dataflow);
    return here.filter(({ box }) => ticks === undefined || ticks === (box.kind === "tick")).map(({ control }) => control.node);
  }

  makePlan() {
    const list = make("dl", "ch-figures");
    list.append(...this.figures.map(({ node }) => node));
    const about = make("details", "ch-form-about");
    about.append(make("summary", "", "What the estimate rests on"), this.assumes);
    const part = this.makePart("Plan", "plan", list, this.unread.node, about);
    part.querySelector(".ch-form-heading")?.after(this.count);
    return part;
  }

  makeGo() {
    const bar = make("div", "ch-form-go");
    bar.append(this.go, this.says, this.another);
    return bar;
  }

  launch() {
    const { alive, token } = this.model.get("_go");
    if (!alive || this.pressed === token) return;
    this.pressed = token;
    this.go.disabled = true;
    this.ask({ kind: "launch", token });
  }

  // What the kernel says

  onFields() {
    const { values, edited, carried } = this.model.get("_fields");
    const [view, made] = edited;
    if (view === this.id && made < this.number) return; // of a key before the last: the rest is on its way
    const firm = !view || view === this.id; // and not typed in another view
    this.offerViews();
    for (const name of OF_VIEW) this.controls[name].node.hidden = !values.view;
    for (const [name, control] of Object.entries(this.controls)) {
      if (control instanceof Tick) control.show(Boolean(values[name]));
      else control.show(String(values[name]), firm);
    }
    this.dataflow.hidden = this.moreDataflow.hidden = values.runner !== "dataflow";
    showName(this.carried, carried.length ? `Also, from the job it was filled in from: ${carried.join("; ")}` : "");
    this.carried.hidden = values.runner !== "dataflow" || !carried.length;
  }

  /** The views of the source that is chosen. */
  offerViews() {
    const { values } = this.model.get("_fields");
    const offered = this.model.get("_choices").views?.[String(values.source)] ?? [];
    const view = String(values.view);
    setOptions(this.own.view.control, view && !offered.some(([name]) => name === view) ? [...offered, [view, view]] : offered, RAW);
    this.own.view.show(view);
  }

  onHints() {
    const hints = this.model.get("_hints");
    for (const [name, control] of Object.entries(this.controls)) control.say(hints[name]);
    showName(this.inputsHint, hints.inputs?.text ?? "");
    this.inputsHint.classList.toggle("ch-bad", Boolean(hints.inputs?.bad));
    if (this.options.some(({ box }) => box.part === "more" && hints[box.name]?.bad)) this.more.open = true;
  }

  onSelected() {
    const { inputs, total } = this.model.get("_selected");
    const shown = inputs.slice(0, this.all ? inputs.length : INPUTS_SHOWN);
    const rows = shown.map((uri) => {
      const row = make("li", "ch-form-input ch-mono", "", { title: uri });
      showMiddle(row.appendChild(make("span", "ch-label")), uri);
      return row;
    });
    if (total > shown.length) {
      const row = make("li", "ch-form-rest");
      if (shown.length === inputs.length) row.textContent = `and ${number(total - shown.length)} more`;
      else row.append(button("", `and ${number(total - shown.length)} more`, () => this.showAll()));
      rows.push(row);
    }
    if (!total) rows.push(make("li", "ch-form-none ch-muted", "No file is selected."));
    this.inputs.replaceChildren(...rows);
  }

  showAll() {
    this.all = true;
    this.onSelected();
  }

  onChoices() {
    const { sources = [], formats = [], buckets = [], configurations = [], selections = [], settings = {} } = this.model.get("_choices");
    const source = String(this.model.get("_fields").values.source);
    setOptions(this.own.source.control, sources.length ? sources.map(([name]) => [name, name]) : [[source, source]]);
    this.own.source.show(source);
    const [first = "ndjson", ...others] = formats;
    setOptions(this.own.format.control, others.map((name) => [name, name]), first);
    this.own.format.show(String(this.model.get("_fields").values.format));
    this.offerViews();
    this.buckets.replaceChildren(...buckets.map((name) => make("option", "", "", { value: name })));
    setOptions(this.configurations, configurations, "Start from an earlier job…");
    setOptions(this.selections, selections, "Earlier selections…");
    this.configurations.hidden = !configurations.length;
    this.selections.hidden = !selections.length;
    for (const { box, control } of this.options) {
      if (settings[box.name] !== undefined) control.control.setAttribute("placeholder", `${settings[box.name]} (settings)`);
    }
  }

  onPlan() {
    const plan = this.model.get("_plan");
    const texts = figures(plan);
    this.figures.forEach(({ node, value }, at) => {
      setText(value, texts[at]);
      node.title = at > 1 ? (plan.assumes ?? "") : "";
    });
    this.count.classList.toggle("ch-absent", !plan.counting && !plan.more);
    this.count.textContent = plan.counting ? "Stop" : "Count on";
    this.count.disabled = Boolean(plan.looking);
    this.unread.update(plan.unread);
    this.assumes.textContent = plan.assumes || "Nothing can be estimated yet.";
  }

  onGo() {
    const { state, label, says, alive, token, edited } = this.model.get("_go");
    this.go.textContent = label;
    const [view, made] = edited;
    const isBehind = view === this.id && made < this.number; // the kernel has not looked at what was typed last
    this.go.disabled = !alive || this.pressed === token || isBehind;
    this.go.setAttribute("aria-busy", String(state === "launching"));
    showName(this.says, says);
    this.says.classList.toggle("ch-good", state === "launched");
    this.another.hidden = state !== "launched";
  }
}

export default {
  /** @param {RenderProps<FormTraits>} props */
  render(props) {
    const view = new FormView(props);
    return () => view.close();
  },
};
