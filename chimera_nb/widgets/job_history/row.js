// A job in the list of JobHistory.

import { bytes, duration, make, number, plural, setText, showName, when } from "../base/text.js";

/** @import { JobRow } from "./messages.js" */

export class Row {
  status = make("span", "ch-state");
  bar = make("span", "ch-history-bar");
  fill = this.bar.appendChild(make("span"));
  inputs = make("span", "ch-history-inputs ch-mono");
  reads = this.inputs.appendChild(make("span", "ch-label", "", { dir: "ltr" }));
  others = this.inputs.appendChild(make("span", "ch-muted"));
  target = make("span", "ch-label ch-mono ch-muted");
  name = make("span", "ch-mono");
  by = make("span", "ch-label ch-muted");
  tags = make("span", "ch-label ch-history-tags");
  count = make("span", "ch-numbers");
  failed = make("span", "ch-numbers ch-bad");
  size = make("span", "ch-numbers ch-muted");
  begun = make("span", "ch-numbers");
  took = make("span", "ch-numbers ch-muted");

  /** @param {string} id of the element @param {JobRow} job */
  constructor(id, job) {
    this.job = job;
    this.node = make("div", "ch-history-row", "", { role: "row", id });
    /** @param {string} name @param {Element[]} parts */
    const cell = (name, ...parts) => this.node.appendChild(make("span", `ch-history-${name}`, "", { role: "gridcell" })).append(...parts);
    cell("state", this.status, this.bar);
    cell("paths", this.inputs, this.target);
    cell("job", this.name, this.by, this.tags);
    cell("files", this.count, this.failed, this.size);
    cell("times", this.begun, this.took);
    this.draw(job);
  }

  /** @param {JobRow} job */
  draw(job) {
    this.job = job;
    setText(this.status, job.word);
    this.node.dataset.state = this.status.dataset.state = job.shade;
    this.node.title = job.error;
    const share = job.fraction;
    this.bar.title = share === null ? "" : `${Math.floor(100 * share)} %`;
    this.fill.style.width = `${100 * (share ?? 0)}%`;
    showName(this.reads, job.status === "unreadable" ? job.error : job.reads);
    setText(this.others, job.others ? `+${number(job.others)} more` : "");
    showName(this.target, job.target && `→ ${job.target}`);
    this.reads.title = job.reads || job.error;
    this.target.title = job.target;
    showName(this.name, job.name || job.id);
    this.name.title = job.id;
    this.name.classList.toggle("ch-mono", !job.name);
    this.node.classList.toggle("ch-named", Boolean(job.name || job.tags.length));
    setText(this.tags, job.tags.map((tag) => `#${tag}`).join(" "));
    showName(this.by, [job.source, job.by].filter(Boolean).join(" · "));
    setText(this.count, filesText(job));
    setText(this.failed, job.failed ? `${number(job.failed)} failed` : "");
    setText(this.size, [job.lines && plural(job.lines, job.unit), job.raw && bytes(job.raw), job.skipped && `${number(job.skipped)} skipped`].filter(Boolean).join(" · "));
    setText(this.begun, when(job.started ?? job.created));
    setText(this.took, job.seconds === null ? "" : duration(job.seconds));
  }
}

/** "3 of 10" while it runs, "7 files" later: those that failed and were skipped are among them. @param {JobRow} job */
export function filesText(job) {
  if (job.status === "running" && job.listed) return `${number(job.done ?? 0)} of ${number(job.listed)}`;
  return job.listed === null || job.done === null ? "" : plural(job.done, "file");
}
