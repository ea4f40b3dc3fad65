// Made of messages.py by `make messages`; a change belongs there.

/** The traits that the page has. */
export interface StepsTraits {
  page: "new" | "jobs";
  job_id: string;
}
