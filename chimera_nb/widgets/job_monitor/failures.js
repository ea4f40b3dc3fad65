// The files of a job that failed, and why.

import { button, make, number, plural, showLines, showName } from "../base/text.js";
import { fillPlaceholder } from "./placeholder.js";

/** @import { MonitorTraits } from "./messages.js" */
/** @typedef {MonitorTraits["_job"]} MaybeJob */
/** @typedef {MonitorTraits["_failures"]} FailuresState */

/** Why there are no rows. @param {FailuresState} failures @param {MaybeJob} job */
export function whyNone(failures, job) {
  if (failures.state === "loading") return "Reading the ledger";
  if (!job.final) return job.failed ? "Files have failed; the reasons come with the end of the job." : "No file has failed so far.";
  if (failures.state === "ready" && failures.total) return "The job did not get to write its ledger, so there are no reasons for single files; see the log.";
  return job.status === "complete" ? "No file failed." : "No file is on record as failed.";
}

export class FailureList {
  node = make("div", "ch-failures");
  nothing = make("div", "ch-placeholder");
  told = make("div", "ch-muted ch-told", "", { role: "status" });
  table = make("table", "ch-table ch-failures-table");
  scroller = make("div", "ch-scrolls", "", { tabindex: "0", role: "region", "aria-label": "Files that failed" });

  /** @param {() => void} again */
  constructor(again) {
    this.again = button("", "Try again", again);
    const head = this.table.appendChild(make("thead")).appendChild(make("tr"));
    head.append(make("th", "", "File", { scope: "col" }), make("th", "", "Why it failed", { scope: "col" }));
    this.body = this.table.appendChild(make("tbody"));
    this.scroller.append(this.table);
    this.node.append(this.nothing, this.again, this.told, this.scroller);
  }

  /** @param {FailuresState} failures @param {MaybeJob} job */
  show(failures, job) {
    const { rows, total } = failures.state === "ready" ? failures : { rows: [], total: 0 };
    this.again.hidden = failures.state !== "failed";
    this.told.hidden = this.scroller.hidden = !rows.length;
    if (rows.length) this.nothing.hidden = true;
    else fillPlaceholder(this.nothing, failures.state === "ready" ? {} : failures, whyNone(failures, job));
    const more = total > rows.length ? `The first ${number(rows.length)} of ${plural(total, "file")} that failed` : `${plural(total, "file")} failed`;
    this.told.textContent = rows.length ? `${more}; the ledger has all of them.` : "";
    this.body.replaceChildren(
      ...rows.map(([uri, reason]) => {
        const row = make("tr");
        showName(row.appendChild(make("td", "ch-mono ch-uri", "", { title: uri })), uri);
        showLines(row.appendChild(make("td", "ch-reason")), reason);
        return row;
      }),
    );
  }
}
