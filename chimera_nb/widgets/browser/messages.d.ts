export type Crumb = [label: string, uri: string];
export interface RowsMessage {
  kind: "rows"; view: number; folder: string; filter: string; at: [number, number]; folders: string[];
  objects: [string, number, string | null, string][]; crumbs: Crumb[]; above: string | null;
  loading: boolean; failed: boolean; complete: boolean; rest: boolean; unnamed: number;
}
export type BrowserMessage = RowsMessage;
export type GestureHow = "only" | "toggle" | "range" | "add-range" | "all";
export type BrowserRequest = { kind: "hello" } | { kind: "go"; text: string } | { kind: "filter"; text: string }
  | { kind: "more"; view: number } | { kind: "retry" } | { kind: "gesture"; view: number; how: GestureHow; at: number; to: number }
  | { kind: "rest"; view: number; at: number } | { kind: "drop"; uri: string } | { kind: "clear" } | { kind: "count"; on: boolean }
  | { kind: "match"; text: string } | { kind: "stop_match" } | { kind: "add_pattern"; text: string };
export interface Match { text: string; error: string; example?: string; active?: boolean; files?: number; bytes?: number; more?: boolean }
export interface Total { files: number; bytes: number; more: boolean; counting: boolean }
export interface BrowserTraits {
  path: string; selected: string[]; total: Total; height: number; _match: Partial<Match>; _places: string[];
}
