// Made of messages.py by `make messages`; a change belongs there.

import type { Absent } from "../base/model.js";
import type { Bye, Hello, Here, RefusedMessage } from "../base/messages.js";

/** Take the last change of the selection back. */
export interface Undo {
  kind: "undo";
}

/** Open the example: its folder, with some of its files selected and one looked into. */
export interface Example {
  kind: "example";
}

/** Bring a part of the page into sight. */
export interface LookAtMessage {
  kind: "lookAt";
  part: "browse" | "preview" | "launch" | "jobs";
}

/** What is selected in the browser: how many URIs, and what they come to as `Total` has it. */
export interface Chosen {
  selected: number;
  files: number;
  bytes: number;
  more: boolean;
  counting: boolean;
  canUndo: boolean;
}

/** Who one is and where one is; `example`: whether there are files to show how it is done. */
export interface Where {
  who: string;
  place: "local" | "cloud";
  project: string;
  example: boolean;
}

/** The traits that the page has. */
export interface StepsTraits {
  page: "new" | "jobs";
  job_id: string;
  _chosen: Chosen;
  _where: Where | Absent<Where>;
}

export type StepsRequest = Hello | Here | Bye | Undo | Example;

export type StepsMessage = RefusedMessage | LookAtMessage;
