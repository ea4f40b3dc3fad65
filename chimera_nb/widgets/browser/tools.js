// What narrows BucketBrowser's list, and what selects by a pattern.

import { button, later, make } from "../base/text.js";
import { matchedText } from "./words.js";

/** @import { BrowserRequest, Matched } from "./messages.js" */

const TYPING_MS = 120;
const PATTERN_MS = 500;
const PLAIN = { type: "text", spellcheck: "false", autocomplete: "off", autocapitalize: "off" };

/**
 * Whether what stands in the filter's box is being typed, and is not for rows that come to replace. Before there are any
 * rows, a text in it is: nobody else has put it there.
 * @param {string} text @param {boolean} hasFocus @param {string | undefined} shown the folder on screen @param {string} next the folder of the rows that come
 * @param {boolean} since whether it was typed since somebody asked for another folder
 */
export const isTyped = (text, hasFocus, shown, next, since) =>
  hasFocus && (shown === undefined ? text !== "" : shown === next || since);

export class Tools {
  node = make("div", "ch-tools");
  filter = make("input", "ch-input ch-filter", "", { ...PLAIN, placeholder: "Filter by name", "aria-label": "Filter by name" });
  glob = make("input", "ch-input ch-glob", "", {
    ...PLAIN, placeholder: "Pattern: **/*.bz2", "aria-label": "Pattern",
    title: "* and ? within a folder, [a-z], ** for any depth; Enter adds it to the selection",
  });
  matched = make("span", "ch-matched", "", { role: "status" });
  list = button("ch-list-match", "List…", () => this.ask({ kind: "listMatch", text: this.glob.value, view: this.view }), { title: "Show the files that the pattern matches" });
  stop = button("ch-stop-match", "Stop", () => this.ask({ kind: "stopMatch" }));
  add = button("ch-primary ch-add", "Add", () => this.addPattern(), { title: "Add the pattern to the selection" });
  typed = false; // since another folder was asked for, or came
  filterSoon = later(TYPING_MS, () => this.ask({ kind: "filter", text: this.filter.value }));
  matchSoon = later(PATTERN_MS, () => this.match());

  /**
   * @param {(request: BrowserRequest) => void} ask
   * @param {() => void} leave is called when the keyboard goes on to the list
   * @param {string} view the id of the front end
   */
  constructor(ask, leave, view) {
    this.ask = ask;
    this.view = view;
    this.leave = leave;
    this.filter.addEventListener("input", () => this.onTyped());
    this.filter.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.type("");
      else if (event.key === "ArrowDown" || event.key === "Enter") leave();
      else return;
      event.preventDefault();
    });
    this.glob.addEventListener("input", () => this.matchSoon());
    this.glob.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.addPattern();
      if (event.key === "Escape") {
        this.glob.value = "";
        this.match();
      }
    });
    const row = make("div", "ch-glob-row");
    row.append(this.glob, this.matched, this.stop, this.list, this.add);
    this.node.append(this.filter, row);
  }

  close() {
    this.filterSoon.cancel();
    this.matchSoon.cancel();
  }

  onTyped() {
    this.typed = true;
    this.filterSoon();
  }

  /** Another folder is asked for: what is typed from now on is meant for that. */
  leaveFolder() {
    this.typed = false;
    this.filterSoon.cancel();
  }

  /** A key typed in the list goes on in the filter; "" clears it. @param {string} text */
  type(text) {
    this.filter.value = text ? this.filter.value + text : "";
    if (text) this.filter.focus();
    else this.leave();
    this.onTyped();
  }

  match() {
    this.matchSoon.cancel();
    this.ask({ kind: "match", text: this.glob.value });
  }

  addPattern() {
    if (this.glob.value.trim()) this.ask({ kind: "addPattern", text: this.glob.value });
  }

  /** What the pattern matches so far; null while none is known to the kernel. @param {Matched | null} match */
  show(match) {
    if (!match && document.activeElement !== this.glob) this.glob.value = "";
    this.matched.textContent = matchedText(match);
    this.matched.title = match?.example ? `such as ${match.example}` : this.matched.textContent;
    this.matched.classList.toggle("ch-bad", Boolean(match?.error));
    this.stop.classList.toggle("ch-absent", !match?.active);
    this.list.classList.toggle("ch-absent", Boolean(match?.active));
    this.list.disabled = !match?.files;
    this.add.disabled = !match || Boolean(match.error);
  }
}
