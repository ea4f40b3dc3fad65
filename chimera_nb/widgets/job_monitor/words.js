// What JobMonitor says of a job's numbers.

import { bytes, duration, number } from "../base/text.js";

/** @import { Job } from "./messages.js" */

/** Bytes a second. @param {number} value */
export const speed = (value) => `${bytes(Math.round(value))}/s`;

/** How long a job will take from now. @param {Pick<Job, "status" | "final" | "secondsLeft">} job */
export function leftText({ status, final, secondsLeft }) {
  if (status !== "running") return final ? "-" : "waiting to start";
  if (secondsLeft === null) return "not known yet";
  return secondsLeft ? `about ${duration(secondsLeft)}` : "finishing";
}

/** Each number of a job as text; "-" where it is not known. @param {Job} job */
export function factTexts(job) {
  /** @param {number | null} value @param {(value: number) => string} text */
  const told = (value, text) => (value === null ? "-" : text(value));
  return {
    files: job.listed ? `${number(job.complete + job.failed)} of ${number(job.listed)}` : "-",
    failed: number(job.failed),
    read: told(job.readBytes, bytes),
    raw: told(job.rawBytes, bytes),
    lines: told(job.lines, number),
    speed: told(job.speed ?? job.averageSpeed, speed),
    left: leftText(job),
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
