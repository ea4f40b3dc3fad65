// A row of the list that is on screen, and shows one job of JobHistory after another.

import { bytes, duration, make, number, plural, setText, showName, when, zone } from "../base/text.js";

/** @import { JobRow } from "./messages.js" */

export class Row {
  node = make("div", "ch-history-row", "", { role: "row" });
  status = make("span", "ch-state");
  bar = make("span", "ch-history-bar");
  fill = this.bar.appendChild(make("span"));
  inputs = make("span", "ch-history-inputs ch-mono");
  reads = this.inputs.appendChild(make("span", "ch-label", "", { dir: "ltr" }));
  others = this.inputs.appendChild(make("span", "ch-muted"));
  target = make("span", "ch-label ch-mono ch-muted");
  name = make("span", "ch-mono");
  by = make("span", "ch-label ch-muted");
  tags = make("span", "ch-history-tags");
  count = make("span", "ch-numbers");
  failed = make("span", "ch-numbers ch-bad");
  size = make("span", "ch-label ch-numbers ch-muted");
  begun = make("span", "ch-numbers");
  took = make("span", "ch-numbers ch-muted");
  top = -1;
  /** @type {JobRow | null} that is shown; null while it is not loaded */
  job = null;

  constructor() {
    /** @param {string} name @param {Element[]} parts */
    const cell = (name, ...parts) => this.node.appendChild(make("span", `ch-history-${name}`, "", { role: "gridcell" })).append(...parts);
    /** @param {Element[]} parts */
    const line = (...parts) => {
      const node = make("span", "ch-history-line");
      node.append(...parts);
      return node;
    };
    cell("state", this.status, this.bar);
    cell("paths", this.inputs, this.target);
    cell("job", this.name, line(this.by, this.tags));
    cell("files", line(this.count, this.failed), this.size);
    cell("times", this.begun, this.took);
  }

  /** Stand for nothing. */
  clear() {
    this.job = null;
    this.node.id = "";
    delete this.node.dataset.state;
    this.node.classList.remove("ch-active", "ch-to-compare", "ch-new");
    this.node.removeAttribute("aria-selected");
  }

  /** @param {JobRow | null} job */
  draw(job) {
    this.node.classList.toggle("ch-skeleton", job === null);
    if (job === null) return this.clear();
    if (this.job === job) return;
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
    showName(this.tags, job.tags.map((tag) => `#${tag}`).join(" "));
    this.tags.title = this.tags.textContent ?? "";
    showName(this.by, [job.source, job.by].filter(Boolean).join(" · "));
    setText(this.count, filesText(job));
    setText(this.failed, job.failed ? `${number(job.failed)} failed` : "");
    setText(this.size, [job.lines && plural(job.lines, job.unit), job.raw && bytes(job.raw), job.skipped && `${number(job.skipped)} skipped`].filter(Boolean).join(" · "));
    this.size.title = this.size.textContent ?? "";
    const stamp = job.started ?? job.created;
    setText(this.begun, when(stamp));
    this.begun.title = stamp && `${when(stamp)} ${zone(stamp)}`;
    setText(this.took, job.seconds === null ? "" : duration(job.seconds));
  }
}

/** "3 of 10" while it runs, "7 files" later: those that failed and were skipped are among them. @param {JobRow} job */
export function filesText(job) {
  if (job.status === "running" && job.listed) return `${number(job.done ?? 0)} of ${number(job.listed)}`;
  return job.listed === null || job.done === null ? "" : plural(job.done, "file");
}
