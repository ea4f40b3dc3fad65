// Made of messages.py by `make messages`; a change belongs there.

import type { Bye, Hello, Here, RefusedMessage } from "../base/messages.js";

/** Which jobs to show; "" leaves a bound open. Times are RFC 3339. */
export interface FilterRequest {
  kind: "filter";
  statuses?: string[];
  text?: string;
  since?: string;
  until?: string;
  mine?: boolean;
}

/** Load another page, or so many rows (`to`) and a page beyond; a search goes on. */
export interface More {
  kind: "more";
  generation: number;
  to?: number;
}

/** Let a search wait. */
export interface Stop {
  kind: "stop";
}

/** Ask again for what failed. */
export interface Retry {
  kind: "retry";
}

/** Open a job of the list. */
export interface Open {
  kind: "open";
  id: string;
}

/** Two jobs of the list side by side, for the front end that asks. */
export interface Compare {
  kind: "compare";
  one: string;
  other: string;
  view: string;
}

/** Something of both jobs, in words, and whether they differ in it. */
export type ComparedLine = [name: string, one: string, other: string, differs: boolean];

/** Two jobs side by side, for one front end; `error` says why they are not. */
export interface ComparedMessage {
  kind: "compared";
  view: string;
  one: string;
  other: string;
  lines: ComparedLine[];
  error: string;
}

/** A job as the list shows it: what is small of its record. Numbers are None where they are not known. The status of a record that cannot be read is "unreadable", and its error says why. */
export interface JobRow {
  id: string;
  status: string;
  shade: string;
  word: string;
  created: string;
  error: string;
  source: string;
  runner: string;
  reads: string;
  others: number;
  target: string;
  by: string;
  started: string | null;
  finished: string | null;
  updated: string;
  seconds: number | null;
  name: string;
  tags: string[];
  listed: number | null;
  done: number | null;
  failed: number | null;
  skipped: number | null;
  fraction: number | null;
  lines: number | null;
  unit: string;
  raw: number | null;
}

/** Rows that are new or changed, and ids of those that are gone; `whole` means that there are no others. parts more rows of the same news follow in the next message total how many jobs the log has that pass the filter, where it could be counted looked how many pages of jobs were looked at, back to the moment `back_to` paused a search waits for a word */
export interface RowsMessage {
  kind: "rows";
  generation: number;
  whole: boolean;
  parts: boolean;
  rows: JobRow[];
  gone: string[];
  total: number | null;
  complete: boolean;
  loading: boolean;
  failed: boolean;
  paused: boolean;
  looked: number;
  backTo: string | null;
  filtered: boolean;
  searching: boolean;
}

/** The traits that the page has. */
export interface HistoryTraits {
  job_id: string;
  height: number;
}

export type HistoryRequest = Hello | Here | Bye | FilterRequest | More | Stop | Retry | Open | Compare;

export type HistoryMessage = RefusedMessage | ComparedMessage | RowsMessage;
