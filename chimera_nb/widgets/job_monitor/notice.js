// A notice of the browser when the job on screen ends, for whoever has asked for one; also while another page is in front.

import { button } from "../base/text.js";

/** @import { Job } from "./messages.js" */

export class EndNotice {
  job = ""; // of which the end is to be told
  was = ""; // the job that was seen running
  node = button("ch-notice", "Tell me when it ends", () => this.ask(), { "aria-pressed": "false", title: "A notice of the browser, also while another page is in front; this page has to stay open" });

  /** @param {Pick<Job, "id" | "final" | "word" | "name"> | null} job */
  show(job) {
    const running = Boolean(job && !job.final);
    // Browsers know notices on safe pages alone: of https, or of this machine.
    this.node.hidden = !running || typeof Notification === "undefined";
    if (job && running) this.was = job.id;
    this.node.setAttribute("aria-pressed", String(this.job !== "" && this.job === this.was));
    if (job?.final && this.job === job.id) {
      this.job = "";
      if (Notification.permission === "granted") new Notification(`${job.name || job.id}: ${job.word}`, { tag: job.id });
    }
  }

  async ask() {
    if (this.job) this.job = "";
    else if ((await Notification.requestPermission()) === "granted") this.job = this.was;
    else this.node.textContent = "The browser shows no notices here";
    this.node.setAttribute("aria-pressed", String(this.job !== ""));
  }
}
