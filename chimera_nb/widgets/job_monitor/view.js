// The front end of JobMonitor (widget.py): how a job stands, and below that its log, its failures and its result.

import { copyButton } from "../base/copy.js";
import { button, later, make, number, showLines, showName, when } from "../base/text.js";
import { View } from "../base/view.js";
import { FailureList } from "./failures.js";
import { JobLog } from "./log.js";
import { Standing } from "./numbers.js";
import { ResultPanel } from "./result.js";
import { TimeSpentPanel } from "./time_spent.js";

/** @import { RenderProps } from "../base/model.js" */
/** @import { Job, MonitorMessage, MonitorRequest, MonitorTraits } from "./messages.js" */

const WAITS_MS = 150; // a job log that answers sooner shows no placeholder
const ARMED_MS = 600;
/** @typedef {"log" | "failures" | "result" | "time"} Panel */
/** @type {Panel[]} */
const PANELS = ["log", "failures", "result", "time"];
/** @type {Record<string, string>} */
const RUNNERS = { direct: "on this machine", dataflow: "on Dataflow" };

/** @extends {View<MonitorTraits, MonitorMessage, MonitorRequest>} */
class MonitorView extends View {
  asking = false; // whether the job is to be cancelled
  askedAt = 0;
  chosen = false; // whether somebody has chosen a tab
  /** @type {Panel} */
  opened = "log";
  aboutKey = "";
  state = make("span", "ch-state", "", { role: "status" });
  title = make("span", "ch-title ch-mono");
  copyId = copyButton("Copy the job's id", () => this.job.id ?? "", { className: "ch-copy-id" });
  actions = make("div", "ch-actions");
  cancel = button("", "Cancel", () => this.confirm(true));
  sure = button("ch-danger", "Yes, cancel the job", () => this.act("cancel"));
  keep = button("", "Keep it running", () => this.confirm(false));
  retry = button("", "Retry failed files", () => this.act("retry"), { title: "A new job over just the files that failed" });
  clone = button("ch-clone", "Run again", () => this.act("clone"), { title: "A new job with the same inputs and settings" });
  about = make("div", "ch-about");
  nothing = make("div", "ch-placeholder");
  body = make("div", "ch-monitor-body");
  standing = new Standing();
  log = new JobLog();
  failures = new FailureList(() => this.ask({ kind: "anew" }));
  result = new ResultPanel(() => this.job.id ?? "", () => this.act("save"), () => this.ask({ kind: "anew" }), (wanted) => this.ask({ kind: "draw", job: this.job.id ?? "", view: this.id, ...wanted }));
  time = new TimeSpentPanel();
  panels = {
    log: { tab: this.makeTab("log", "Log"), node: this.log.node },
    failures: { tab: this.makeTab("failures", "Failures"), node: this.failures.node },
    result: { tab: this.makeTab("result", "Result"), node: this.result.node },
    time: { tab: this.makeTab("time", "Time"), node: this.time.node },
  };
  waitSoon = later(WAITS_MS, () => this.onNothing(true));
  // In the place of "Cancel" comes what does no harm, and the other takes no click at once: a double click cancels nothing.
  armSoon = later(ARMED_MS, () => this.onActions());

  /** @param {RenderProps<MonitorTraits>} props */
  constructor({ model, el }) {
    super(model, el, "monitor", "Job monitor");
    this.node.classList.add("ch-panel");
    this.body.append(this.standing.node, this.makeDetails());
    this.node.append(this.makeHead(), this.makeError(() => this.ask({ kind: "anew" })), this.nothing, this.body);
    this.hearMessages({
      log: (message) => this.log.take(message),
      picture: (message) => message.view === this.id && message.job === this.job.id && this.result.picture.show(message),
      csv: ({ view, name, text }) => view === this.id && saveFile(name, text),
    });
    this.hear({
      "change:_job": () => this.onJob(),
      "change:job_id": () => this.onJobId(),
      "change:_points": () => this.standing.showPoints(this.model.get("_points")),
      "change:_failures": () => this.onFailures(),
      "change:_result": () => this.onResult(),
      "change:_time": () => this.time.show(this.model.get("_time"), this.job),
      "change:_busy": () => this.onActions(),
      "change:error": () => this.onNothing(true),
    });
    // A page that was forgotten, with a job that has ended, says nothing: its kernel may be put away.
    this.stay(() => this.job.id !== undefined && !this.job.final, () => this.here());
    this.onJob();
    this.standing.showPoints(this.model.get("_points"));
    this.onFailures();
    this.onResult();
    this.hello();
  }

  close() {
    super.close();
    this.waitSoon.cancel();
    this.armSoon.cancel();
    this.standing.close();
    this.result.close();
  }

  get job() {
    return this.model.get("_job");
  }

  /** Ask for something to be done to the job on screen. @param {"cancel" | "retry" | "clone" | "save"} kind */
  act(kind) {
    const { id: job } = this.job;
    if (job !== undefined) this.ask(kind === "save" ? { kind, job, view: this.id } : { kind, job });
  }

  // What it is, and what can be done to it

  makeHead() {
    const bar = make("div", "ch-bar ch-head");
    this.actions.append(this.sure, this.keep, this.cancel, this.retry, this.clone);
    this.actions.addEventListener("keydown", (event) => event.key === "Escape" && this.asking && this.confirm(false));
    bar.append(this.state, this.title, this.copyId, this.actions);
    const head = make("div");
    head.append(bar, this.about);
    return head;
  }

  /** @param {boolean} asking */
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
    const result = this.model.get("_result");
    this.cancel.hidden = !known || job.final || this.asking;
    this.sure.hidden = this.keep.hidden = !this.asking;
    this.retry.hidden = !known || !job.final || failures.state !== "ready" || !failures.rows.length;
    this.clone.hidden = !known;
    this.actions.classList.toggle("ch-asking", this.asking);
    for (const each of [this.cancel, this.sure, this.retry, this.clone]) each.disabled = Boolean(busy);
    this.sure.disabled ||= performance.now() - this.askedAt < ARMED_MS - 50;
    this.result.save.disabled = Boolean(busy) || result.state !== "ready" || !result.rows.length;
    this.cancel.textContent = busy === "cancel" ? "Cancelling" : "Cancel";
    this.retry.textContent = busy === "retry" ? "Submitting" : "Retry failed files";
    this.clone.textContent = busy === "clone" ? "Submitting" : "Run again";
  }

  onJobId() {
    this.here();
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
    showName(this.title, job.id ?? (this.model.get("job_id") || "Job"));
    this.copyId.hidden = !job.id;
    this.state.textContent = job.word ?? "";
    this.state.hidden = !job.status;
    this.state.dataset.state = this.node.dataset.status = job.status ?? "";
    this.about.hidden = !job.id;
    if (job.id === undefined) return;
    this.onAbout(job);
    this.standing.show(job);
    this.failures.show(this.model.get("_failures"), job);
    this.result.show(this.model.get("_result"), job);
    this.time.show(this.model.get("_time"), job);
    this.onTabs();
  }

  /** @param {Job} job */
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

  /** @param {Panel} name @param {string} title */
  makeTab(name, title) {
    const tab = make("button", "ch-tab", title, { type: "button", role: "tab", id: `${this.id}-${name}-tab`, "aria-controls": `${this.id}-${name}` });
    tab.addEventListener("click", () => this.open(name, true));
    return tab;
  }

  makeDetails() {
    const part = make("section", "ch-details", "", { "aria-label": "Details" });
    const tabs = make("div", "ch-tabs", "", { role: "tablist", "aria-label": "Details" });
    for (const name of PANELS) {
      const { tab, node } = this.panels[name];
      for (const [key, value] of Object.entries({ role: "tabpanel", id: `${this.id}-${name}`, "aria-labelledby": tab.id })) node.setAttribute(key, value);
      tabs.append(tab);
    }
    tabs.addEventListener("keydown", (event) => {
      const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
      if (!step) return;
      this.open(PANELS[(PANELS.indexOf(this.opened) + step + PANELS.length) % PANELS.length], true);
      this.panels[this.opened].tab.focus();
      event.preventDefault();
    });
    const bar = make("div", "ch-bar ch-tab-bar");
    bar.append(tabs);
    part.append(bar, ...PANELS.map((name) => this.panels[name].node));
    this.open("log");
    return part;
  }

  /** @param {Panel} name */
  open(name, chosen = false) {
    this.opened = name;
    this.chosen ||= chosen;
    for (const each of PANELS) {
      const { tab, node } = this.panels[each];
      node.hidden = each !== name;
      tab.setAttribute("aria-selected", String(each === name));
      tab.tabIndex = each === name ? 0 : -1;
    }
    if (name === "log") this.log.scrollToEnd();
  }

  /** What matters most now is opened, until one has chosen. */
  onTabs() {
    const { job } = this;
    const failures = this.model.get("_failures");
    const { rows, total: count } = failures.state === "ready" ? failures : { rows: [], total: job.failed ?? 0 };
    this.panels.failures.tab.textContent = count ? `Failures ${number(count)}` : "Failures";
    if (!this.chosen) this.open(job.status === "complete" ? "result" : job.final && rows.length ? "failures" : "log");
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

/** @param {string} name @param {string} text */
function saveFile(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = make("a", "", "", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export default {
  /** @param {RenderProps<MonitorTraits>} props */
  render(props) {
    const view = new MonitorView(props);
    return () => view.close();
  },
};
