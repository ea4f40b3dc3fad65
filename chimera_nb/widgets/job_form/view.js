// The view of JobForm (job_form.py): it sends what is typed, key by key, and shows what the kernel makes of it.

import { button, make, number, setText, showName } from "../base/text.js";
import { View } from "../base/view.js";
import { CodePanel } from "./code.js";
import { figures } from "./figures.js";
import { Field, Radios, Tick, setOptions, textBox } from "./parts.js";

/** @import { RenderProps } from "../base/model.js" */
/** @import { FormMessage, FormRequest, FormTraits } from "./messages.js" */
/** @import { Edit } from "./parts.js" */

const INPUTS_SHOWN = 4;
/** Texts and numbers: the label, and what stands there while it is empty. */
const BOXES = {
  bucket: ["Bucket", "results"],
  prefix: ["Prefix", "jobs/first"],
  shards: ["Output files", "as found fastest"],
  region: ["Region", "europe-west1"],
  machine_type: ["Machine type", "chosen by Dataflow"],
  max_workers: ["Max workers", "chosen by Dataflow"],
  num_workers: ["Workers to begin with", "chosen by Dataflow"],
  temp_location: ["Temp location", "gs://bucket/folder"],
  max_failures: ["Max failed files", "any number"],
  max_ratio: ["Max ratio", "1,000"],
  spool_mb: ["Temporary disk, MB", "half of it"],
  user_project: ["Billed project", "my-team-1234"],
};

const NUMBERS = new Set(["shards", "max_workers", "num_workers", "max_failures", "max_ratio", "spool_mb"]);
const UNDER_MORE = ["max_failures", "max_ratio", "spool_mb", "user_project", "num_workers", "temp_location"];

/** @param {Edit} edit */
function makeFields(edit) {
  const box = (/** @type {keyof typeof BOXES} */ name) => {
    const [label, hint] = BOXES[name];
    return new Field(name, label, textBox(hint, NUMBERS.has(name) ? { inputmode: "numeric" } : {}), edit);
  };
  return {
    source: new Field("source", "Source", make("select", "ch-input"), edit),
    bucket: box("bucket"),
    prefix: box("prefix"),
    shards: box("shards"),
    region: box("region"),
    machine_type: box("machine_type"),
    max_workers: box("max_workers"),
    num_workers: box("num_workers"),
    temp_location: box("temp_location"),
    max_failures: box("max_failures"),
    max_ratio: box("max_ratio"),
    spool_mb: box("spool_mb"),
    user_project: box("user_project"),
    runner: new Radios("runner", "Runs", [["direct", "On this machine"], ["dataflow", "On Dataflow"]], edit),
    overwrite: new Tick("overwrite", "Replace what is there", edit, true),
    keep_partial: new Tick("keep_partial", "Keep what was read of a file before its fault", edit),
  };
}

/** @extends {View<FormTraits, FormMessage, FormRequest>} */
class FormView extends View {
  number = 0; // of the last edit
  all = false; // whether every input is listed
  /** @type {string | null} the token that a click has used */
  pressed = null;
  fields = makeFields((name, value) => {
    this.number += 1;
    this.ask({ kind: "edit", field: name, value, view: this.id, number: this.number });
  });
  configurations = this.makePicker("Begin with a job of before", true);
  selections = this.makePicker("Read what a job of before has read", false);
  inputs = make("ul", "ch-form-list", "", { "aria-label": "Selection" });
  inputsHint = make("div", "ch-hint", "", { role: "status" });
  buckets = make("datalist", "", "", { id: `${this.id}-buckets` });
  dataflow = make("div", "ch-form-dataflow");
  moreDataflow = make("div", "ch-form-dataflow");
  more = make("details", "ch-form-more");
  carried = make("div", "ch-muted ch-form-carried");
  figures = ["Files", "Compressed", "Raw", "Time", "Worker-hours"].map((label) => {
    const node = make("div", "ch-figure");
    const value = make("dd", "ch-numbers");
    node.append(make("dt", "", label), value);
    return { node, value };
  });
  count = button("ch-count", "Stop", () => this.ask({ kind: "count", on: !this.model.get("_plan").counting }));
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
    this.node.append(this.makeTop(), this.makeRead(), this.makeWrite(), this.makeRun(), this.makePlan(), this.makeGo(), this.makeError(retry), this.code.node);
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

  makeTop() {
    const bar = make("div", "ch-bar");
    bar.append(make("div", "ch-title", "New job"), this.configurations);
    return bar;
  }

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
    line.append(make("div", "ch-form-label", "Selection"), this.selections);
    picked.append(line, this.inputs, this.inputsHint);
    return this.makePart("Read", "read", picked, this.fields.source.node);
  }

  makeWrite() {
    const { bucket, prefix, shards, overwrite } = this.fields;
    bucket.control.setAttribute("list", this.buckets.id);
    prefix.node.append(overwrite.node);
    return this.makePart("Write", "write", bucket.node, prefix.node, shards.node, this.buckets);
  }

  makeRun() {
    const { runner, region, machine_type, max_workers, num_workers, temp_location, max_failures, max_ratio, spool_mb, user_project, keep_partial } = this.fields;
    this.dataflow.append(region.node, machine_type.node, max_workers.node);
    this.moreDataflow.append(num_workers.node, temp_location.node);
    const held = make("div", "ch-form-more-held");
    held.append(max_failures.node, max_ratio.node, spool_mb.node, user_project.node, this.moreDataflow, keep_partial.node, this.carried);
    this.more.append(make("summary", "", "More"), held);
    return this.makePart("Run", "run", runner.node, this.dataflow, this.more);
  }

  makePlan() {
    const list = make("dl", "ch-figures");
    list.append(...this.figures.map(({ node }) => node));
    const about = make("details", "ch-form-about");
    about.append(make("summary", "", "What the estimate rests on"), this.assumes);
    const part = this.makePart("Plan", "plan", list, about);
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
    const { runner, overwrite, keep_partial: keepPartial, ...texts } = this.fields;
    runner.show(String(values.runner));
    overwrite.show(Boolean(values.overwrite));
    keepPartial.show(Boolean(values.keep_partial));
    for (const field of Object.values(texts)) field.show(String(values[field.name]), firm);
    this.dataflow.hidden = this.moreDataflow.hidden = values.runner !== "dataflow";
    showName(this.carried, carried.length ? `Also, from the job it was filled in from: ${carried.join("; ")}` : "");
    this.carried.hidden = values.runner !== "dataflow" || !carried.length;
  }

  onHints() {
    const hints = this.model.get("_hints");
    for (const [name, field] of Object.entries(this.fields)) field.say(hints[name]);
    showName(this.inputsHint, hints.inputs?.text ?? "");
    this.inputsHint.classList.toggle("ch-bad", Boolean(hints.inputs?.bad));
    if (UNDER_MORE.some((name) => hints[name]?.bad)) this.more.open = true;
  }

  onSelected() {
    const { inputs, total } = this.model.get("_selected");
    const shown = inputs.slice(0, this.all ? inputs.length : INPUTS_SHOWN);
    const rows = shown.map((uri) => {
      const row = make("li", "ch-form-input ch-mono", "", { title: uri });
      showName(row.appendChild(make("span", "ch-label")), uri);
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
    const { sources = [], buckets = [], configurations = [], selections = [], settings = {} } = this.model.get("_choices");
    const source = String(this.model.get("_fields").values.source);
    setOptions(this.fields.source.control, sources.length ? sources.map(([name]) => [name, name]) : [[source, source]]);
    this.fields.source.show(source);
    this.buckets.replaceChildren(...buckets.map((name) => make("option", "", "", { value: name })));
    setOptions(this.configurations, configurations, "Begin with a job of before…");
    setOptions(this.selections, selections, "Recent selections…");
    this.configurations.hidden = !configurations.length;
    this.selections.hidden = !selections.length;
    for (const field of [this.fields.region, this.fields.machine_type, this.fields.max_workers, this.fields.num_workers, this.fields.temp_location]) {
      if (settings[field.name] !== undefined) field.control.setAttribute("placeholder", `${settings[field.name]} (settings)`);
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
    this.assumes.textContent = plan.assumes || "Nothing can be estimated yet.";
  }

  onGo() {
    const { state, label, says, alive, token } = this.model.get("_go");
    this.go.textContent = label;
    this.go.disabled = !alive || this.pressed === token;
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
