// What a table says of its rows.

import { number, plural } from "../base/text.js";

/** @import { TableMessage } from "./requests.js" */
/** @typedef {Pick<TableMessage, "matched" | "kept" | "looked" | "total" | "state">} Told */

/**
 * How many rows there are, and what of them can be seen; whether not all records were looked at.
 * @param {Told} told
 * @param {{ filtered: boolean, sorted: boolean, exploded: boolean }} asked
 * @returns {[text: string, partial: boolean]}
 */
export function rowsText({ matched, kept, looked, total, state }, { filtered, sorted, exploded }) {
  const of = total === null ? plural(looked, "record") : state === "done" ? plural(total, "row") : `the first ${number(looked)} of ${plural(total, "row")}`;
  if (state === "looking") return [`Looking: ${number(looked)}${total === null ? "" : ` of ${number(total)}`} so far`, false];
  const partial = state === "partial";
  const first = matched !== null && matched > kept && kept ? `; the first ${number(kept)} can be seen here, a file has all` : "";
  if (filtered) return [`${number(matched ?? 0)} ${matched === 1 ? "matches" : "match"} in ${of}${first}`, partial];
  if (matched === null) return [`the first ${plural(kept, "row")}; a file has all`, false];
  if (partial) return [sorted ? `sorted among ${of}${first}` : `${plural(matched, "row")} of ${of}${first}`, true];
  return [`${exploded ? `${plural(matched, "row")} of ${of}` : plural(matched, "row")}${total === null ? " at the beginning of the file" : first}`, false];
}

/** Which columns are on show, of those that were chosen or are shown unasked. @param {number} shown @param {number} all */
export const columnsText = (shown, all) => (shown < all ? `Columns ${number(shown)} of ${number(all)}` : "Columns");
