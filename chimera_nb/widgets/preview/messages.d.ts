export type TreeNode = [depth: number, label: string, text: string, children: number];
export type ShownLine = [text: string, isLong: boolean, isJson: boolean];
export type Column = [name: string, numeric: boolean];
export interface Inside { size: number; codec: string | null;
  readBytes: number; rawBytes: number; estimatedRawBytes: number | null; estimatedLines: number | null; complete: boolean;
  problem: string; note: string; linesRead: number; lines: ShownLine[] }
export interface FileMessage {
  kind: "file"; view: number; uri: string; state: "empty" | "reading" | "shown" | "failed"; inside: Inside | null;
}
export interface LineMessage { kind: "line"; view: number; n: number; text: string; size: number; cut: boolean }
export interface TreeMessage { kind: "tree"; view: number; n: number; nodes: TreeNode[]; leftOut: number }
export interface TableMessage {
  kind: "table"; view: number; columns: Column[]; rows: string[][]; moreRows: boolean; moreColumns: number;
  others: number; lists: string[]; explode: string;
}
export type PreviewMessage = FileMessage | LineMessage | TreeMessage | TableMessage;
export type PreviewRequest = { kind: "hello" } | { kind: "retry" } | { kind: "line"; view: number; n: number }
  | { kind: "tree"; view: number; n: number } | { kind: "table"; view: number; explode: string };
export interface PreviewTraits { height: number }
