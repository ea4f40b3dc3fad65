// The figures of a plan, as a person reads them.

import { bytes, number } from "../base/text.js";

/** @import { PlanFigures } from "./messages.js" */

/** @param {string} text @param {boolean} more whether there is more than was counted */
const about = (text, more) => `${more ? "over" : "about"} ${text}`;

/** @param {number} value @param {boolean} more */
export function minutes(value, more = false) {
  if (value < 1) return "under a minute";
  if (value < 90) return about(`${Math.round(value)} min`, more);
  if (value < 48 * 60) return about(`${(value / 60).toFixed(1)} h`, more);
  return about(`${(value / 1440).toFixed(1)} days`, more);
}

/** @param {number} value @param {boolean} more */
export function hours(value, more = false) {
  if (value < 0.1) return "under 0.1";
  return about(value < 10 ? value.toFixed(1) : number(Math.round(value)), more);
}

/**
 * The texts of a plan's five figures: files, stored bytes, raw bytes, time, worker-hours; a plan is empty where there is none.
 * @param {Partial<PlanFigures>} plan
 */
export function figures({ files, bytes: size = 0, rawBytes: raw, minutes: time, workerHours: work, more = false, counting }) {
  if (files === undefined) return ["–", "–", "–", "–", "–"];
  const least = more ? "over " : "";
  /** @param {number | null | undefined} value @param {(value: number, more: boolean) => string} text */
  const told = (value, text) => (value !== null && value !== undefined ? text(value, more) : counting ? "…" : "unknown");
  return [least + number(files), least + bytes(size), told(raw, (value) => about(bytes(value), more)), told(time, minutes), told(work, hours)];
}
