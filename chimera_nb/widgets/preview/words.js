// What FilePreview says of a file in words.

import { bytes, number, plural } from "../base/text.js";

/** @import { Facts, ShownLine } from "./messages.js" */

const roughly = new Intl.NumberFormat("en-US", { notation: "compact", compactDisplay: "long", maximumSignificantDigits: 2 });

/** How large it is, as stored and as it would be raw; below, what else there is to know. @param {Facts} facts */
export function factsText({ size, readBytes, rawBytes, complete, estimatedRawBytes: raw, estimatedLines: lines, note }) {
  const parts = [`${bytes(size)} stored`];
  if (complete) parts.push(`${bytes(raw ?? rawBytes)} unpacked`, plural(lines ?? 0, "line"));
  else if (raw) {
    const guess = [`about ${bytes(raw)} unpacked`];
    if (lines) guess.push(`about ${roughly.format(lines)} lines`);
    parts.push(`${guess.join(", ")} (from the first ${bytes(readBytes)})`);
  } else if (rawBytes) parts.push(`${bytes(rawBytes)} unpacked in what could be read`);
  return [parts.join("  ·  "), note && note[0].toUpperCase() + note.slice(1)].filter(Boolean).join("\n");
}

/** How many of the lines that were read are shown. @param {number} shown @param {number} read */
export function linesText(shown, read) {
  return shown < read ? `the first ${number(shown)} of ${plural(read, "line")} read` : plural(shown, "line");
}

/** Whether a line can be shown as a tree. @param {ShownLine} line */
export const isJson = ([, , json]) => json;

/**
 * The index of the record some lines on that is JSON; the one of now where there is none.
 * @param {ShownLine[]} lines
 * @param {number} now
 * @param {number} by
 */
export function recordAt(lines, now, by) {
  let at = now + by;
  while (by && lines[at] && !isJson(lines[at])) at += by;
  return lines[at] ? at : now;
}
