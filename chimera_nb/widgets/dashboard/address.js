// What of the page's address is the dashboard's: `?job=ID` is that job, `?jobs` the list.

/** The page and the job of an address. @param {string} search */
export function readAddress(search) {
  const asked = new URLSearchParams(search);
  const jobId = asked.get("job") ?? "";
  return { page: /** @type {"jobs" | "new"} */ (jobId || asked.has("jobs") ? "jobs" : "new"), jobId };
}

/** What of the address says so. @param {string} page @param {string} jobId */
export function queryOf(page, jobId) {
  return jobId ? `?job=${encodeURIComponent(jobId)}` : page === "jobs" ? "?jobs" : "";
}

/** The address that says so, and all else that it has, such as a token. @param {{ pathname: string, search: string }} location @param {string} query */
export function addressWith({ pathname, search }, query) {
  const asked = new URLSearchParams(search);
  asked.delete("job");
  asked.delete("jobs");
  const rest = asked.toString();
  return `${pathname}${query}${rest ? (query ? "&" : "?") + rest : ""}`;
}
