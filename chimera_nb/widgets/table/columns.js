// Which columns a table shows: a list of all of them to tick, that opens over the table.

import { button, make, number, showName } from "../base/text.js";

/** @import { TableColumn } from "./requests.js" */

const SEARCHED = 12; // columns from which on there is a box to find one

export class ColumnChoice {
  /** @type {string[]} in the order of the table; none until somebody chooses */
  names = [];
  dates = true;
  offered = "";
  node = make("details", "ch-menu");
  summary = make("summary", "ch-button", "Columns", { title: "Choose the columns that are shown and saved" });
  panel = make("div", "ch-menu-panel");
  find = make("input", "ch-input", "", { type: "search", placeholder: "Find a column", "aria-label": "Find a column", autocomplete: "off" });
  list = make("div", "ch-menu-list", "", { role: "group", "aria-label": "Columns" });
  rest = make("div", "ch-muted");
  asDates = make("input", "", "", { type: "checkbox" });

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    this.asDates.checked = true;
    this.asDates.addEventListener("change", () => {
      this.dates = this.asDates.checked;
      this.onChange();
    });
    const dates = make("label", "ch-menu-item", "", { title: "Numbers of milliseconds since 1970, and texts of dates and times" });
    dates.append(this.asDates, "Times as dates");
    const tools = make("div", "ch-menu-tools");
    tools.append(button("", "All", () => this.tick(() => true)), button("", "None", () => this.tick((_, at) => at === 0)));
    this.find.addEventListener("input", () => this.narrow());
    this.panel.append(this.find, tools, this.list, this.rest, dates);
    this.node.append(this.summary, this.panel);
    this.node.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.node.open) return;
      this.node.open = false;
      this.summary.focus();
      event.stopPropagation();
    });
    this.node.addEventListener("focusout", (event) => {
      if (event.relatedTarget instanceof Node && !this.node.contains(event.relatedTarget)) this.node.open = false;
    });
  }

  reset() {
    this.names = [];
    this.offered = "";
    this.dates = this.asDates.checked = true;
  }

  chosen() {
    return this.names;
  }

  boxes() {
    return /** @type {HTMLInputElement[]} */ ([...this.list.querySelectorAll("input")]);
  }

  /** @param {TableColumn[]} columns @param {number} total */
  offer(columns, total) {
    const known = new Set(columns.map(([name]) => name));
    const key = [...known].sort().join("\n");
    const shown = columns.filter(([, , is]) => is).map(([name]) => name);
    if (key !== this.offered) {
      this.offered = key;
      this.list.replaceChildren(...columns.map(([name]) => {
        const item = make("label", "ch-menu-item");
        const box = item.appendChild(make("input", "", "", { type: "checkbox", value: name }));
        box.addEventListener("change", () => this.onTick());
        showName(item.appendChild(make("span")), name);
        item.title = name;
        return item;
      }));
      this.find.hidden = columns.length < SEARCHED;
      this.find.value = "";
      this.rest.textContent = total > columns.length ? `and ${number(total - columns.length)} more, which only a file has` : "";
    }
    for (const box of this.boxes()) box.checked = shown.includes(box.value);
  }

  onTick() {
    const boxes = this.boxes();
    const ticked = boxes.filter((box) => box.checked).map((box) => box.value);
    if (!ticked.length) return this.tick((_, at) => at === 0);
    this.names = ticked;
    this.onChange();
  }

  /** @param {(box: HTMLInputElement, at: number) => boolean} is */
  tick(is) {
    this.boxes().forEach((box, at) => {
      box.checked = is(box, at);
    });
    this.onTick();
  }

  narrow() {
    const text = this.find.value.trim().toLowerCase();
    for (const box of this.boxes()) /** @type {HTMLElement} */ (box.parentElement).hidden = !box.value.toLowerCase().includes(text);
  }
}
