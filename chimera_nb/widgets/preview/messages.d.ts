// Made of messages.py by `make messages`; a change belongs there.

import type { Bye, Hello, Here, RefusedMessage } from "../base/messages.js";
import type { ChunkMessage, Look, MoreRows, NextChunk, SaveTable, SavingMessage, StopLook, StopSaving, TableMessage } from "../table/requests.js";

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
