export interface Row {
  id: string; status: string; word: string; created: string; error: string; source: string; runner: string; reads: string; others: number;
  target: string; by: string; started: string | null; finished: string | null; updated: string; seconds: number | null;
  listed: number | null; done: number | null; failed: number | null; lines: number | null; raw: number | null;
}
export interface RowsMessage {
  kind: "rows"; view: number; whole: boolean; rows: Row[]; gone: string[]; complete: boolean; loading: boolean; failed: boolean;
  paused: boolean; looked: number; back_to: string | null; filtered: boolean; searching: boolean;
}
export type HistoryMessage = RowsMessage;
export interface FilterRequest { kind: "filter"; statuses: string[]; text: string; since: string; until: string }
export type HistoryRequest = { kind: "hello" } | { kind: "here" } | FilterRequest | { kind: "more"; view: number } | { kind: "stop" }
  | { kind: "retry" } | { kind: "open"; id: string };
export interface HistoryTraits { job_id: string; height: number }
