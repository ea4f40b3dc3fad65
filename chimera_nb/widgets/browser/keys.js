// What the keys do in BucketBrowser's list.

/** @import { Rows } from "./rows.js" */
/**
 * @typedef {{
 *   rows: Rows | null, active: number | null, anchor: number | null, room: number, height: number,
 *   move: (rows: Rows, key: number) => void, look: (rows: Rows, key: number) => void,
 *   gesture: (how: "toggle" | "range" | "all", key: number) => void, restSoon: (generation: number, key: number) => void,
 *   onOpen: (uri: string | null) => void, onType: (text: string) => void, node: Element,
 * }} Keyed the list, as far as keys go
 */

/** For who asks what the keys do. @type {[string, string][]} */
export const KEYS = [
  ["↑ ↓ Page Up Page Down Home End", "Move, and look into the file one rests on"],
  ["Enter", "Open a folder, look into a file"],
  ["Backspace", "Up one folder"],
  ["Space", "Select the row, or take it out"],
  ["Shift + ↑ ↓", "Select the rows between"],
  ["Ctrl + A", "Select all here"],
  ["Ctrl + Z", "Undo the last change of the selection"],
  ["a letter", "Filter by name; Esc clears it"],
  ["?", "These keys"],
];

/** @param {Keyed} list @param {KeyboardEvent} event */
export function onKey(list, event) {
  const { rows } = list;
  const command = event.ctrlKey || event.metaKey;
  const page = Math.max(1, Math.floor(list.room / list.height) - 1);
  /** @type {Record<string, number>} */
  const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
  if (!rows || event.altKey || event.isComposing || event.target !== list.node) return;
  if (event.key in steps && rows.length) step(list, rows, steps[event.key], event.shiftKey);
  else if (event.key === " " && list.active !== null) list.gesture(event.shiftKey && list.anchor !== null ? "range" : "toggle", list.active);
  else if (event.key === "Enter" && list.active !== null) {
    if (rows.opens(list.active)) list.onOpen(rows.uri(list.active));
    else list.look(rows, list.active);
  } else if (event.key === "Backspace") list.onOpen(null);
  else if (command && event.key.toLowerCase() === "a") list.gesture("all", list.active ?? 0);
  else if (event.key === "Escape") list.onType("");
  else if (event.key.length === 1 && !command && event.key !== "?") list.onType(event.key);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** @param {Keyed} list @param {Rows} rows @param {number} by @param {boolean} selecting */
function step(list, rows, by, selecting) {
  const before = list.active ?? rows.keyAt(0);
  const at = list.active === null ? 0 : rows.indexOfKey(list.active);
  const key = rows.keyAt(Math.min(rows.length - 1, Math.max(0, at + by)));
  list.move(rows, key);
  if (selecting) {
    list.anchor ??= before;
    list.gesture("range", key);
  } else list.anchor = null;
  list.restSoon(rows.generation, key);
}
