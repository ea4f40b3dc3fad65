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

/** Look for the first rows; answers carry the number `look`. `whole`: however long it takes. */
export interface Look {
  kind: "look";
  view: string;
  subject: string;
  shows?: string;
  explode?: string;
  conditions?: string[][];
  sort?: string;
  descending?: boolean;
  columns?: string[];
  dates?: boolean;
  look: number;
  whole?: boolean;
}

/** Rows of the last look from the index `begin` on. */
export interface MoreRows {
  kind: "moreRows";
  view: string;
  begin: number;
}

/** The next piece of the file that is being saved. */
export interface NextChunk {
  kind: "nextChunk";
  view: string;
  saving: number;
}

/** All rows of the query as a file; answers carry the number `saving`. */
export interface SaveTable {
  kind: "saveTable";
  view: string;
  subject: string;
  shows?: string;
  explode?: string;
  conditions?: string[][];
  sort?: string;
  descending?: boolean;
  columns?: string[];
  dates?: boolean;
  saving: number;
  format: "csv" | "xlsx";
}

/** Look no further; what was found stays. */
export interface StopLook {
  kind: "stopLook";
  view: string;
}

/** The file is wanted no more. */
export interface StopSaving {
  kind: "stopSaving";
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

/** The file as it is stored, for the front end that asks. */
export interface SaveFile {
  kind: "saveFile";
  view: string;
  saving: number;
  subject: string;
}

/** The answer to a request that does not fit. */
export interface RefusedMessage {
  kind: "refused";
  request: string;
  code: "unknown-kind" | "missing" | "wrong-type";
  field: string;
  reason: string;
}

/** A piece of a file (base64); an empty one is its end. `note` is what to say of the whole. */
export interface ChunkMessage {
  kind: "chunk";
  view: string;
  saving: number;
  name: string;
  data: string;
  note: string;
}

/** How far a file is that takes its time, or why there will be none. */
export interface SavingMessage {
  kind: "saving";
  view: string;
  saving: number;
  told: string;
  error: string;
}

/** A column: its kind as `chimera_nb.data.table.kinds` has it, and whether rows come with a cell for it. */
export type TableColumn = [name: string, kind: string, shown: boolean];

/** Rows from the index `begin` on, of those that match in what was looked at so far; cells of shown columns only. columns the first of `columns_total`; none where rows go on matched rows that match; None while that is not known kept rows that can be asked for looked, total records that were looked at, of how many; None where nobody knows lists columns of which each item can be a row state looking, done, partial (it stopped before the end), failed (`error` says why) */
export interface TableMessage {
  kind: "table";
  view: string;
  look: number;
  begin: number;
  columns: TableColumn[];
  columnsTotal: number;
  rows: string[][];
  matched: number | null;
  kept: number;
  looked: number;
  total: number | null;
  lists: string[];
  state: "looking" | "done" | "partial" | "failed";
  error: string;
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

/** The traits that the page has. */
export interface PreviewTraits {
  height: number;
}

export type PreviewRequest = Hello | Here | Bye | Look | MoreRows | NextChunk | SaveTable | StopLook | StopSaving | Retry | Line | Tree | SaveFile;

export type PreviewMessage = RefusedMessage | ChunkMessage | SavingMessage | TableMessage | FileMessage | LineMessage | TreeMessage;
