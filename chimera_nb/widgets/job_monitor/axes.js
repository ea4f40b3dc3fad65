// How a plot's axes are written.

import { stepped } from "../base/chart.js";
import { clock, when } from "../base/text.js";

/** @import { Point, Ticks, Written } from "../base/chart.js" */

const STEPS = [1, 5, 15, 60, 300, 900, 3600, 10800, 21600, 43200, 86400, 604800, 2592000, 31536000]; // seconds between two marks
const [DAYS, MINUTES] = [2 * 86400e3, 600e3]; // above so many milliseconds only the day is written, or only the minute
const [EARLIEST, LATEST] = [1e11, 1e13]; // milliseconds since 1970

/** How times in milliseconds are written and marked: as days, or as times of day. @param {Point[]} points */
export function timeAxis(points) {
  const range = points[points.length - 1][0] - points[0][0];
  /** @type {Written} */
  const showX = (at) => (range > DAYS ? when(at).slice(0, 10) : range > MINUTES ? when(at).slice(11) : clock(at));
  /** @type {Ticks} */
  const ticksX = (from, to, wanted) => {
    const steps = STEPS.map((seconds) => seconds * 1000);
    return stepped(from, to, steps.find((size) => (to - from) / size <= wanted) ?? 10 * steps[steps.length - 1]);
  };
  return { showX, ticksX };
}

/** Whether all values are moments, in milliseconds. @param {Point[]} points */
export const areTimes = (points) => points.every(([, y]) => y > EARLIEST && y < LATEST);

/** Whether a value has several points, so that a line through them says nothing. @param {Point[]} points */
export const isCloud = (points) => points.some(([x], at) => at > 0 && x === points[at - 1][0]);
