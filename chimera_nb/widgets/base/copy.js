// A button that copies a text, also on a page that browsers give no clipboard, since it is not of https.

import { button, later, make } from "./text.js";

const COPIED_MS = 1500;

/** @param {string} text */
async function copyText(text) {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const box = document.body.appendChild(make("textarea", "", "", { style: "position:fixed;opacity:0", readonly: "" }));
  box.value = text;
  box.select();
  const done = document.execCommand("copy");
  box.remove();
  if (!done) throw new Error("the browser does not let it be copied");
}

/**
 * A button that copies what `text()` gives, and says that it has; `label` is for a screen reader.
 * @param {string} label
 * @param {() => string} text
 */
export function copyButton(label, text, { className = "", says = "Copy" } = {}) {
  const back = later(COPIED_MS, () => {
    node.textContent = says;
  });
  const node = button(`ch-copy ${className}`, says, async () => {
    const focused = document.activeElement;
    try {
      await copyText(text());
      node.textContent = "Copied";
    } catch {
      node.textContent = "Not copied";
    }
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
    back();
  }, { "aria-label": label, title: label });
  return node;
}
