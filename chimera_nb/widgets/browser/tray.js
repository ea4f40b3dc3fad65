// What is selected in BucketBrowser: what it comes to, and each of it to take out.

import { button, make, number, showMiddle, tally } from "../base/text.js";

/** @import { BrowserRequest, Total } from "./messages.js" */

const CHIPS = 100; // selected URIs that are listed one by one

export class Tray {
  node = make("div", "ch-tray");
  total = button("ch-total", "", () => this.showChips(Boolean(this.chips.hidden)), { "aria-expanded": "false" });
  says = this.total.appendChild(make("span", "ch-total-text", "", { role: "status" }));
  count = button("", "Stop", () => this.ask({ kind: "count", on: !this.counting }));
  clear = button("", "Clear", () => this.ask({ kind: "clear" }));
  undo = button("ch-undo", "Undo", () => this.ask({ kind: "undo" }), { title: "Take the last change of the selection back (Ctrl+Z)" });
  chips = make("ul", "ch-chips", "", { "aria-label": "What is selected" });
  counting = false;
  /** @type {string[]} */
  selected = [];

  /** @param {(request: BrowserRequest) => void} ask */
  constructor(ask) {
    this.ask = ask;
    this.chips.hidden = true;
    const line = make("div", "ch-tray-line");
    line.append(this.total, this.count, this.undo, this.clear);
    this.node.append(line, this.chips);
  }

  /** @param {string[]} selected @param {Total} total */
  show(selected, total) {
    this.selected = selected;
    this.showTotal(total);
    this.showChips(!this.chips.hidden);
  }

  /** @param {Total} total */
  showTotal(total) {
    const count = this.selected.length;
    this.counting = total.counting;
    this.says.textContent = count ? `${number(count)} selected: ${tally(total)}` : "Nothing is selected: tick what is to be read";
    this.total.disabled = this.clear.disabled = !count;
    this.count.hidden = !count || !total.more;
    this.count.textContent = total.counting ? "Stop" : "Count on";
  }

  /** List what is selected, or not. @param {boolean} wanted */
  showChips(wanted) {
    this.chips.hidden = !wanted || !this.selected.length;
    this.total.setAttribute("aria-expanded", String(!this.chips.hidden));
    if (this.chips.hidden) return;
    const chips = this.selected.slice(0, CHIPS).map((uri) => {
      const chip = make("li", "ch-chip");
      showMiddle(chip.appendChild(make("span", "ch-chip-label", "", { dir: "ltr", title: uri })), uri);
      chip.append(button("ch-drop", "×", () => this.ask({ kind: "drop", uri }), { "aria-label": `Take out ${uri}` }));
      return chip;
    });
    if (this.selected.length > CHIPS) chips.push(make("li", "ch-more", `and ${number(this.selected.length - CHIPS)} more`));
    this.chips.replaceChildren(...chips);
  }
}
