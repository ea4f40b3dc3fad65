// What would run again, and whether it shall.

import { button, make, showName } from "../base/text.js";

/** @import { MonitorTraits } from "./messages.js" */

export class RunAgain {
  job = "";
  asked = false; // by this front end, whose keyboard goes to the answer
  node = make("section", "ch-again", "", { "aria-label": "Run again" });
  list = make("dl", "ch-dialog-list");

  /** @param {(request: { kind: "runAgain" | "leaveAgain", job: string }) => void} ask */
  constructor(ask) {
    this.run = button("ch-primary", "Run it", () => ask({ kind: "runAgain", job: this.job }));
    this.leave = button("", "Leave it", () => ask({ kind: "leaveAgain", job: this.job }));
    const bar = make("div", "ch-labels-bar");
    bar.append(this.leave, this.run);
    this.node.append(make("h3", "ch-again-title", "This will run, as a new job"), this.list, bar);
    this.node.addEventListener("keydown", (event) => event.key === "Escape" && this.leave.click());
    this.node.hidden = true;
  }

  /** @param {MonitorTraits["_again"]} again @param {string} busy what is being done to the job */
  show(again, busy) {
    const isNew = this.node.hidden || again.job !== this.job;
    this.node.hidden = again.job === undefined;
    this.run.disabled = this.leave.disabled = Boolean(busy);
    this.run.textContent = busy === "again" ? "Submitting" : "Run it";
    if (again.job === undefined) return;
    if (isNew) {
      this.job = again.job;
      this.list.replaceChildren();
      for (const [name, text] of again.lines) {
        this.list.append(make("dt", "", name));
        showName(this.list.appendChild(make("dd")), text);
      }
    }
    if (busy || !this.asked) return;
    this.asked = false;
    this.run.focus();
  }
}
