// Made of messages.py by `make messages`; a change belongs there.

import type { Absent } from "../base/model.js";

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

/** Take the last change of the selection back. */
export interface Undo {
  kind: "undo";
}

/** Open the example: its folder, with some of its files selected and one looked into. */
export interface Example {
  kind: "example";
}

/** The answer to a request that does not fit. */
export interface RefusedMessage {
  kind: "refused";
  request: string;
  code: "unknown-kind" | "missing" | "wrong-type";
  field: string;
  reason: string;
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
