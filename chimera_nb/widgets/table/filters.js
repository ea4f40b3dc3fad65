// The filters of a table: a line for each, of a column, how it compares, and with what.

import { button, make, showName } from "../base/text.js";

const OPERATORS = [
  ["contains", "contains"], ["lacks", "does not contain"], ["is", "is"], ["is not", "is not"],
  ["least", "is at least"], ["most", "is at most"], ["filled", "has a value"], ["empty", "is empty"],
];

/** Whether a comparison wants a text. @param {string} operator */
export const wantsText = (operator) => operator !== "filled" && operator !== "empty";

export class Filters {
  node = make("div", "ch-table-filters", "", { role: "group", "aria-label": "Filters" });
  /** @type {string[]} */
  names = [];
  /** @type {{ node: HTMLElement, column: HTMLSelectElement, operator: HTMLSelectElement, text: HTMLInputElement }[]} */
  lines = [];

  /** @param {() => void} onChange @param {() => void} onTyping */
  constructor(onChange, onTyping) {
    this.onChange = onChange;
    this.onTyping = onTyping;
    this.node.hidden = true;
  }

  /** What rows must fulfil. @returns {string[][]} */
  conditions() {
    return this.lines
      .map(({ column, operator, text }) => [column.value, operator.value, wantsText(operator.value) ? text.value.trim() : ""])
      .filter(([, operator, text]) => text || !wantsText(operator));
  }

  /** The columns there are. @param {string[]} names */
  offer(names) {
    if (names.join("\n") === this.names.join("\n")) return;
    this.names = names;
    for (const { column } of this.lines) this.fill(column);
  }

  /** @param {HTMLSelectElement} select */
  fill(select) {
    const chosen = select.value;
    const names = chosen && !this.names.includes(chosen) ? [chosen, ...this.names] : this.names;
    select.replaceChildren(...names.map((name) => {
      const option = make("option", "", "", { value: name });
      showName(option, name);
      return option;
    }));
    if (chosen) select.value = chosen;
  }

  add(name = this.names[0] ?? "") {
    const column = make("select", "ch-input", "", { "aria-label": "Column" });
    const operator = make("select", "ch-input", "", { "aria-label": "Compared how" });
    const text = make("input", "ch-input", "", { type: "text", "aria-label": "Compared with", spellcheck: "false", autocomplete: "off" });
    for (const [value, label] of OPERATORS) operator.append(make("option", "", label, { value }));
    const node = make("div", "ch-table-filter");
    const line = { node, column, operator, text };
    node.append(column, operator, text, button("ch-table-remove", "×", () => this.remove(line), { "aria-label": "Remove this filter" }));
    this.fill(column);
    column.value = name;
    column.addEventListener("change", () => this.onChange());
    operator.addEventListener("change", () => {
      text.hidden = !wantsText(operator.value);
      this.onChange();
    });
    text.addEventListener("input", () => this.onTyping());
    this.lines.push(line);
    this.node.append(node);
    this.node.hidden = false;
    text.focus();
  }

  /** @param {Filters["lines"][number]} line */
  remove(line) {
    line.node.remove();
    this.lines = this.lines.filter((each) => each !== line);
    this.node.hidden = !this.lines.length;
    this.onChange();
  }

  clear() {
    this.lines = [];
    this.node.replaceChildren();
    this.node.hidden = true;
  }
}
