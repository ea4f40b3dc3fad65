// Made of messages.py by `make messages`; a change belongs there.

import type { Absent } from "../base/model.js";
import type { Bye, Hello, Here, RefusedMessage } from "../base/messages.js";

/** Ask again for what failed. */
export interface Retry {
  kind: "retry";
}

/** A field has another value; each front end numbers its edits, so that it knows which one an answer is to. */
export interface Edit {
  kind: "edit";
  field: string;
  value: string | boolean;
  view: string;
  number: number;
}

/** Fill in the selection of a job of before, or the `whole` form. */
export interface Pick {
  kind: "pick";
  job: string;
  whole: boolean;
}

/** Count what is selected, or stop. */
export interface Count {
  kind: "count";
  on: boolean;
}

/** Set up another job beside the one that was launched. */
export interface Another {
  kind: "another";
}

/** Launch the job; a token is good for one. */
export interface Launch {
  kind: "launch";
  token: string;
}

/** An option that the form has a box for: a text, a number, or one to tick; and where it stands. */
export interface Box {
  name: string;
  kind: "text" | "number" | "tick";
  label: string;
  placeholder: string;
  part: "read" | "write" | "run" | "more";
  dataflow: boolean;
}

/** The last edit: of which front end, and its number there; none where the kernel itself filled in the form. */
export type Edited = [view: string, number: number];

/** What stands in the form; `carried` are options of a job of before that have no field. */
export interface FormFields {
  values: Record<string, string | boolean>;
  carried: string[];
  edited: Edited;
}

/** What is said under a field, and whether it is a problem. */
export interface Hint {
  text: string;
  bad: boolean;
}

/** The first of what is selected, of so many. */
export interface Selected {
  inputs: string[];
  total: number;
}

/** A file of the selection that the job will not read, and why. */
export type UnreadFile = [uri: string, why: string];

/** What of the selection will not be read: in a sentence, which is empty where all of it is, and the first files. `every` says whether the job reads every file because that was asked for. */
export interface Unread {
  text: string;
  files: UnreadFile[];
  total: number;
  every: boolean;
}

/** What the job comes to, as `Plan` has it; whether that is being counted, and files are being looked into. */
export interface PlanFigures {
  files: number;
  bytes: number;
  more: boolean;
  rawBytes: number | null;
  minutes: number | null;
  workerHours: number | null;
  assumes: string;
  counting: boolean;
  looking: boolean;
  unread: Unread;
}

/** The job as a notebook cell and as a command, or why there is none. */
export interface Code {
  cell: string;
  command: string;
  says: string;
}

/** The one that launches; `says` is the line beside it, `job` the id of the one that was launched last. `edited` is the last edit that is looked at: a button that knows of fewer than were made is not to be pressed. */
export interface LaunchButton {
  state: "problem" | "checking" | "ready" | "launching" | "launched";
  label: string;
  says: string;
  alive: boolean;
  token: string;
  job: string;
  edited: Edited;
}

/** One of a list to choose from. */
export type Choice = [value: string, label: string];

/** What there is to choose from: `views` by source, and `settings` for fields that are left open. */
export interface Choices {
  sources: Choice[];
  views: Record<string, Choice[]>;
  formats: string[];
  buckets: string[];
  configurations: Choice[];
  selections: Choice[];
  settings: Record<string, string>;
}

/** The traits that the page has. */
export interface FormTraits {
  _boxes: Box[];
  _fields: FormFields;
  _hints: Record<string, Hint>;
  _selected: Selected;
  _plan: PlanFigures | Absent<PlanFigures>;
  _code: Code;
  _go: LaunchButton;
  _choices: Choices | Absent<Choices>;
}

export type FormRequest = Hello | Here | Bye | Retry | Edit | Pick | Count | Another | Launch;

export type FormMessage = RefusedMessage;
