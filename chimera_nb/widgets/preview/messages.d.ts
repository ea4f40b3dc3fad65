// Made of messages.py by `make messages`; a change belongs there.

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

/** Read the file again that could not be read. */
export interface Retry {
  kind: "retry";
}

/** All that is kept of a line, by its index from 0. */
export interface Line {
  kind: "line";
  generation: number;
  n: number;
}

/** A line as a tree. */
export interface Tree {
  kind: "tree";
  generation: number;
  n: number;
}

/** The lines as a table, with a row for each item of the column `explode`, if that is named. Or the first rows that the view `view` of the source `source` makes of the file. */
export interface Table {
  kind: "table";
  generation: number;
  explode?: string;
  source?: string;
  view?: string;
}

/** The answer to a request that does not fit. */
export interface RefusedMessage {
  kind: "refused";
  request: string;
  code: "unknown-kind" | "missing" | "wrong-type";
  field: string;
  reason: string;
}

/** The first characters of a line; whether there are more, and whether it is JSON that a tree can show. */
export type ShownLine = [text: string, isLong: boolean, isJson: boolean];

/** What is known of a file; sizes in bytes, None where they are not known; `problem` a sentence, or "". */
export interface Facts {
  size: number;
  codec: string | null;
  readBytes: number;
  rawBytes: number;
  estimatedRawBytes: number | null;
  estimatedLines: number | null;
  complete: boolean;
  problem: string;
  note: string;
  linesRead: number;
  lines: ShownLine[];
}

/** A view of a source that takes files of such a name. */
export type FileView = [source: string, view: string];

/** The file that is shown, and how far that has come. */
export interface FileMessage {
  kind: "file";
  generation: number;
  uri: string;
  state: "empty" | "reading" | "shown" | "failed";
  facts: Facts | null;
  views: FileView[];
}

/** A line; `cut` when only its first part is kept. */
export interface LineMessage {
  kind: "line";
  generation: number;
  n: number;
  text: string;
  size: number;
  cut: boolean;
}

/** A node of a tree; `children` is how many are right below it. */
export type TreeNode = [depth: number, label: string, text: string, children: number];

/** The nodes of line `n` in order; without any the line is no JSON. */
export interface TreeMessage {
  kind: "tree";
  generation: number;
  n: number;
  nodes: TreeNode[];
  leftOut: number;
}

/** A column; whether it holds numbers alone. */
export type Column = [name: string, numeric: boolean];

/** Rows of text under columns; `others` are lines that are no records, `lists` the columns that can be exploded. `problem` is why there are no rows of a view, or no more. */
export interface Records {
  columns: Column[];
  rows: string[][];
  moreRows: boolean;
  moreColumns: number;
  others: number;
  lists: string[];
  explode: string;
  problem: string;
}

/** The table of the lines, or of the view that is named. */
export interface TableMessage {
  kind: "table";
  generation: number;
  view: string;
  records: Records;
}

/** The traits that the page has. */
export interface PreviewTraits {
  height: number;
}

export type PreviewRequest = Hello | Here | Bye | Retry | Line | Tree | Table;

export type PreviewMessage = RefusedMessage | FileMessage | LineMessage | TreeMessage | TableMessage;
