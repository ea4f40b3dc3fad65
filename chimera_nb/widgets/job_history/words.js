// What JobHistory says of its list in words.

import { number, plural, when } from "../base/text.js";

/** @import { RowsMessage } from "./messages.js" */
/** @typedef {Pick<RowsMessage, "complete" | "loading" | "looked" | "searching" | "backTo">} State */

/** How many jobs are listed, and what is still to come. @param {number} count @param {State} state */
export function statusText(count, { complete, loading, looked, searching, backTo }) {
  const jobs = plural(count, "job");
  if (searching && !complete) {
    const back = backTo ? `, back to ${when(backTo)}` : "";
    return `${jobs} found; ${loading ? "searching" : "searched"} ${number(looked)}${back}`;
  }
  if (complete) return jobs;
  if (loading) return count ? `${jobs}, loading more` : "Loading";
  return count ? `${jobs} so far` : "";
}
