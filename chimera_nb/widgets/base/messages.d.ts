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

/** The answer to a request that does not fit. */
export interface RefusedMessage {
  kind: "refused";
  request: string;
  code: "unknown-kind" | "missing" | "wrong-type";
  field: string;
  reason: string;
}
