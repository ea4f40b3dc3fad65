// Made of messages.py by `make messages`; a change belongs there.

import type { Absent } from "../base/model.js";

/** A front end has opened, perhaps one among several, and is sent everything. `view` is its own id. */
export interface Hello {
  kind: "hello";
  view: string;
}

/** The front end is on screen still. */
export interface Here {
  kind: "here";
  view: string;
}

/** The front end is closed. */
export interface Bye {
  kind: "bye";
  view: string;
}

/** End the job that was on screen then. */
export interface Cancel {
  kind: "cancel";
  job: string;
}

/** Submit a job over just the files that failed. */
export interface Retry {
  kind: "retry";
  job: string;
}

/** Submit the job again. */
export interface Clone {
  kind: "clone";
  job: string;
}

/** Send the first rows, as a file, to the front end that asks. */
export interface Save {
  kind: "save";
  job: string;
  view: string;
}

/** Try again what failed. */
export interface Anew {
  kind: "anew";
}

/** A picture of the rows of that name, or of the first one, for the front end that asks; sizes in CSS pixels. */
export interface Draw {
  kind: "draw";
  job: string;
  view: string;
  name: string;
  width: number;
  height: number;
  ratio: number;
  dark: boolean;
}

/** The answer to a request that does not fit. */
export interface RefusedMessage {
  kind: "refused";
  request: string;
  code: "unknown-kind" | "missing" | "wrong-type";
  field: string;
  reason: string;
}

/** One line; `time` is RFC 3339, or "" where the line has none. */
export type LogLine = [time: string, level: "info" | "warning" | "error", text: string];

/** What changes in the log: lines that go from its front, lines at its end; `begin` sends all of it anew. */
export interface LogMessage {
  kind: "log";
  begin: boolean;
  drop: number;
  lines: LogLine[];
  leftOut: number;
}

/** A file to save, for one front end. */
export interface CsvMessage {
  kind: "csv";
  view: string;
  name: string;
  text: string;
}

/** A picture (PNG, in base64; "" where there is none), what it is of, what else there is, and what to say of it. */
export interface PictureMessage {
  kind: "picture";
  job: string;
  view: string;
  name: string;
  names: string[];
  png: string;
  told: string;
}

/** A stage and where it stands. */
export type StageState = [name: string, state: string];

/** The job on screen. Numbers are numbers, and None for what is not known; sizes in bytes, times in seconds. */
export interface Job {
  id: string;
  status: string;
  final: boolean;
  word: string;
  error: string | null;
  source: string;
  runner: string;
  createdAt: string;
  createdBy: string | null;
  finishedAt: string | null;
  inputs: string[];
  inputsTotal: number;
  target: string;
  dataflowUrl: string | null;
  stages: StageState[];
  listed: number;
  complete: number;
  failed: number;
  skipped: number;
  skippedBytes: number;
  unmatched: number;
  unmatchedBytes: number;
  unmatchedFirst: string[];
  fraction: number | null;
  readBytes: number | null;
  rawBytes: number | null;
  lines: number | null;
  outputBytes: number | null;
  workers: number | null;
  seconds: number | null;
  speed: number | null;
  averageSpeed: number | null;
  secondsLeft: number | null;
}

/** A point of a plot. */
export type Point = [x: number, y: number];

/** A file that failed, and why. */
export type Failure = [uri: string, reason: string];

/** The first files that failed, of so many. */
export interface Failures {
  rows: Failure[];
  total: number;
  state: "ready";
}

/** It is being read. */
export interface Loading {
  state: "loading";
}

/** It could not be read. */
export interface Failed {
  error: string;
  state: "failed";
}

/** A file of the output; size None when it is gone, link None where no browser can fetch it. */
export interface ShownShard {
  name: string;
  size: number | null;
  link: string | null;
}

/** A column; whether all of its values are numbers. */
export interface Column {
  name: string;
  numeric: boolean;
}

/** What x is; whether it is a time in milliseconds. */
export interface Axis {
  name: string;
  time: boolean;
}

/** One line of a plot. */
export interface Series {
  name: string;
  points: Point[];
}

/** What there is to plot, the series that tells the most first. */
export interface Plot {
  x: Axis;
  series: Series[];
}

/** What a job left at its target. Of shards, columns and rows the first ones are listed. */
export interface Result {
  path: string;
  shards: ShownShard[];
  shardsTotal: number;
  bytes: number;
  missing: number;
  columns: Column[];
  columnsTotal: number;
  rows: string[][];
  rowsRead: number;
  plot: Plot;
  picture: string;
  state: "ready";
}

/** A file, its seconds, their share of those of all files (0 to 1), and its stored bytes. */
export type SlowFileRow = [uri: string, seconds: number, share: number, size: number];

/** Where a job's time went: lines of a name and a text, and the slowest files; nothing where no file was read. */
export interface TimeSpent {
  lines: ([string, string])[];
  rows: SlowFileRow[];
  state: "ready";
}

/** The traits that the page has. */
export interface MonitorTraits {
  job_id: string;
  status: string;
  _job: Job | Absent<Job>;
  _points: Point[];
  _failures: Failures | Loading | Failed | Absent<Failures>;
  _result: Result | Loading | Failed | Absent<Result>;
  _time: TimeSpent | Loading | Failed | Absent<TimeSpent>;
  _busy: "" | "cancel" | "retry" | "clone" | "save";
}

export type MonitorRequest = Hello | Here | Bye | Cancel | Retry | Clone | Save | Anew | Draw;

export type MonitorMessage = RefusedMessage | LogMessage | CsvMessage | PictureMessage;
