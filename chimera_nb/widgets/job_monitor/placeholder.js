// What a panel has while there is nothing in it.

import { showLines } from "../base/text.js";

/**
 * A bar while it waits, the one line of what went wrong, or a text.
 * @param {HTMLElement} node
 * @param {{ state?: string, error?: string }} shown
 * @param {string} text
 */
export function fillPlaceholder(node, { state, error = "" }, text) {
  node.hidden = state === "ready";
  node.classList.toggle("ch-bad", state === "failed");
  node.classList.toggle("ch-waits", state === "loading");
  showLines(node, state === "failed" ? error : text);
}
