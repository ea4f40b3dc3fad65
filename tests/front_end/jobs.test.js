// A plan's figures, the jobs of the list, and the numbers of one that runs.

import assert from "node:assert/strict";
import { test } from "node:test";

import { figures, hours, minutes } from "../../chimera_nb/widgets/job_form/figures.js";
import { midnight } from "../../chimera_nb/widgets/job_history/filters.js";
import { filesText } from "../../chimera_nb/widgets/job_history/row.js";
import { statusText } from "../../chimera_nb/widgets/job_history/words.js";
import { listText, whyNone as whyNoFailures } from "../../chimera_nb/widgets/job_monitor/failures.js";
import { asText, linesOf } from "../../chimera_nb/widgets/job_monitor/log.js";
import { timeTexts, whyNoTime } from "../../chimera_nb/widgets/job_monitor/time_spent.js";
import { choose, nextText } from "../../chimera_nb/widgets/job_history/compare.js";
import { factTexts, hoursText, leftOutTexts, leftText, retryText, secondsRun } from "../../chimera_nb/widgets/job_monitor/words.js";

/** @import { Job } from "../../chimera_nb/widgets/job_monitor/messages.js" */
/** @import { JobRow } from "../../chimera_nb/widgets/job_history/messages.js" */

const PLAN = { files: 1200, bytes: 5e9, more: false, rawBytes: 48e9, minutes: 12.4, workerHours: 3.25, assumes: "", counting: false, looking: false };
const JOB = /** @type {Job} */ ({
  id: "j", status: "running", final: false, listed: 10, complete: 3, failed: 1, skipped: 0, skippedBytes: 0, unmatched: 0, unmatchedBytes: 0, unmatchedFirst: /** @type {string[]} */ ([]), readBytes: 100, rawBytes: 2000, lines: 7, speed: 1500, averageSpeed: 900, secondsLeft: 65, seconds: 12, fraction: 0.4, machineHours: 0.042, cost: null, currency: "",
});
const ROW = /** @type {JobRow} */ ({ id: "j", status: "running", listed: 10, done: 4, failed: 1 });

test("a plan is told in figures, what is guessed as such", () => {
  assert.deepEqual(figures(PLAN), ["1,200", "5.0 GB", "about 48.0 GB", "about 12 min", "about 3.3"]);
  assert.deepEqual(figures({ ...PLAN, more: true }), ["over 1,200", "over 5.0 GB", "over 48.0 GB", "over 12 min", "over 3.3"]);
  assert.deepEqual(figures({ ...PLAN, rawBytes: null, minutes: null, workerHours: null }).slice(2), ["unknown", "unknown", "unknown"]);
  assert.deepEqual(figures({ ...PLAN, rawBytes: null, counting: true })[2], "…");
  assert.deepEqual(figures({}), ["–", "–", "–", "–", "–"]);
});

test("times and worker-hours have the unit that fits", () => {
  assert.deepEqual([0.5, 1, 89, 90, 2879, 2880].map((value) => minutes(value)), ["under a minute", "about 1 min", "about 89 min", "about 1.5 h", "about 48.0 h", "about 2.0 days"]);
  assert.deepEqual([0.05, 0.5, 12.6, 1234].map((value) => hours(value)), ["under 0.1", "about 0.5", "about 13", "about 1,234"]);
});

test("a slow file has its time, its share and its size", () => {
  assert.deepEqual(timeTexts(["gs://b/x", 1.234, 0.456, 1500]), ["1.23 s", "46 %", "1.5 kB"]);
  assert.match(whyNoTime({}, { ...JOB, final: false }), /when the job has ended/);
  assert.match(whyNoTime({ state: "ready", lines: [], rows: [] }, { ...JOB, final: true }), /wrote down nothing/);
});

test("a day begins at midnight here, and the last one ends with the next", () => {
  assert.equal(midnight("2024-02-29"), "2024-02-29T00:00:00.000Z");
  assert.equal(midnight("2024-02-29", 1), "2024-03-01T00:00:00.000Z");
  assert.deepEqual([midnight(""), midnight("0002-01-01")], ["", ""]);
});

test("a job's bar is of the files that ended, well or not", () => {
  assert.deepEqual([filesText(ROW), filesText({ ...ROW, status: "complete" }), filesText({ ...ROW, status: "complete", done: null })], ["4 of 10", "4 files", ""]);
});

test("the list says what is still to come, and how far a search got", () => {
  const state = { complete: false, loading: false, searching: false, backTo: null, total: null };
  assert.deepEqual([statusText(0, { ...state, loading: true }), statusText(2, { ...state, loading: true }), statusText(2, state), statusText(0, state)], ["Loading", "2 jobs, loading more", "2 jobs so far", ""]);
  assert.deepEqual([statusText(1000, { ...state, total: 1000 }), statusText(1, { ...state, complete: true })], ["1,000 jobs", "1 job"]);
  assert.equal(statusText(1, { ...state, searching: true, backTo: "2024-01-19T07:05:00Z" }), "1 job found; searched, back to 2024-01-19 07:05");
});

test("numbers of a job that are not known are dashes", () => {
  assert.deepEqual([3.1e9, 5e6, 0].map((readBytes) => factTexts({ ...JOB, readBytes, bytesListed: 12e9 }).read), ["3.1 of 12.0 GB", "5.0 MB of 12.0 GB", "0 B of 12.0 GB"]);
  assert.deepEqual(factTexts(JOB), { files: "4 of 10", failed: "1", read: "100 B", raw: "2.0 kB", lines: "7", speed: "1.5 kB/s", left: "about 1 min 5 s", hours: "0.04" });
  assert.deepEqual([hoursText({ ...JOB, cost: 1.5, currency: "EUR" }), hoursText({ ...JOB, machineHours: 0.001, cost: 0.001, currency: "EUR" }), hoursText({ ...JOB, machineHours: 1234.4 })], ["0.04 · 1.50 EUR", "under 0.01 · under 0.01 EUR", "1,234"]);
  const early = { ...JOB, listed: 0, complete: 0, failed: 0, readBytes: null, rawBytes: null, lines: null, speed: null, averageSpeed: null, secondsLeft: null, machineHours: null };
  assert.deepEqual(Object.values(factTexts(early)), ["-", "0", "-", "-", "-", "-", "not known yet", "-"]);
  assert.equal(factTexts({ ...JOB, speed: null }).speed, "900 B/s");
});

test("what a job does not read of its selection is told, with the first names", () => {
  assert.deepEqual(leftOutTexts(JOB), []);
  const [skipped, unmatched] = leftOutTexts({ ...JOB, source: "betfair", skipped: 1, skippedBytes: 100, unmatched: 3, unmatchedBytes: 7_100_000, unmatchedFirst: ["gs://b/in/a.txt", "gs://b/in/b.txt"] });
  assert.equal(skipped, "1 file (100 B) skipped: it holds what another file holds, or no data. The list of files has the reason.");
  assert.equal(unmatched, "3 files (7.1 MB) of the selection not read, as the source betfair takes no such names: a.txt, b.txt, …");
  assert.equal(factTexts({ ...JOB, skipped: 2 }).files, "6 of 10");
});

test("how long it takes from now depends on where it stands", () => {
  const running = { status: "running", final: false, secondsLeft: 0 };
  assert.deepEqual([leftText(running), leftText({ ...running, status: "pending" }), leftText({ ...running, status: "complete", final: true })], ["finishing", "waiting to start", "-"]);
});

test("the time that a job has run does not go back for a number that is a little behind", () => {
  const running = { final: false };
  assert.deepEqual([secondsRun({ ...running, seconds: 10 }, 11.5), secondsRun({ ...running, seconds: 12 }, 11.5), secondsRun({ ...running, seconds: 5 }, 11.5)], [11.5, 12, 5]);
  assert.deepEqual([secondsRun({ final: true, seconds: 10 }, 11.5), secondsRun({ ...running, seconds: null }, 3)], [10, null]);
});

test("a level of the log has what is worse as well, and its text can be copied", () => {
  const lines = ["info", "warning", "error"].map((level) => ({ time: "T", level, text: level }));
  assert.deepEqual(["all", "warning", "error"].map((level) => linesOf(lines, level).length), [3, 2, 1]);
  assert.equal(asText(lines), "T info\nT WARNING: warning\nT ERROR: error\n");
});

test("why there are no failures to show", () => {
  assert.match(whyNoFailures({ state: "loading" }, JOB), /Reading/);
  assert.match(whyNoFailures({}, JOB), /Files have failed/);
  const none = /** @type {import("../../chimera_nb/widgets/job_monitor/messages.js").Failures} */ ({ state: "ready", causes: [], total: 0, kept: 0, can: 0, outlook: "" });
  assert.match(whyNoFailures(none, { ...JOB, final: true }), /did not come to write down what became of each file/);
  assert.equal(whyNoFailures(none, { ...JOB, final: true, failed: 0, status: "complete" }), "No file failed.");
  assert.deepEqual([listText(1, 9, 9, ""), listText(2, 100, 3000, "x")], ["1 file", "2 files with “x” of the first 100; the saved list has all 3,000"]);
  assert.deepEqual([[0, 6, false], [0, 6, true], [6, 6, true], [1, 6, true]].map((one) => retryText(.../** @type {[number, number, boolean]} */ (one))), ["Retry failed files", "Retry anyway", "Retry 6 files", "Retry 1 of 6"]);
});

test("of the jobs that are compared the last two stay, and a click more takes one out", () => {
  assert.deepEqual(["a", "b"].reduce(choose, /** @type {string[]} */ ([])), ["a", "b"]);
  assert.deepEqual([choose(["a"], "a"), choose(["a", "b"], "c")], [[], ["b", "c"]]);
  assert.deepEqual([nextText([]), nextText(["a"])], ["Choose two jobs to compare", "Choose the job to compare it with"]);
});
