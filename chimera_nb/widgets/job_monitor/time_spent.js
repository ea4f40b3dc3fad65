// Where a job's time went: what limits, what helps, and the slowest files.

import { bytes, make, showName } from "../base/text.js";
import { fillPlaceholder } from "./placeholder.js";

/** @import { MonitorTraits, TimeSpent } from "./messages.js" */
/** @typedef {MonitorTraits["_time"]} TimeState */

/** Why nothing is told. @param {TimeState} time @param {MonitorTraits["_job"]} job */
export function whyNoTime(time, job) {
  if (time.state === "loading") return "Reading what became of each file";
  return job.final ? "The job read no file, or wrote down nothing of what became of them." : "It is told when the job has ended.";
}

/** The texts of a row: seconds, share of all, size. @param {TimeSpent["rows"][number]} row */
export function timeTexts([, seconds, share, size]) {
  return [`${seconds.toFixed(2)} s`, `${Math.round(share * 100)} %`, bytes(size)];
}

export class TimeSpentPanel {
  node = make("div", "ch-failures ch-time");
  nothing = make("div", "ch-placeholder");
  said = make("dl", "ch-time-said");
  table = make("table", "ch-table");
  scroller = make("div", "ch-scrolls", "", { tabindex: "0", role: "region", "aria-label": "Slowest files" });

  constructor() {
    const head = this.table.appendChild(make("thead")).appendChild(make("tr"));
    for (const name of ["Time", "Share", "Size", "File"]) head.append(make("th", "", name, { scope: "col" }));
    this.body = this.table.appendChild(make("tbody"));
    this.scroller.append(this.said, this.table);
    this.node.append(this.nothing, this.scroller);
  }

  /** @param {TimeState} time @param {MonitorTraits["_job"]} job */
  show(time, job) {
    const { lines, rows } = time.state === "ready" ? time : { lines: [], rows: [] };
    this.scroller.hidden = !rows.length;
    if (rows.length) this.nothing.hidden = true;
    else fillPlaceholder(this.nothing, time.state === "ready" ? {} : time, whyNoTime(time, job));
    this.said.replaceChildren(...lines.flatMap(([name, text]) => [make("dt", "", name), make("dd", "", text)]));
    this.body.replaceChildren(
      ...rows.map((row) => {
        const line = make("tr");
        for (const text of timeTexts(row)) line.append(make("td", "ch-numeric", text));
        showName(line.appendChild(make("td", "ch-mono ch-uri", "", { title: row[0] })), row[0]);
        return line;
      }),
    );
  }
}
