// Made of requests.py by `make messages`; a change belongs there.

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

/** Rows of the last look from the index `begin` on. */
export interface MoreRows {
  kind: "moreRows";
  view: string;
  begin: number;
}

/** Look no further; what was found stays. */
export interface StopLook {
  kind: "stopLook";
  view: string;
}

/** The next piece of the file that is being saved. */
export interface NextChunk {
  kind: "nextChunk";
  view: string;
  saving: number;
}

/** The file is wanted no more. */
export interface StopSaving {
  kind: "stopSaving";
  view: string;
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
