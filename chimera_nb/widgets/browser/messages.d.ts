// Made of messages.py by `make messages`; a change belongs there.

import type { Absent } from "../base/model.js";
import type { Bye, Hello, Here, RefusedMessage } from "../base/messages.js";

/** Show a folder, or what a text that was typed means. */
export interface Go {
  kind: "go";
  text: string;
}

/** Show what an address says; the selection stays where `selected` is null. */
export interface Restore {
  kind: "restore";
  folder: string;
  filter: string;
  file: string;
  selected: string[] | null;
}

/** Narrow the rows to those that hold a text. */
export interface Filter {
  kind: "filter";
  text: string;
}

/** Load the next page. */
export interface More {
  kind: "more";
  generation: number;
}

/** Ask again for what failed. */
export interface Retry {
  kind: "retry";
}

/** Select by a click or a key; rows are named by their keys (`Listing.uri`) in the generation that was `seen`. It counts also when other rows are shown by now: what somebody chose is never left out without a word. */
export interface Gesture {
  kind: "gesture";
  seen: number;
  how: "toggle" | "range" | "all" | "none";
  at: number;
  to: number;
}

/** Select rows as well, by their keys in the generation that was `seen`. */
export interface SelectRows {
  kind: "selectRows";
  seen: number;
  keys: number[];
}

/** Take the last change of the selection back. */
export interface Undo {
  kind: "undo";
}

/** A row has been the active one for a moment, and is looked into. */
export interface Rest {
  kind: "rest";
  generation: number;
  at: number;
}

/** Take one out of the selection. */
export interface Drop {
  kind: "drop";
  uri: string;
}

/** Select nothing. */
export interface Clear {
  kind: "clear";
}

/** Count what is selected, or stop. */
export interface Count {
  kind: "count";
  on: boolean;
}

/** Count what a pattern matches; an empty one stands for none. */
export interface Match {
  kind: "match";
  text: string;
}

/** The files that a pattern matches, by name, for the front end that asks. */
export interface ListMatch {
  kind: "listMatch";
  text: string;
  view: string;
}

/** Stop that count. */
export interface StopMatch {
  kind: "stopMatch";
}

/** Select a pattern. */
export interface AddPattern {
  kind: "addPattern";
  text: string;
}

/** Make, or bring up to date, the catalogue of the folder on screen, to choose its files by what is in them. Without a `source` it is the first that has files there which can be chosen so. */
export interface ChooseContent {
  kind: "chooseContent";
  source?: string | null;
}

/** Stop making it; what has been read is kept. */
export interface StopContent {
  kind: "stopContent";
}

/** Show it no more. */
export interface LeaveContent {
  kind: "leaveContent";
}

/** Take one value of a facet into the choice, or out of it; null stands for none. */
export interface ChooseValue {
  kind: "chooseValue";
  facet: string;
  value: string | null;
  on: boolean;
}

/** Only what is from one day to another, both as 2020-01-31; an empty text is no bound. */
export interface ChooseDays {
  kind: "chooseDays";
  since: string;
  until: string;
}

/** Only what a CSV has ids of; an empty text is no list. */
export interface ChooseIds {
  kind: "chooseIds";
  name: string;
  text: string;
}

/** Make the files that are chosen the selection. */
export interface SelectContent {
  kind: "selectContent";
}

/** A folder of a path: what it is called, and its URI. */
export type Crumb = [label: string, uri: string];

/** An object as it is shown. A folder is only its name, which ends in "/". */
export type Row = [name: string, size: number, updated: string | null, codec: string, opens: boolean];

/** How far the archive that is open has been looked through. streamed it is compressed as a whole, and has to be read through in order read, size bytes, as stored; both 0 once all that it holds is known note what is worth saying of it then fault why not all of it is there, in a sentence without its full stop */
export interface ArchiveState {
  streamed: boolean;
  read: number;
  size: number;
  note: string;
  fault: string;
}

/** Rows of the folder on screen, from so many folders and objects on. archive the one that the folder is in; None for none above the folder to go up to; None where there is none rest more rows are loaded, and come with the next message unnamed rows left out because no text stands for their names */
export interface RowsMessage {
  kind: "rows";
  generation: number;
  folder: string;
  crumbs: Crumb[];
  above: string | null;
  filter: string;
  at: [number, number];
  folders: string[];
  objects: Row[];
  rest: boolean;
  loading: boolean;
  failed: boolean;
  complete: boolean;
  unnamed: number;
  archive: ArchiveState | null;
}

/** A file that a pattern matches: its URI, and its stored bytes. */
export type MatchedFile = [uri: string, bytes: number];

/** The first files that a pattern matches, for one front end; whether there are `more`, and what was wrong. */
export interface MatchedFilesMessage {
  kind: "matchedFiles";
  view: string;
  text: string;
  files: MatchedFile[];
  more: boolean;
  error: string;
}

/** What the selection comes to: files, stored bytes; `more` when there are others; whether it is being counted. */
export interface Total {
  files: number;
  bytes: number;
  more: boolean;
  counting: boolean;
}

/** What a pattern matches so far; `error` why it does not do, "" where it does. */
export interface Matched {
  text: string;
  error: string;
  example: string;
  active: boolean;
  files: number;
  bytes: number;
  more: boolean;
}

/** A value of a facet, what it is called, how many have it, and whether it is chosen. */
export type FacetValue = [value: string | null, name: string, rows: number, chosen: boolean];

/** By what files are chosen; of many values the first, and how many more there are. */
export interface Facet {
  name: string;
  label: string;
  values: FacetValue[];
  more: number;
}

/** What is in the files of a folder, and what of it is chosen. running whether the catalogue is being made; `progress` says how far it is rows that are chosen, in `matching` files of so many bytes, out of all `files` failed files that could not be read ids what is said of the list of ids; "" where there is none */
export interface Content {
  folder: string;
  running: boolean;
  progress: string;
  error: string;
  files: number;
  failed: number;
  rows: number;
  matching: number;
  bytes: number;
  facets: Facet[];
  hasDays: boolean;
  since: string;
  until: string;
  ids: string;
}

/** The traits that the page has. */
export interface BrowserTraits {
  path: string;
  selected: string[];
  total: Total;
  _can_undo: boolean;
  current: string;
  height: number;
  _match: Matched | Absent<Matched>;
  _content: Content | Absent<Content>;
  _console: string;
  _recent_folders: string[];
}

export type BrowserRequest = Hello | Here | Bye | Go | Restore | Filter | More | Retry | Gesture | SelectRows | Undo | Rest | Drop | Clear | Count | Match | ListMatch | StopMatch | AddPattern | ChooseContent | StopContent | LeaveContent | ChooseValue | ChooseDays | ChooseIds | SelectContent;

export type BrowserMessage = RefusedMessage | RowsMessage | MatchedFilesMessage;
