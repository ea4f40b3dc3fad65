// What of the page's address is the dashboard's: `?job=ID` is that job, `?jobs` the list.

import { searchOf } from "../base/address.js";

/** The page and the job of an address. @param {string} search */
export function readAddress(search) {
  const asked = new URLSearchParams(search);
  const jobId = asked.get("job") ?? "";
  return { page: /** @type {"jobs" | "new"} */ (jobId || asked.has("jobs") ? "jobs" : "new"), jobId };
}

/** What of the address says so. @param {string} page @param {string} jobId @returns {[string, string][]} */
export function queryOf(page, jobId) {
  return jobId ? [["job", jobId]] : page === "jobs" ? [["jobs", ""]] : [];
}

/**
 * The address that says so, and all else that it has, such as a token.
 * @param {{ pathname: string, search: string }} location
 * @param {[string, string][]} query
 */
export function addressWith({ pathname, search }, query) {
  const rest = [...new URLSearchParams(search)].filter(([name]) => name !== "job" && name !== "jobs");
  return `${pathname}${searchOf([...query, ...rest])}`;
}
