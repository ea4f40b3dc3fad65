// What JobHistory says of its list in words.

import { plural, when } from "../base/text.js";

// Rows that come by scrolling alone: with ten thousand, each step of a scroll took half a second. More come by a button.
export const SCROLLED = 1000;

/** @import { RowsMessage } from "./messages.js" */
/** @typedef {Pick<RowsMessage, "complete" | "loading" | "searching" | "backTo">} State */

/** How many jobs are listed, and what is still to come. @param {number} count @param {State} state */
export function statusText(count, { complete, loading, searching, backTo }) {
  const jobs = plural(count, "job");
  if (searching && !complete) {
    const back = backTo ? `, back to ${when(backTo)}` : "";
    return `${jobs} found; ${loading ? "searching" : "searched"}${back}`;
  }
  if (complete) return jobs;
  if (loading) return count ? `${jobs}, loading more` : "Loading";
  if (count >= SCROLLED) return `The newest ${jobs}; search or choose days to find older ones`;
  return count ? `${jobs} so far` : "";
}
