// The files of a job that failed, by cause: what there is, one of each, and all of them as one asks.

import { button, later, make, number, plural, setText, showLines, showName, within } from "../base/text.js";
import { Saving } from "../table/saving.js";
import { fillPlaceholder } from "./placeholder.js";

/** @import { FailedFiles, FailedFilesMessage, Inside, MonitorTraits, SaveFailures } from "./messages.js" */
/** @import { NextChunk, StopSaving } from "../table/requests.js" */
/** @typedef {MonitorTraits["_job"]} MaybeJob */
/** @typedef {MonitorTraits["_failures"]} FailuresState */
/** @typedef {FailedFiles | SaveFailures | Inside | NextChunk | StopSaving} FailureRequest */

const TYPING_MS = 250;
const AHEAD = 200; // pixels before the end at which more files are asked for

/** Why there are no rows. @param {FailuresState} failures @param {MaybeJob} job */
export function whyNone(failures, job) {
  if (failures.state === "loading") return "Reading what became of each file";
  if (!job.final) return job.failed ? "Files have failed; the reasons come with the end of the job." : "No file has failed so far.";
  if (failures.state === "ready" && job.failed) return "The job did not come to write down what became of each file, so there are no reasons for single ones; see the log.";
  return job.status === "complete" ? "No file failed." : "No file is on record as failed.";
}

/** What is listed, of a cause or of all, with a text in it or not. @param {number} matched @param {number} kept @param {number} total @param {string} text */
export function listText(matched, kept, total, text) {
  const of = kept < total ? ` of the first ${number(kept)}; the saved list has all ${number(total)}` : "";
  return text ? `${plural(matched, "file")} with “${text}”${of}` : `${plural(matched, "file")}${of}`;
}

export class FailureList {
  cause = -1; // of which the files are listed; -1 for all
  matched = 0;
  rows = 0;
  waits = false;
  key = ""; // of what is shown
  job = "";
  node = make("div", "ch-failures");
  nothing = make("div", "ch-placeholder");
  body = make("div", "ch-failures-body");
  outlook = make("div", "ch-failures-outlook", "", { role: "status" });
  search = make("input", "ch-input", "", { type: "search", placeholder: "Find a file or a reason", "aria-label": "Find a file that failed", spellcheck: "false", autocomplete: "off" });
  told = make("span", "ch-muted ch-numbers", "", { role: "status" });
  saved = make("span", "ch-muted ch-numbers", "", { role: "status" });
  causes = make("div", "ch-causes", "", { role: "group", "aria-label": "Causes" });
  scroller = make("div", "ch-scrolls", "", { tabindex: "0", role: "region", "aria-label": "Files that failed" });
  list = make("tbody");

  /**
   * @param {string} view
   * @param {() => void} again
   * @param {(request: FailureRequest) => void} ask
   */
  constructor(view, again, ask) {
    this.view = view;
    this.ask = ask;
    this.again = button("", "Try again", again);
    this.saving = new Saving(view, ask, (text, bad = false) => {
      setText(this.saved, text);
      this.saved.classList.toggle("ch-bad", bad);
    });
    this.save = button("", "Save the list", () => ask({ kind: "saveFailures", view, saving: this.saving.begin(), job: this.job }), { title: "All files that failed, with their reasons, as a CSV file" });
    this.soon = later(TYPING_MS, () => this.begin());
    const table = make("table", "ch-table ch-failures-table");
    const head = table.appendChild(make("thead")).appendChild(make("tr"));
    head.append(make("th", "", "File", { scope: "col" }), make("th", "", "Why it failed", { scope: "col" }));
    table.append(this.list);
    this.scroller.append(table);
    const tools = make("div", "ch-table-tools");
    tools.append(this.search, this.told, this.saved, this.save);
    this.body.append(this.outlook, this.causes, tools, this.scroller);
    this.node.append(this.nothing, this.again, this.body);
    this.search.addEventListener("input", () => this.soon());
    this.causes.addEventListener("click", (event) => {
      const chosen = within(event, "button")?.dataset.cause;
      if (chosen !== undefined) this.choose(Number(chosen));
    });
    this.list.addEventListener("click", (event) => {
      const uri = within(event, "button")?.dataset.uri;
      if (uri !== undefined) ask({ kind: "inside", job: this.job, uri });
    });
    this.scroller.addEventListener("scroll", () => this.onScroll(), { passive: true });
  }

  close() {
    this.soon.cancel();
  }

  /** @param {FailuresState} failures @param {MaybeJob} job */
  show(failures, job) {
    this.again.hidden = failures.state !== "failed";
    const some = failures.state === "ready" && failures.total > 0;
    this.body.hidden = !some;
    if (some) this.nothing.hidden = true;
    else fillPlaceholder(this.nothing, failures.state === "ready" ? {} : failures, whyNone(failures, job));
    if (failures.state !== "ready" || !some) {
      this.key = "";
      return;
    }
    this.job = job.id ?? "";
    setText(this.outlook, failures.outlook ? `A retry: ${failures.outlook}.` : "Looking whether a retry can succeed");
    this.outlook.classList.toggle("ch-warn", Boolean(failures.outlook) && failures.can < failures.total);
    const key = JSON.stringify([job.id, failures.total, failures.causes]);
    if (key === this.key) return;
    this.key = key;
    this.search.value = "";
    this.kept = failures.kept;
    this.total = failures.total;
    this.causes.replaceChildren(...failures.causes.map(({ text, files, first }, at) => {
      const one = button("ch-cause", "", () => {}, { "data-cause": at, title: first });
      const example = make("span", "ch-muted ch-mono ch-cause-first");
      showName(example, first.slice(first.lastIndexOf("/") + 1));
      const what = make("span", "ch-cause-text");
      showName(what, text);
      one.append(make("span", "ch-numbers ch-cause-count", number(files)), what, make("span", "ch-muted", "such as"), example);
      return one;
    }));
    this.choose(failures.causes.length > 1 ? -1 : 0, true);
  }

  /** @param {number} cause */
  choose(cause, first = false) {
    this.cause = this.cause === cause && !first ? -1 : cause;
    for (const each of this.causes.querySelectorAll("button")) each.setAttribute("aria-pressed", String(Number(each.dataset.cause) === this.cause));
    this.begin();
  }

  begin() {
    this.soon.cancel();
    this.rows = this.matched = 0;
    this.more();
  }

  more() {
    this.waits = true;
    this.ask({ kind: "failedFiles", view: this.view, job: this.job, cause: this.cause, text: this.search.value, begin: this.rows });
  }

  onScroll() {
    const { scroller } = this;
    if (this.waits || this.rows >= this.matched) return;
    if (scroller.scrollTop + scroller.clientHeight > scroller.scrollHeight - AHEAD) this.more();
  }

  /** @param {FailedFilesMessage} message */
  take({ view, cause, text, begin, rows, matched }) {
    if (view !== this.view || cause !== this.cause || text !== this.search.value || begin !== this.rows) return;
    this.waits = false;
    this.matched = matched;
    if (!begin) {
      this.list.replaceChildren();
      this.scroller.scrollTop = 0;
    }
    this.list.append(...rows.map(([uri, reason]) => {
      const row = make("tr");
      const name = make("button", "ch-file-link ch-mono", "", { type: "button", title: "Look inside", "data-uri": uri });
      showName(name, uri);
      row.appendChild(make("td", "ch-uri")).append(name);
      showLines(row.appendChild(make("td", "ch-reason")), reason);
      return row;
    }));
    this.rows += rows.length;
    setText(this.told, listText(matched, this.kept ?? 0, this.total ?? 0, text.trim()));
  }
}
