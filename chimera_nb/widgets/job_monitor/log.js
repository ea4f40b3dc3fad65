// A job's log: as it comes, narrowed by level, at its end unless one has scrolled up.

import { copyButton } from "../base/copy.js";
import { button, clock, make, number, setText, showLines } from "../base/text.js";

const AT_END = 24; // pixels from the end that still are its end

/** @import { LogMessage } from "./messages.js" */
/** @typedef {{ time: string, level: string, text: string, node: HTMLElement }} Line */

/** The lines that a level shows: all, errors, or warnings and errors. @template {{ level: string }} Some @param {Some[]} lines @param {string} level */
export function linesOf(lines, level) {
  return lines.filter((line) => level === "all" || line.level === "error" || line.level === level);
}

/** Lines as text to copy. @param {{ time: string, level: string, text: string }[]} lines */
export function asText(lines) {
  return lines.map(({ time, level, text }) => `${time} ${level === "info" ? "" : `${level.toUpperCase()}: `}${text}\n`).join("");
}

export class JobLog {
  /** @type {Line[]} */
  lines = [];
  known = false; // whether the log has been told from its beginning
  follows = true;
  leftOut = 0;
  node = make("div", "ch-joblog");
  level = make("select", "ch-input ch-level", "", { "aria-label": "Level" });
  told = make("span", "ch-muted ch-log-told", "", { role: "status" });
  toEnd = button("", "Follow", () => this.follow(), { title: "Go to the end, and stay there" });
  list = make("div", "ch-log-lines ch-mono", "", { role: "log", tabindex: "0", "aria-label": "Log", "data-level": "all" });
  nothing = make("div", "ch-placeholder");

  constructor() {
    for (const [value, label] of [["all", "All lines"], ["warning", "Warnings and errors"], ["error", "Errors"]]) {
      this.level.append(make("option", "", label, { value }));
    }
    this.level.addEventListener("change", () => this.onLevel());
    const bar = make("div", "ch-log-bar");
    bar.append(this.level, this.told, this.toEnd, copyButton("Copy the lines shown", () => asText(this.shown())));
    this.list.addEventListener("scroll", () => {
      if (!this.list.clientHeight) return;
      this.follows = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < AT_END;
      this.onState();
    });
    this.node.append(bar, this.list);
    this.onState();
  }

  /** A message of the kernel: lines that go from the front, and lines that come at the end. @param {LogMessage} message */
  take({ begin, drop, lines, leftOut }) {
    if (begin) this.known = true;
    if (!this.known) return;
    if (begin) {
      this.lines = [];
      this.list.replaceChildren(this.nothing);
    }
    for (const gone of begin ? [] : this.lines.splice(0, drop)) gone.node.remove();
    this.leftOut = leftOut;
    const added = lines.map(([time, level, text]) => {
      const node = make("div", "ch-log-line", "", { "data-level": level });
      node.append(make("time", "", clock(time), { datetime: time, title: time }));
      if (level !== "info") node.append(make("span", "ch-log-level", level));
      showLines(node.appendChild(make("span", "ch-log-text")), text);
      return { time, level, text, node };
    });
    this.lines.push(...added);
    this.list.append(...added.map(({ node }) => node));
    this.onState();
    if (this.follows) this.scrollToEnd();
  }

  shown() {
    return linesOf(this.lines, this.level.value);
  }

  onLevel() {
    this.list.dataset.level = this.level.value;
    this.onState();
    if (this.follows) this.scrollToEnd();
  }

  onState() {
    const count = this.shown().length;
    const narrowed = count < this.lines.length ? ` of ${number(this.lines.length)}` : "";
    const early = this.leftOut ? `; ${number(this.leftOut)} earlier ones are not kept` : "";
    setText(this.told, this.lines.length ? `${number(count)}${narrowed} ${this.lines.length === 1 ? "line" : "lines"}${early}` : "");
    this.nothing.hidden = count > 0;
    this.nothing.textContent = this.lines.length ? "No line of this level" : "The log is empty so far";
    this.toEnd.classList.toggle("ch-absent", this.follows);
  }

  follow() {
    this.follows = true;
    this.scrollToEnd();
    this.onState();
  }

  /** Also what to call when the log comes on screen. */
  scrollToEnd() {
    if (this.follows) this.list.scrollTop = this.list.scrollHeight;
  }
}
