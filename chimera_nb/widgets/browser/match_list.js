// The files that a pattern matches, as a list to read and to save.

import { openDialog } from "../base/dialog.js";
import { button, bytes, make, plural, showName } from "../base/text.js";

/** @import { MatchedFilesMessage } from "./messages.js" */

const SHOWN = 200;

/** A field of CSV. @param {string} text */
const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** The files as CSV; no name begins a formula, since each is a URI or a path. @param {MatchedFilesMessage["files"]} files */
export function csvOf(files) {
  return ["uri,bytes", ...files.map(([uri, size]) => `${quoted(uri)},${size}`), ""].join("\r\n");
}

/** @param {MatchedFilesMessage} message */
export function showMatches({ text, files, more, error }) {
  const save = () => {
    const link = make("a", "", "", { href: URL.createObjectURL(new Blob([csvOf(files)], { type: "text/csv" })), download: "matched-files.csv" });
    link.click();
    URL.revokeObjectURL(link.href);
  };
  const title = make("span");
  showName(title, text);
  const all = `${more ? "more than " : ""}${plural(files.length, "file")}`;
  const says = error || (files.length > SHOWN ? `${all}; the first ${SHOWN} are shown, and ${more ? "the first " : ""}${plural(files.length, "name")} can be saved.` : `${all}.`);
  /** @type {[string, string][]} */
  const rows = files.slice(0, SHOWN).map(([uri, size]) => [bytes(size), uri]);
  openDialog(`Files of ${title.textContent}`, rows, says, files.length ? [button("ch-primary", "Save as CSV", save)] : []);
}
