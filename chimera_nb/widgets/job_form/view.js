// The view of JobForm (job_form.py): it sends what is typed, key by key, and shows what the kernel makes of it.

const INPUTS_SHOWN = 4;
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

class FormView extends View {
  constructor(model, el) {
    super(model, el, "form", "New job");
    this.node.classList.add("ch-panel");
    this.id = Math.random().toString(36).slice(2, 12);
    this.number = 0;
    this.all = false; // whether every input is listed
    this.pressed = null; // the token that a click has used
    const edit = (name, value) => this.ask("edit", { field: name, value, view: this.id, number: (this.number += 1) });
    this.fields = { source: new Field("source", "Source", make("select", "ch-input"), edit) };
    for (const [name, [label, hint]] of Object.entries(BOXES)) {
      const numeric = /shards|workers|failures|ratio|mb/.test(name) ? { inputmode: "numeric" } : {};
      this.fields[name] = new Field(name, label, textBox(hint, numeric), edit);
    }
    this.fields.runner = new Radios("runner", "Runs", [["direct", "On this machine"], ["dataflow", "On Dataflow"]], edit);
    this.fields.overwrite = new Tick("overwrite", "Replace what is there", edit, true);
    this.fields.keep_partial = new Tick("keep_partial", "Keep what was read of a file before its fault", edit);
    this.node.append(this.makeTop(), this.makeRead(), this.makeWrite(), this.makeRun(), this.makePlan(), this.makeGo(), this.makeError(() => this.ask("retry")), this.makeCode());
    this.hear({
      "change:_fields": () => this.onFields(),
      "change:_hints": () => this.onHints(),
      "change:_selected": () => this.onSelected(),
      "change:_choices": () => this.onChoices(),
      "change:_plan": () => this.onPlan(),
      "change:_go": () => this.onGo(),
      "change:_code": () => this.onCode(),
    });
    for (const show of [this.onChoices, this.onFields, this.onHints, this.onSelected, this.onPlan, this.onGo, this.onCode]) show.call(this);
    this.ask("hello");
  }

  // What it is made of

  makeTop() {
    const bar = make("div", "ch-bar");
    this.configurations = this.makePicker("Begin with a job of before", true);
    bar.append(make("div", "ch-title", "New job"), this.configurations);
    return bar;
  }

  /** A list of jobs of before, of which one fills in the form, or its selection. */
  makePicker(label, whole) {
    const select = make("select", "ch-input ch-pick", "", { "aria-label": label });
    select.addEventListener("change", () => {
      if (select.value) this.ask("pick", { job: select.value, whole });
      select.value = "";
    });
    return select;
  }

  makePart(title, name, ...nodes) {
    const part = make("section", `ch-form-part ch-form-${name}-part`, "", { "aria-label": title });
    const held = make("div", "ch-form-held");
    held.append(...nodes);
    part.append(make("h3", "ch-form-heading", title), held);
    return part;
  }

  makeRead() {
    const picked = make("div", "ch-field ch-form-inputs");
    this.inputs = make("ul", "ch-form-list", "", { "aria-label": "Selection" });
    this.inputsHint = make("div", "ch-hint", "", { role: "status" });
    const line = make("div", "ch-form-line");
    this.selections = this.makePicker("Read what a job of before has read", false);
    line.append(make("div", "ch-form-label", "Selection"), this.selections);
    picked.append(line, this.inputs, this.inputsHint);
    return this.makePart("Read", "read", picked, this.fields.source.node);
  }

  makeWrite() {
    const { bucket, prefix, shards, overwrite } = this.fields;
    this.buckets = make("datalist", "", "", { id: `${bucket.id}-list` });
    bucket.control.setAttribute("list", this.buckets.id);
    prefix.node.append(overwrite.node);
    return this.makePart("Write", "write", bucket.node, prefix.node, shards.node, this.buckets);
  }

  makeRun() {
    const { runner, region, machine_type, max_workers, num_workers, temp_location, max_failures, max_ratio, spool_mb, user_project, keep_partial } = this.fields;
    this.dataflow = make("div", "ch-form-dataflow");
    this.dataflow.append(region.node, machine_type.node, max_workers.node);
    const more = make("details", "ch-form-more");
    this.moreDataflow = make("div", "ch-form-dataflow");
    this.moreDataflow.append(num_workers.node, temp_location.node);
    this.carried = make("div", "ch-muted ch-form-carried");
    const held = make("div", "ch-form-more-held");
    held.append(max_failures.node, max_ratio.node, spool_mb.node, user_project.node, this.moreDataflow, keep_partial.node, this.carried);
    more.append(make("summary", "", "More"), held);
    return this.makePart("Run", "run", runner.node, this.dataflow, more);
  }

  makePlan() {
    this.figures = ["Files", "Compressed", "Raw", "Time", "Worker-hours"].map((label) => {
      const node = make("div", "ch-figure");
      const value = make("dd", "ch-numbers");
      node.append(make("dt", "", label), value);
      return { node, value };
    });
    const list = make("dl", "ch-figures");
    list.append(...this.figures.map(({ node }) => node));
    this.count = button("ch-count", "Stop", () => this.ask("count", { on: !this.model.get("_plan").counting }));
    this.assumes = make("p", "ch-hint ch-assumes");
    const about = make("details", "ch-form-about");
    about.append(make("summary", "", "What the estimate rests on"), this.assumes);
    this.about = about;
    const part = this.makePart("Plan", "plan", list, about);
    part.querySelector(".ch-form-heading").after(this.count);
    return part;
  }

  makeGo() {
    const bar = make("div", "ch-form-go");
    this.go = button("ch-go", "Launch", () => {
      const { alive, token } = this.model.get("_go");
      if (!alive || this.pressed === token) return;
      this.pressed = token;
      this.go.disabled = true;
      this.ask("launch", { token });
    });
    this.says = make("div", "ch-form-says", "", { role: "status" });
    this.another = button("", "Set up another", () => this.ask("another"));
    bar.append(this.go, this.says, this.another);
    return bar;
  }

  makeCode() {
    const details = make("details", "ch-form-code");
    this.code = make("pre", "ch-mono ch-code", "", { tabindex: "0", "aria-label": "The job as code" });
    this.kind = "cell";
    const tabs = make("div", "ch-tabs", "", { role: "tablist", "aria-label": "The job as code" });
    this.tabs = [["cell", "Notebook cell"], ["command", "Shell command"]].map(([kind, label]) => {
      const tab = make("button", "ch-tab", label, { type: "button", role: "tab" });
      tab.addEventListener("click", () => this.showCode(kind));
      tab.addEventListener("keydown", (event) => {
        if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
        this.showCode(kind === "cell" ? "command" : "cell");
        this.tabs.find((other) => other.kind === this.kind).tab.focus();
      });
      tabs.append(tab);
      return { kind, tab };
    });
    this.copy = copyButton("Copy the code", () => this.model.get("_code")[this.kind]);
    const line = make("div", "ch-form-line");
    line.append(tabs, this.copy);
    details.append(make("summary", "", "The same job as code"), line, this.code);
    return details;
  }

  // What the kernel says

  onFields() {
    const values = this.model.get("_fields");
    const [view, made] = values.edited;
    if (view === this.id && made < this.number) return; // of a key before the last: the rest is on its way
    const firm = !view || view === this.id; // and not typed in another view
    for (const [name, field] of Object.entries(this.fields)) field.show(values[name], firm);
    this.dataflow.hidden = this.moreDataflow.hidden = values.runner !== "dataflow";
    showName(this.carried, values.carried.length ? `Also, from the job it was filled in from: ${values.carried.join("; ")}` : "");
    this.carried.hidden = values.runner !== "dataflow" || !values.carried.length;
  }

  onHints() {
    const hints = this.model.get("_hints");
    for (const [name, field] of Object.entries(this.fields)) field.say(hints[name]);
    const { text = "", bad = false } = hints.inputs ?? {};
    showName(this.inputsHint, text);
    this.inputsHint.classList.toggle("ch-bad", bad);
    const more = this.node.querySelector(".ch-form-more");
    if (["max_failures", "max_ratio", "spool_mb", "user_project", "num_workers", "temp_location"].some((name) => hints[name]?.bad)) more.open = true;
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
    const { source } = this.model.get("_fields");
    setOptions(this.fields.source.control, sources.length ? sources.map(([name]) => [name, name]) : [[source, source]]);
    this.fields.source.show(source);
    this.buckets.replaceChildren(...buckets.map((name) => make("option", "", "", { value: name })));
    setOptions(this.configurations, configurations, "Begin with a job of before…");
    setOptions(this.selections, selections, "Recent selections…");
    this.configurations.hidden = !configurations.length;
    this.selections.hidden = !selections.length;
    for (const [name, value] of Object.entries(settings)) this.fields[name].control.placeholder = `${value} (settings)`;
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

  onCode() {
    this.showCode(this.kind);
  }

  showCode(kind) {
    this.kind = kind;
    const code = this.model.get("_code");
    for (const { kind: other, tab } of this.tabs) {
      tab.setAttribute("aria-selected", String(other === kind));
      tab.tabIndex = other === kind ? 0 : -1;
    }
    this.code.textContent = code[kind] || code.says;
    this.code.classList.toggle("ch-muted", !code[kind]);
    this.copy.disabled = !code[kind];
  }
}

export default {
  render({ model, el }) {
    const view = new FormView(model, el);
    return () => view.close();
  },
};
