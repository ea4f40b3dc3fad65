// What of a selection a job will not read: how much, which files, and a way to read them.

import { button, make, number, setText, showName } from "../base/text.js";

/** @import { PlanFigures } from "./messages.js" */

export class UnreadLine {
  /** @type {PlanFigures["unread"] | undefined} */
  unread;
  node = make("div", "ch-unread");
  line = make("div", "ch-unread-line");
  text = this.line.appendChild(make("span", "", "", { role: "status" }));
  show = this.line.appendChild(button("ch-link", "Show them", () => this.toggle()));
  every = this.line.appendChild(button("ch-link", "", () => this.ask(!this.unread?.every)));
  list = make("ul", "ch-form-list ch-unread-list", "", { tabindex: "0", "aria-label": "Files that will not be read" });
  open = false;

  /** @param {(every: boolean) => void} ask is told whether every file is to be read */
  constructor(ask) {
    this.ask = ask;
    this.node.append(this.line, this.list);
    this.update(undefined);
  }

  toggle() {
    this.open = !this.open;
    this.update(this.unread);
  }

  /** @param {PlanFigures["unread"] | undefined} unread */
  update(unread) {
    this.unread = unread;
    const { text = "", files = [], total = 0, every = false } = unread ?? {};
    this.node.hidden = !text && !every;
    this.node.classList.toggle("ch-warn", Boolean(text));
    showName(this.text, text || "Every file of the selection is read, whatever its name.");
    this.show.hidden = !files.length;
    setText(this.show, this.open ? "Hide them" : "Show them");
    this.show.setAttribute("aria-expanded", String(this.open));
    setText(this.every, every ? "Leave to the source" : "Read every file");
    this.list.hidden = !this.open || !files.length;
    if (this.list.hidden) return;
    const rows = files.map(([uri, why]) => {
      const row = make("li", "ch-form-input", "", { title: uri });
      showName(row.appendChild(make("span", "ch-label ch-mono")), uri);
      row.append(" ");
      showName(row.appendChild(make("span", "ch-muted")), why);
      return row;
    });
    if (total > rows.length) rows.push(make("li", "ch-muted", `and ${number(total - rows.length)} more`));
    this.list.replaceChildren(...rows);
  }
}
