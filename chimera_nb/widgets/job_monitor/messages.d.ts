// Made of messages.py by `make messages`; a change belongs there.

import type { Absent } from "../base/model.js";
import type { Bye, Hello, Here, RefusedMessage } from "../base/messages.js";
import type { ChunkMessage, Look, MoreRows, NextChunk, SaveTable, SavingMessage, StopLook, StopSaving, TableMessage } from "../table/requests.js";

/** End the job that was on screen then. */
export interface Cancel {
  kind: "cancel";
  job: string;
}

/** Submit a job over the files that failed: all, or those of them that can succeed now, if there are any. */
export interface Retry {
  kind: "retry";
  job: string;
  all: boolean;
}

/** Show what would run, were the job to run again. */
export interface Clone {
  kind: "clone";
  job: string;
}

/** Submit what was shown to run again. */
export interface RunAgain {
  kind: "runAgain";
  job: string;
}

/** Submit nothing. */
export interface LeaveAgain {
  kind: "leaveAgain";
  job: string;
}

/** Name a job, note something of it, tag it. */
export interface Describe {
  kind: "describe";
  job: string;
  name: string;
  note: string;
  tags: string[];
}

/** Files that failed, of the cause with that index (-1 for all) and with this text in them, from `begin` on. */
export interface FailedFiles {
  kind: "failedFiles";
  view: string;
  job: string;
  cause: number;
  text: string;
  begin: number;
}

/** All files that failed, with their reasons, as a list for a spreadsheet. */
export interface SaveFailures {
  kind: "saveFailures";
  view: string;
  saving: number;
  job: string;
}

/** Look inside a file that failed. */
export interface Inside {
  kind: "inside";
  job: string;
  uri: string;
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

/** A file that failed, and why. */
export type Failure = [uri: string, reason: string];

/** The answer to a question of that kind: so many match, and these are the ones from `begin` on. */
export interface FailedFilesMessage {
  kind: "failedFiles";
  view: string;
  cause: number;
  text: string;
  begin: number;
  rows: Failure[];
  matched: number;
}

/** A stage and where it stands. */
export type StageState = [name: string, state: string];

/** The job on screen. Numbers are numbers, and None for what is not known; sizes in bytes, times in seconds. */
export interface Job {
  id: string;
  status: string;
  final: boolean;
  shade: string;
  word: string;
  name: string;
  note: string;
  tags: string[];
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
  bytesListed: number | null;
  lines: number | null;
  unit: string;
  outputBytes: number | null;
  workers: number | null;
  machineHours: number | null;
  cost: number | null;
  currency: string;
  seconds: number | null;
  speed: number | null;
  averageSpeed: number | null;
  secondsLeft: number | null;
}

/** A point of a plot. */
export type Point = [x: number, y: number];

/** One way to fail: in words, how many files did, and one of them. */
export interface Cause {
  text: string;
  files: number;
  first: string;
}

/** The files that failed by cause; `kept` is how many can be asked for. can, outlook how many a retry can succeed with, and what it would come to in words ("" until it is known) */
export interface Failures {
  causes: Cause[];
  total: number;
  kept: number;
  can: number;
  outlook: string;
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

/** What a job left at its target. Of shards the first ones are listed. */
export interface Result {
  path: string;
  shards: ShownShard[];
  shardsTotal: number;
  bytes: number;
  missing: number;
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

/** The job that would run: lines of a name and a text. */
export interface Again {
  job: string;
  lines: ([string, string])[];
}

/** The traits that the page has. */
export interface MonitorTraits {
  job_id: string;
  status: string;
  _job: Job | Absent<Job>;
  _points: Point[];
  _failures: Failures | Loading | Failed | Absent<Failures>;
  _result: Result | Loading | Failed | Absent<Result>;
  _inside: string;
  _time: TimeSpent | Loading | Failed | Absent<TimeSpent>;
  _again: Again | Absent<Again>;
  _busy: "" | "cancel" | "retry" | "clone" | "again" | "describe";
}

export type MonitorRequest = Hello | Here | Bye | Look | MoreRows | NextChunk | SaveTable | StopLook | StopSaving | Cancel | Retry | Clone | RunAgain | LeaveAgain | Describe | FailedFiles | SaveFailures | Inside | Anew | Draw;

export type MonitorMessage = RefusedMessage | ChunkMessage | SavingMessage | TableMessage | LogMessage | PictureMessage | FailedFilesMessage;
