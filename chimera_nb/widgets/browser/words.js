// What BucketBrowser says in words.

import { bytes, plural, tally } from "../base/text.js";

/** @import { Matched } from "./messages.js" */
/** @import { Rows } from "./rows.js" */

/** What a pattern matches; null where the kernel knows of none. @param {Matched | null} match */
export function matchedText(match) {
  if (!match) return "** is any depth";
  return match.error || (match.files === 0 && !match.more ? "matches no file" : tally(match));
}

/** "2 folders, 1,000 files so far; scroll for more" @param {Rows} rows */
export function statusText(rows) {
  const parts = [];
  if (rows.folders.length) parts.push(plural(rows.folders.length, "folder"));
  if (rows.objects.length) parts.push(plural(rows.objects.length, "file"));
  let text = parts.join(", ");
  const going = rows.complete || rows.failed ? "" : goingText(rows);
  if (going) text = text ? `${text} so far; ${going}` : going;
  else if (text && !rows.complete && rows.isSorted) text += rows.failed ? " so far" : " so far; loading the rest to sort it";
  else if (text && !rows.complete) text += rows.failed ? " so far" : rows.loading ? ", loading more" : " so far; scroll for more";
  if (!text) text = rows.loading ? "Loading" : "";
  if (rows.unnamed) text += `; ${plural(rows.unnamed, "name")} left out that no text can show`;
  return [text, rows.archive?.fault, rows.archive?.note].filter(Boolean).join("; ");
}

/** How far the archive on screen has been looked through; "" where it is, or where there is none. @param {Rows} rows */
function goingText({ archive }) {
  if (!archive?.size) return "";
  const far = `${bytes(archive.read)} of ${bytes(archive.size)}`;
  return archive.streamed ? `it is compressed, and read through once: ${far}` : `looking through the archive: ${far}`;
}

/** What to do where there are no rows. @param {Rows} rows */
export function emptyText({ folder, filter, archive }) {
  if (archive?.fault) return archive.fault;
  if (filter) return `No name here holds “${filter}”. Clear the filter (Esc), or try a pattern.`;
  if (folder === "gs://") return "There is no bucket yet. The first files that are put into one make it.";
  if (archive) return "Nothing is in this folder of the archive. Go up (Backspace).";
  return "Nothing is in this folder. Go up (Backspace).";
}

/**
 * The row that one comes from when a folder above is opened: its name there; null for no folder above.
 * @param {string} here
 * @param {string} to
 */
export function cameFrom(here, to) {
  return here.startsWith(to) && here !== to ? here.slice(to.length).replace(/^(.*?\/).*$/s, "$1") : null;
}
