// A dialog over the page: what a short list says, until Esc or a click.

import { button, make, showName, uniqueId } from "./text.js";

/**
 * Show a titled list of pairs, such as keys and what they do.
 * @param {string} title
 * @param {[string, string][]} pairs
 * @param {string} [says] a sentence above them
 * @param {HTMLElement[]} [buttons] beside the one that closes it
 */
export function openDialog(title, pairs, says = "", buttons = []) {
  const list = make("dl", "ch-dialog-list");
  for (const [term, text] of pairs) {
    list.append(make("dt", "", term));
    showName(list.appendChild(make("dd")), text);
  }
  showDialog(title, list, says, buttons);
}

/**
 * Show something under a title.
 * @param {string} title
 * @param {HTMLElement} what
 * @param {string} [says] a sentence above it
 * @param {HTMLElement[]} [buttons] beside the one that closes it
 */
export function showDialog(title, what, says = "", buttons = []) {
  const id = uniqueId("dialog");
  const dialog = make("dialog", "chimera ch-dialog", "", { "aria-labelledby": id, "data-lm-suppress-shortcuts": "true" });
  const line = make("div", "ch-dialog-line");
  line.append(make("h2", "ch-dialog-title", title, { id }), ...buttons, button("", "Close", () => dialog.close()));
  dialog.append(line, ...(says ? [make("p", "ch-muted", says)] : []), what);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
