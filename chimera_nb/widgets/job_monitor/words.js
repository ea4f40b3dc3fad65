// What JobMonitor says of a job's numbers.

import { bytes, duration, number, plural } from "../base/text.js";

/** @import { Job } from "./messages.js" */

/** @type {Record<string, string>} */
const RUNS = { direct: "on this machine", dataflow: "on Dataflow" };

/** Where a job runs. @param {string} runner */
export const runsText = (runner) => RUNS[runner] ?? runner;

/** Bytes a second. @param {number} value */
export const speed = (value) => `${bytes(Math.round(value))}/s`;

/** How long a job will take from now. @param {Pick<Job, "status" | "final" | "secondsLeft">} job */
export function leftText({ status, final, secondsLeft }) {
  if (status !== "running") return final ? "-" : "waiting to start";
  if (secondsLeft === null) return "not known yet";
  return secondsLeft ? `about ${duration(secondsLeft)}` : "finishing";
}

/** Files that have their record. @param {Pick<Job, "complete" | "failed" | "skipped">} job */
export const filesDone = ({ complete, failed, skipped }) => complete + failed + skipped;

/** What of the selection is not read, a sentence for each reason; none where all of it is. @param {Job} job */
export function leftOutTexts(job) {
  const texts = [];
  if (job.skipped) {
    const why = job.skipped === 1 ? "it holds what another file holds, or no data" : "they hold what other files hold, or no data";
    texts.push(`${plural(job.skipped, "file")} (${bytes(job.skippedBytes)}) skipped: ${why}. The list of files has the ${job.skipped === 1 ? "reason" : "reason for each"}.`);
  }
  if (job.unmatched) {
    const names = job.unmatchedFirst.map((uri) => uri.slice(uri.lastIndexOf("/") + 1)).join(", ");
    const first = names && `: ${names}${job.unmatchedFirst.length < job.unmatched ? ", …" : ""}`;
    texts.push(`${plural(job.unmatched, "file")} (${bytes(job.unmatchedBytes)}) of the selection not read, as the source ${job.source} takes no such names${first}`);
  }
  return texts;
}

/** "3.1 of 12.0 GB": the unit once where both have it. @param {number} value @param {number} whole */
function part(value, whole) {
  const [read, all] = [bytes(value), bytes(whole)];
  const unit = all.slice(all.indexOf(" "));
  return `${read.endsWith(unit) ? read.slice(0, -unit.length) : read} of ${all}`;
}

/** "0.42 · 0.03 USD": what the machines cost beside their hours, where they cost something. @param {Pick<Job, "machineHours" | "cost" | "currency">} job */
export function hoursText({ machineHours, cost, currency }) {
  if (machineHours === null) return "-";
  const hours = machineHours < 0.005 ? "under 0.01" : machineHours < 10 ? machineHours.toFixed(2) : number(Math.round(machineHours));
  return cost === null ? hours : `${hours} · ${cost < 0.005 ? "under 0.01" : cost.toFixed(2)} ${currency}`;
}

/** Each number of a job as text; "-" where it is not known. @param {Job} job */
export function factTexts(job) {
  /** @param {number | null} value @param {(value: number) => string} text */
  const told = (value, text) => (value === null ? "-" : text(value));
  return {
    files: job.listed ? `${number(filesDone(job))} of ${number(job.listed)}` : "-",
    failed: number(job.failed),
    read: told(job.readBytes, (value) => (job.bytesListed && !job.final ? part(value, job.bytesListed) : bytes(value))),
    raw: told(job.rawBytes, bytes),
    lines: told(job.lines, number),
    speed: told(job.speed ?? job.averageSpeed, speed),
    left: leftText(job),
    hours: hoursText(job),
  };
}

/**
 * The seconds that a job has run, from the kernel's number, which may be a little behind what was counted here (`shown`)
 * since the one before; time does not go back.
 * @param {Pick<Job, "seconds" | "final">} job
 * @param {number} shown
 */
export function secondsRun({ seconds, final }, shown) {
  if (seconds === null) return null;
  return final || seconds < shown - 3 ? seconds : Math.max(seconds, shown);
}

/** What the button of a retry says: with how many files it can succeed, as far as that is known. @param {number} can @param {number} total @param {boolean} known */
export function retryText(can, total, known) {
  if (!known) return "Retry failed files";
  if (!can) return "Retry anyway";
  return can === total ? `Retry ${plural(total, "file")}` : `Retry ${number(can)} of ${number(total)}`;
}
