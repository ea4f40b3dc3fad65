// What JobHistory says of its list in words.

import { plural, when } from "../base/text.js";

/** @import { RowsMessage } from "./messages.js" */
/** @typedef {Pick<RowsMessage, "complete" | "loading" | "searching" | "backTo" | "total">} State */

/** How many jobs are listed, and what is still to come. @param {number} count @param {State} state */
export function statusText(count, { complete, loading, searching, backTo, total }) {
  const jobs = plural(count, "job");
  if (complete) return jobs;
  if (searching && total === null) {
    const back = backTo ? `, back to ${when(backTo)}` : "";
    return `${jobs} found; ${loading ? "searching" : "searched"}${back}`;
  }
  if (total !== null) return jobs;
  if (loading) return count ? `${jobs}, loading more` : "Loading";
  return count ? `${jobs} so far` : "";
}
