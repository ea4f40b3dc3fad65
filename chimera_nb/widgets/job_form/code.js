// The job of a form as code: a notebook cell, or a shell command.

import { copyButton } from "../base/copy.js";
import { make } from "../base/text.js";

/** @import { Code } from "./messages.js" */
/** @typedef {"cell" | "command"} Kind */

export class CodePanel {
  node = make("details", "ch-form-code");
  text = make("pre", "ch-mono ch-code", "", { tabindex: "0", "aria-label": "The job as code" });
  /** @type {Kind} */
  kind = "cell";
  /** @type {Code} */
  code = { cell: "", command: "", says: "" };
  tabs = { cell: this.makeTab("cell", "Notebook cell"), command: this.makeTab("command", "Shell command") };
  copy = copyButton("Copy the code", () => this.code[this.kind]);

  constructor() {
    const tabs = make("div", "ch-tabs", "", { role: "tablist", "aria-label": "The job as code" });
    tabs.append(this.tabs.cell, this.tabs.command);
    const line = make("div", "ch-form-line");
    line.append(tabs, this.copy);
    this.node.append(make("summary", "", "The same job as code"), line, this.text);
  }

  /** @param {Kind} kind @param {string} label */
  makeTab(kind, label) {
    const tab = make("button", "ch-tab", label, { type: "button", role: "tab" });
    tab.addEventListener("click", () => this.choose(kind));
    tab.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      this.choose(kind === "cell" ? "command" : "cell");
      this.tabs[this.kind].focus();
    });
    return tab;
  }

  /** @param {Code} code */
  show(code) {
    this.code = code;
    this.choose(this.kind);
  }

  /** @param {Kind} kind */
  choose(kind) {
    this.kind = kind;
    for (const [other, tab] of Object.entries(this.tabs)) {
      tab.setAttribute("aria-selected", String(other === kind));
      tab.tabIndex = other === kind ? 0 : -1;
    }
    this.text.textContent = this.code[kind] || this.code.says;
    this.text.classList.toggle("ch-muted", !this.code[kind]);
    this.copy.disabled = !this.code[kind];
  }
}
