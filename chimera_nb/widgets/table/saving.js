// A file that the kernel makes, as it comes in pieces, until the browser has all of it and saves it.

import { make } from "../base/text.js";

/** @import { ChunkMessage, NextChunk, SavingMessage, StopSaving } from "./requests.js" */

/** @type {Record<string, string>} */
const KINDS = { csv: "text/csv;charset=utf-8", xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" };

/** The bytes of a piece. @param {string} text of base64 */
export const decoded = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

export class Saving {
  number = 0; // of the file that is being saved; what comes of another is late
  busy = false;
  /** @type {BlobPart[]} */
  parts = [];

  /**
   * `tell` is told how it goes: a text, and whether it is bad news.
   * @param {string} view
   * @param {(request: NextChunk | StopSaving) => void} ask
   * @param {(text: string, bad?: boolean) => void} tell
   */
  constructor(view, ask, tell) {
    this.view = view;
    this.ask = ask;
    this.tell = tell;
  }

  /** Begin with another file; its number, which goes with the request. */
  begin() {
    this.number += 1;
    this.parts = [];
    this.busy = true;
    this.tell("Making the file");
    return this.number;
  }

  stop() {
    if (!this.busy) return;
    this.end("Stopped: nothing was saved");
    this.ask({ kind: "stopSaving", view: this.view });
  }

  /** @param {string} text */
  end(text, bad = false) {
    this.number += 1;
    this.parts = [];
    this.busy = false;
    this.tell(text, bad);
  }

  /** @param {ChunkMessage} message */
  take({ view, saving, name, data, note }) {
    if (view !== this.view || saving !== this.number || !this.busy) return;
    if (data) {
      this.parts.push(decoded(data));
      this.ask({ kind: "nextChunk", view, saving });
      return;
    }
    saveBlob(name, new Blob(this.parts, { type: KINDS[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream" }));
    this.end(`Saved ${name}: ${note}`);
  }

  /** @param {SavingMessage} message */
  hear({ view, saving, told, error }) {
    if (view !== this.view || saving !== this.number || !this.busy) return;
    if (error) this.end(`Not saved: ${error}`, true);
    else if (told) this.tell(`Making the file: ${told}`);
  }
}

/** @param {string} name @param {Blob} blob */
function saveBlob(name, blob) {
  const url = URL.createObjectURL(blob);
  make("a", "", "", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
