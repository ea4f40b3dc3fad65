// The front end of JobMonitor (widget.py): how a job stands, and below that its log, its failures and its result.

import { Address } from "../base/address.js";
import { copyButton } from "../base/copy.js";
import { button, later, make, number, showLines, showName, when } from "../base/text.js";
import { View } from "../base/view.js";
import { FailureList } from "./failures.js";
import { InsideFile } from "./inside.js";
import { JobLog } from "./log.js";
import { Labels } from "./labels.js";
import { EndNotice } from "./notice.js";
import { Standing } from "./numbers.js";
import { RunAgain } from "./run_again.js";
import { ResultPanel } from "./result.js";
import { Tabs } from "./tabs.js";
import { TimeSpentPanel } from "./time_spent.js";
import { retryText, runsText } from "./words.js";

/** @import { RenderProps } from "../base/model.js" */
/** @import { Job, MonitorMessage, MonitorRequest, MonitorTraits } from "./messages.js" */
/** @import { ChunkMessage, SavingMessage } from "../table/requests.js" */

const WAITS_MS = 150; // a job log that answers sooner shows no placeholder
const ARMED_MS = 600;

/** @extends {View<MonitorTraits, MonitorMessage, MonitorRequest>} */
class MonitorView extends View {
  asking = false; // whether the job is to be cancelled
  askedAt = 0;
  seen = ""; // the job that was shown last
  aboutKey = "";
  state = make("span", "ch-state", "", { role: "status" });
  title = make("span", "ch-title ch-mono");
  copyId = copyButton("Copy the job's id", () => this.job.id ?? "", { className: "ch-copy-id" });
  copyLink = copyButton("Copy a link to this job, for others to open", () => `${location.origin}${location.pathname}?job=${this.job.id}`, { says: "Copy link" });
  actions = make("div", "ch-actions");
  cancel = button("", "Cancel", () => this.confirm(true));
  sure = button("ch-danger", "Yes, cancel the job", () => this.act("cancel"));
  keep = button("", "Keep it running", () => this.confirm(false));
  retry = button("", "Retry failed files", () => this.retrying(false));
  retryAll = button("", "", () => this.retrying(true), { title: "A new job over all the files that failed" });
  clone = button("ch-clone", "Run again", () => this.act("clone"), { title: "A new job with the same inputs and settings; what will run is shown first" });
  notice = new EndNotice();
  labels = new Labels((request) => this.ask(request));
  again = new RunAgain((request) => this.ask(request));
  about = make("div", "ch-about");
  nothing = make("div", "ch-placeholder");
  body = make("div", "ch-monitor-body");
  address = new Address(["tab"], () => this.onAddress());
  standing = new Standing();
  log = new JobLog();
  failures = new FailureList(this.id, () => this.ask({ kind: "anew" }), (request) => this.ask(request));
  inside = new InsideFile(() => this.model);
  result = new ResultPanel(this.id, () => this.job.id ?? "", {
    again: () => this.ask({ kind: "anew" }),
    draw: (wanted) => this.ask({ kind: "draw", job: this.job.id ?? "", view: this.id, ...wanted }),
    table: (request) => this.ask(request),
  });
  time = new TimeSpentPanel();
  tabs = new Tabs(this.id, { log: ["Log", this.log.node], failures: ["Failures", this.failures.node], result: ["Result", this.result.node], time: ["Time", this.time.node] }, (name, chosen) => this.onTab(name, chosen));
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
      failedFiles: (message) => this.failures.take(message),
      ...this.hearsOfFiles(),
    });
    this.hear({
      "change:_job": () => this.onJob(),
      "change:job_id": () => this.onJobId(),
      "change:_points": () => this.standing.showPoints(this.model.get("_points")),
      "change:_failures": () => this.onFailures(),
      "change:_result": () => this.onResult(),
      "change:_inside": () => this.inside.show(this.model.get("_inside")),
      "change:_time": () => this.time.show(this.model.get("_time"), this.job),
      "change:_busy": () => this.onActions(),
      "change:_again": () => this.onActions(),
      "change:error": () => this.onNothing(true),
    });
    // A page that was forgotten, with a job that has ended, says nothing: its kernel may be put away.
    this.stay(() => this.job.id !== undefined && !this.job.final, () => this.here());
    this.onJob();
    this.standing.showPoints(this.model.get("_points"));
    this.onFailures();
    this.onResult();
    this.seen = this.model.get("job_id");
    if (this.address.isThere) this.onAddress();
    this.hello();
  }

  /** A file comes in pieces to whoever has asked for it: the rows, or the list of failures. */
  hearsOfFiles() {
    const { table, chunk, saving } = this.result.table.hears();
    const { saving: list } = this.failures;
    return {
      table,
      chunk: (/** @type {ChunkMessage} */ message) => (list.busy ? list.take(message) : chunk(message)),
      saving: (/** @type {SavingMessage} */ message) => (list.busy ? list.hear(message) : saving(message)),
    };
  }

  close() {
    super.close();
    this.failures.close();
    this.inside.close();
    this.address.close();
    this.waitSoon.cancel();
    this.armSoon.cancel();
    this.standing.close();
    this.result.close();
  }

  get job() {
    return this.model.get("_job");
  }

  /** @param {boolean} all */
  retrying(all) {
    const { id: job } = this.job;
    if (job !== undefined) this.ask({ kind: "retry", job, all });
  }

  /** Ask for something to be done to the job on screen. @param {"cancel" | "clone"} kind */
  act(kind) {
    const { id: job } = this.job;
    this.again.asked = kind === "clone";
    if (job !== undefined) this.ask({ kind, job });
  }

  // What it is, and what can be done to it

  makeHead() {
    const bar = make("div", "ch-bar ch-head");
    this.actions.append(this.notice.node, this.sure, this.keep, this.cancel, this.retry, this.retryAll, this.clone);
    this.actions.addEventListener("keydown", (event) => event.key === "Escape" && this.asking && this.confirm(false));
    bar.append(this.state, this.title, this.copyId, this.copyLink, this.actions);
    const head = make("div");
    head.append(bar, this.again.node, this.about, this.labels.node);
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
    this.cancel.hidden = !known || job.final || this.asking;
    this.sure.hidden = this.keep.hidden = !this.asking;
    const { can, total, outlook } = failures.state === "ready" ? failures : { can: 0, total: 0, outlook: "" };
    this.retry.hidden = !known || !job.final || !total;
    this.retryAll.hidden = this.retry.hidden || !can || can === total;
    this.clone.hidden = !known;
    this.actions.classList.toggle("ch-asking", this.asking);
    for (const each of [this.cancel, this.sure, this.retry, this.retryAll, this.clone]) each.disabled = Boolean(busy);
    this.sure.disabled ||= performance.now() - this.askedAt < ARMED_MS - 50;
    this.cancel.textContent = busy === "cancel" ? "Cancelling" : "Cancel";
    this.retry.textContent = busy === "retry" ? "Submitting" : retryText(can, total, Boolean(outlook));
    this.retryAll.textContent = `Retry all ${number(total)}`;
    this.retry.title = outlook ? `A new job over files that failed: ${outlook}` : "A new job over just the files that failed";
    this.again.show(this.model.get("_again"), busy);
  }

  onJobId() {
    this.here();
    this.asking = false;
    // The tab of an address is that of its job, which comes a little later; another job begins with a tab of its own.
    if (this.seen) {
      this.address.keep({ tab: "" });
      this.tabs.chosen = false;
    }
    this.seen = this.model.get("job_id");
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
    showName(this.title, job.name || job.id || (this.model.get("job_id") || "Job"));
    this.copyId.hidden = !job.id;
    this.copyLink.hidden = !job.id || !this.address.ours;
    this.state.textContent = job.word ?? "";
    this.state.hidden = !job.status;
    this.state.dataset.state = job.shade ?? "";
    this.node.dataset.status = job.status ?? "";
    this.about.hidden = !job.id;
    this.notice.show(job.id === undefined ? null : job);
    if (job.id === undefined) return;
    this.onAbout(job);
    this.labels.show(job);
    this.standing.show(job);
    this.failures.show(this.model.get("_failures"), job);
    this.result.show(this.model.get("_result"), job);
    this.time.show(this.model.get("_time"), job);
    this.onTabs();
  }

  /** @param {Job} job */
  onAbout(job) {
    const facts = [...(job.name ? [job.id] : []), job.source, runsText(job.runner), `created ${when(job.createdAt)}${job.createdBy ? ` by ${job.createdBy}` : ""}`];
    if (job.finishedAt) facts.push(`ended ${when(job.finishedAt)}`);
    const line = make("div", "ch-muted");
    facts.forEach((fact, at) => {
      if (at) line.append(" · ");
      showName(line.appendChild(make("span")), fact);
    });
    if (job.dataflowUrl) line.append(" · ", make("a", "", "Open in Google Cloud console", { href: job.dataflowUrl, target: "_blank", rel: "noopener noreferrer" }));
    const error = make("div", "ch-bad ch-why");
    if (job.error) showLines(error, job.error);
    error.hidden = !job.error;
    const key = JSON.stringify([facts, job.error, job.dataflowUrl]);
    if (this.aboutKey === key) return; // what does not change can be selected and copied
    this.aboutKey = key;
    this.about.replaceChildren(line, error);
  }

  // Log, failures, result

  makeDetails() {
    const part = make("section", "ch-details", "", { "aria-label": "Details" });
    part.append(this.tabs.bar, ...[this.log, this.failures, this.result, this.time, this.inside].map(({ node }) => node));
    this.tabs.open("log");
    return part;
  }

  /** @param {string} name @param {boolean} chosen */
  onTab(name, chosen) {
    if (name === "log") this.log.scrollToEnd();
    if (chosen) this.address.keep({ tab: name });
  }

  /** The tab of the address, which counts as chosen; without one the kernel's state says. */
  onAddress() {
    const name = this.tabs.names.find((each) => each === this.address.get("tab"));
    if (name) this.tabs.open(name, true);
    else this.tabs.chosen = false;
    this.onTabs();
  }

  /** What matters most now is opened, until one has chosen. */
  onTabs() {
    const { job } = this;
    const failures = this.model.get("_failures");
    const count = failures.state === "ready" ? failures.total : (job.failed ?? 0);
    this.tabs.tabs.failures.textContent = count ? `Failures ${number(count)}` : "Failures";
    if (!this.tabs.chosen) this.tabs.open(job.status === "complete" ? "result" : job.final && count && failures.state === "ready" ? "failures" : "log");
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

export default {
  /** @param {RenderProps<MonitorTraits>} props */
  render(props) {
    const view = new MonitorView(props);
    return () => view.close();
  },
};
