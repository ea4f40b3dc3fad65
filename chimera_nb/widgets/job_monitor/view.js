// The view of JobMonitor (job_monitor.py): how a job stands, and below that its log, its failures and its result.

const HERE_MS = 30_000; // how often the kernel is told that this view is on screen
const WAITS_MS = 150; // a job log that answers sooner shows no placeholder
const ARMED_MS = 600;
const RUNNERS = { direct: "on this machine", dataflow: "on Dataflow" };

class MonitorView extends View {
  constructor(model, el) {
    super(model, el, "monitor", "Job monitor");
    this.node.classList.add("ch-panel");
    this.id = crypto.getRandomValues(new Uint32Array(2)).join("-");
    this.log = new JobLog();
    this.failures = new Failures(() => this.ask("anew"));
    this.result = new Result(() => this.job.id, () => this.act("save"), () => this.ask("anew"));
    this.standing = new Standing();
    this.body = make("div", "ch-monitor-body");
    this.body.append(this.standing.node, this.makeTabs());
    this.nothing = make("div", "ch-placeholder");
    this.node.append(this.makeHead(), this.makeError(() => this.ask("anew")), this.nothing, this.body);
    this.waitSoon = later(WAITS_MS, () => this.onNothing(true));
    this.hear({
      "msg:custom": (message) => this.onMessage(message),
      "change:_job": () => this.onJob(),
      "change:job_id": () => this.onJobId(),
      "change:_points": () => this.standing.showPoints(this.model.get("_points")),
      "change:_failures": () => this.onFailures(),
      "change:_result": () => this.onResult(),
      "change:_busy": () => this.onActions(),
      "change:error": () => this.onNothing(true),
    });
    // A page that was forgotten, with a job that has ended, says nothing: its kernel may be put away.
    this.here = setInterval(() => this.job.id && !this.job.final && this.ask("here", { view: this.id }), HERE_MS);
    this.onVisible = () => document.hidden || this.ask("here", { view: this.id });
    document.addEventListener("visibilitychange", this.onVisible);
    this.onJob();
    this.standing.showPoints(this.model.get("_points"));
    this.onFailures();
    this.onResult();
    this.ask("hello", { view: this.id });
  }

  close() {
    super.close();
    clearInterval(this.here);
    this.waitSoon.cancel();
    this.armSoon.cancel();
    document.removeEventListener("visibilitychange", this.onVisible);
    this.standing.close();
    this.result.close();
    this.ask("bye", { view: this.id });
  }

  get job() {
    return this.model.get("_job");
  }

  /** Ask for something to be done to the job on screen. */
  act(kind) {
    this.ask(kind, { job: this.job.id, view: this.id });
  }

  onMessage(message) {
    if (message.kind === "log") this.log.take(message);
    if (message.kind === "csv" && message.view === this.id) saveFile(message.name, message.text);
  }

  // What it is, and what can be done to it

  makeHead() {
    const bar = make("div", "ch-bar ch-head");
    this.state = make("span", "ch-state", "", { role: "status" });
    this.jobId = make("span", "ch-title ch-mono");
    const actions = make("div", "ch-actions");
    this.cancel = button("", "Cancel", () => this.confirm(true));
    this.sure = button("ch-danger", "Yes, cancel the job", () => this.act("cancel"));
    this.keep = button("", "Keep it running", () => this.confirm(false));
    this.retry = button("", "Retry failed files", () => this.act("retry"), { title: "A new job over just the files that failed" });
    this.clone = button("ch-clone", "Run again", () => this.act("clone"), { title: "A new job with the same inputs and settings" });
    // In the place of "Cancel" comes what does no harm, and the other takes no click at once: a double click cancels nothing.
    this.armSoon = later(ARMED_MS, () => this.onActions());
    actions.append(this.sure, this.keep, this.cancel, this.retry, this.clone);
    actions.addEventListener("keydown", (event) => event.key === "Escape" && this.asking && this.confirm(false));
    bar.append(this.state, this.jobId, copyButton("Copy the job's id", () => this.job.id, { className: "ch-copy-id" }), actions);
    this.copyId = bar.querySelector(".ch-copy-id");
    this.about = make("div", "ch-about");
    const head = make("div");
    head.append(bar, this.about);
    return head;
  }

  confirm(asking) {
    this.asking = asking;
    this.askedAt = performance.now();
    if (asking) this.armSoon();
    this.onActions();
    (asking ? this.keep : this.cancel).focus();
  }

  onActions() {
    const { job } = this;
    const busy = this.model.get("_busy");
    const known = Boolean(job.id);
    if (job.final || busy === "cancel") this.asking = false;
    const failures = this.model.get("_failures");
    this.cancel.hidden = !known || job.final || this.asking;
    this.sure.hidden = this.keep.hidden = !this.asking;
    this.retry.hidden = !known || !job.final || !failures.rows?.length;
    this.clone.hidden = !known;
    this.sure.parentNode.classList.toggle("ch-asking", Boolean(this.asking));
    for (const each of [this.cancel, this.sure, this.retry, this.clone]) each.disabled = Boolean(busy);
    this.sure.disabled ||= performance.now() - this.askedAt < ARMED_MS - 50;
    this.result.save.disabled = Boolean(busy) || !this.model.get("_result").rows?.length;
    this.cancel.textContent = busy === "cancel" ? "Cancelling" : "Cancel";
    this.retry.textContent = busy === "retry" ? "Submitting" : "Retry failed files";
    this.clone.textContent = busy === "clone" ? "Submitting" : "Run again";
  }

  onJobId() {
    this.ask("here", { view: this.id });
    this.asking = false;
    this.chosen = false;
    this.onJob();
  }

  /** What is there instead of a job. */
  onNothing(waited = false) {
    const jobId = this.model.get("job_id");
    const known = Boolean(this.job.id);
    this.nothing.hidden = this.body.hidden = true;
    if (known) this.body.hidden = false;
    else this.nothing.hidden = false;
    const reading = jobId && !this.model.get("error");
    this.nothing.classList.toggle("ch-waits", Boolean(reading && waited));
    this.nothing.textContent = !jobId ? "No job is open. Launch one, or choose one in the history: it is shown here." : reading && waited ? "Looking for the job" : "";
    if (reading && !known && !waited) this.waitSoon();
  }

  onJob() {
    const { job } = this;
    this.onNothing();
    this.onActions();
    showName(this.jobId, job.id ?? (this.model.get("job_id") || "Job"));
    this.copyId.hidden = !job.id;
    this.state.textContent = job.word ?? "";
    this.state.hidden = !job.status;
    this.state.dataset.state = this.node.dataset.status = job.status ?? "";
    this.about.hidden = !job.id;
    if (!job.id) return;
    this.onAbout(job);
    this.standing.show(job);
    this.failures.show(this.model.get("_failures"), job);
    this.result.show(this.model.get("_result"), job);
    this.onTabs();
  }

  onAbout(job) {
    const facts = [job.source, RUNNERS[job.runner] ?? job.runner, `created ${when(job.createdAt)}${job.createdBy ? ` by ${job.createdBy}` : ""}`];
    if (job.finishedAt) facts.push(`ended ${when(job.finishedAt)}`);
    const line = make("div", "ch-muted");
    facts.forEach((fact, at) => {
      if (at) line.append(" · ");
      showName(line.appendChild(make("span")), fact);
    });
    if (job.dataflowUrl) line.append(" · ", make("a", "", "Dataflow console", { href: job.dataflowUrl, target: "_blank", rel: "noopener noreferrer" }));
    const error = make("div", "ch-bad ch-why");
    if (job.error) showLines(error, job.error);
    error.hidden = !job.error;
    const key = JSON.stringify([facts, job.error, job.dataflowUrl]);
    if (this.aboutKey === key) return; // what does not change can be selected and copied
    this.aboutKey = key;
    this.about.replaceChildren(line, error);
  }

  // Log, failures, result

  makeTabs() {
    const part = make("section", "ch-details", "", { "aria-label": "Details" });
    this.tabs = make("div", "ch-tabs", "", { role: "tablist", "aria-label": "Details" });
    this.panels = [["log", "Log", this.log.node], ["failures", "Failures", this.failures.node], ["result", "Result", this.result.node]].map(([name, title, node]) => {
      const ids = [`ch-${this.id}-${name}-tab`, `ch-${this.id}-${name}`];
      const tab = make("button", "ch-tab", title, { type: "button", role: "tab", id: ids[0], "aria-controls": ids[1] });
      tab.addEventListener("click", () => this.open(name, true));
      for (const [key, value] of Object.entries({ role: "tabpanel", id: ids[1], "aria-labelledby": ids[0] })) node.setAttribute(key, value);
      this.tabs.append(tab);
      return { name, title, node, tab };
    });
    this.tabs.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const at = this.panels.findIndex(({ name }) => name === this.opened);
      this.open(this.panels.at((at + step) % this.panels.length).name, true);
      this.tabs.querySelector("[aria-selected=true]").focus();
      event.preventDefault();
    });
    const bar = make("div", "ch-bar ch-tab-bar");
    bar.append(this.tabs);
    part.append(bar, ...this.panels.map(({ node }) => node));
    this.open("log");
    return part;
  }

  open(name, chosen = false) {
    this.opened = name;
    this.chosen ||= chosen;
    for (const panel of this.panels) {
      panel.node.hidden = panel.name !== name;
      panel.tab.setAttribute("aria-selected", String(panel.name === name));
      panel.tab.tabIndex = panel.name === name ? 0 : -1;
    }
    if (name === "log") this.log.scrollToEnd();
  }

  /** What matters most now is opened, until one has chosen. */
  onTabs() {
    const { job } = this;
    const failures = this.model.get("_failures");
    const count = failures.total ?? job.failed ?? 0;
    this.panels[1].tab.textContent = count ? `Failures ${number(count)}` : "Failures";
    if (!this.chosen) this.open(job.status === "complete" ? "result" : job.final && failures.rows?.length ? "failures" : "log");
  }

  onFailures() {
    this.failures.show(this.model.get("_failures"), this.job);
    this.onActions();
    this.onTabs();
  }

  onResult() {
    this.result.show(this.model.get("_result"), this.job);
    this.onTabs();
  }
}

function saveFile(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = make("a", "", "", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export default {
  render({ model, el }) {
    const view = new MonitorView(model, el);
    return () => view.close();
  },
};
