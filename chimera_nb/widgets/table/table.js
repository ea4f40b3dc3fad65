// A table of records that is sorted, filtered, opened and saved by the kernel: as many rows as one scrolls to.

import { button, later, make, setText, showName, within } from "../base/text.js";
import { ColumnChoice } from "./columns.js";
import { Filters } from "./filters.js";
import { Saving } from "./saving.js";
import { columnsText, rowsText } from "./words.js";

/** @import { ChunkMessage, Look, MoreRows, NextChunk, SaveTable, SavingMessage, StopLook, StopSaving, TableColumn, TableMessage } from "./requests.js" */
/** @typedef {Look | MoreRows | StopLook | SaveTable | NextChunk | StopSaving} TableRequest */

const TYPING_MS = 250;
const AHEAD = 300; // pixels before the end at which more rows are asked for
const TITLED = 30; // characters of a cell from which on the whole of it is shown under the pointer

/** What a kind of column is called. @type {Record<string, string>} */
const ZONES = { time: "UTC" };

export class DataTable {
  look = 0; // the number of the last question; what answers another is late
  subject = "";
  shows = "";
  sort = "";
  descending = false;
  explode = "";
  /** @type {TableColumn[]} */
  columns = [];
  /** @type {TableMessage | null} */
  message = null;
  more = false; // whether rows were asked for that are not there yet
  rows = 0; // on screen
  node = make("div", "ch-datatable");
  search = make("input", "ch-input ch-table-search", "", { type: "search", placeholder: "Find in the rows", "aria-label": "Find in the rows", spellcheck: "false", autocomplete: "off" });
  rowsOf = make("select", "ch-input ch-table-explode", "", { "aria-label": "A row for each" });
  choice = new ColumnChoice(() => this.ask());
  told = make("span", "ch-muted ch-numbers ch-table-told", "", { role: "status" });
  saved = make("span", "ch-muted ch-numbers ch-table-saved", "", { role: "status" });
  scroller = make("div", "ch-scrolls ch-table-scroller", "", { tabindex: "0", role: "region" });
  table = make("table", "ch-table");
  head = this.table.appendChild(make("thead")).appendChild(make("tr"));
  body = this.table.appendChild(make("tbody"));
  nothing = make("div", "ch-placeholder");

  /**
   * `ask` sends a request, `view` is the front end's id, `label` names the table.
   * @param {string} view
   * @param {string} label
   * @param {(request: TableRequest) => void} ask
   */
  constructor(view, label, ask) {
    this.view = view;
    this.send = ask;
    this.soon = later(TYPING_MS, () => this.ask());
    this.filters = new Filters(() => this.ask(), () => this.soon());
    this.saving = new Saving(view, ask, (text, bad) => this.onSaving(text, bad));
    this.wholly = button("", "Look through all", () => this.ask(true), { title: "All rows are looked through, which takes a while" });
    this.halt = button("", "Stop", () => this.stop());
    this.csv = button("", "Save CSV", () => this.save("csv"), { title: "A file of all rows that match, in this order and with these columns" });
    this.xlsx = button("", "Save Excel", () => this.save("xlsx"), { title: "An Excel workbook of all rows that match, in this order and with these columns" });
    this.filter = button("", "Filter", () => this.filters.add(this.sort || undefined), { title: "Keep the rows whose column is, contains or is at least something" });
    this.clear = button("", "Clear", () => this.reset(), { title: "No filters, no order, all columns" });
    this.scroller.setAttribute("aria-label", label);
    this.scroller.append(this.table, this.nothing);
    const tools = make("div", "ch-table-tools");
    tools.append(this.search, this.filter, this.rowsOf, this.choice.node, this.clear, this.csv, this.xlsx);
    const line = make("div", "ch-table-line");
    line.append(this.told, this.wholly, this.halt, this.saved);
    this.node.append(tools, this.filters.node, line, this.scroller);
    this.search.addEventListener("input", () => this.soon());
    this.rowsOf.addEventListener("change", () => {
      this.explode = this.rowsOf.value;
      this.choice.reset();
      this.ask();
    });
    this.head.addEventListener("click", (event) => this.onHead(event));
    this.scroller.addEventListener("scroll", () => this.onScroll(), { passive: true });
    this.onState();
  }

  close() {
    this.soon.cancel();
  }

  /** Show the rows of something, from the beginning. @param {string} subject @param {string} shows */
  open(subject, shows = "") {
    this.subject = subject;
    this.shows = shows;
    this.forget();
    this.ask();
  }

  forget() {
    this.search.value = this.sort = this.explode = "";
    this.descending = false;
    this.filters.clear();
    this.choice.reset();
    this.columns = [];
    this.message = null;
    this.head.replaceChildren();
    this.body.replaceChildren();
    this.saved.textContent = "";
  }

  reset() {
    this.search.value = this.sort = this.explode = "";
    this.descending = false;
    this.filters.clear();
    this.choice.reset();
    this.ask();
    this.search.focus();
  }

  // What is asked

  query() {
    const text = this.search.value.trim();
    return {
      view: this.view, subject: this.subject, shows: this.shows, explode: this.explode, sort: this.sort, descending: this.descending,
      conditions: [...(text ? [["", "contains", text]] : []), ...this.filters.conditions()], columns: this.choice.chosen(), dates: this.choice.dates,
    };
  }

  ask(whole = false) {
    this.soon.cancel();
    this.look += 1;
    this.more = false;
    this.node.setAttribute("aria-busy", "true");
    this.send({ kind: "look", look: this.look, whole, ...this.query() });
    this.onState();
  }

  stop() {
    if (this.saving.busy) this.saving.stop();
    else this.send({ kind: "stopLook", view: this.view });
  }

  /** @param {"csv" | "xlsx"} format */
  save(format) {
    this.send({ kind: "saveTable", saving: this.saving.begin(), format, ...this.query() });
    this.onState();
  }

  /** @param {Event} event */
  onHead(event) {
    const name = within(event, "button")?.dataset.name;
    if (name === undefined) return;
    // First up, then down, then as the records come.
    if (this.sort !== name) [this.sort, this.descending] = [name, false];
    else if (!this.descending) this.descending = true;
    else [this.sort, this.descending] = ["", false];
    this.ask();
  }

  onScroll() {
    const { scroller, message } = this;
    if (!message || this.more || this.rows >= message.kept) return;
    if (scroller.scrollTop + scroller.clientHeight < scroller.scrollHeight - AHEAD) return;
    this.more = true;
    this.send({ kind: "moreRows", view: this.view, begin: this.rows });
  }

  // What comes

  /** @param {TableMessage} message */
  take(message) {
    if (message.view !== this.view || message.look !== this.look) return;
    this.more = false;
    if (message.begin) {
      if (message.begin === this.rows) this.append(message.rows);
      return;
    }
    this.message = message;
    this.columns = message.columns;
    this.node.setAttribute("aria-busy", String(message.state === "looking"));
    this.showHead();
    this.body.replaceChildren();
    this.rows = 0;
    this.scroller.scrollTop = 0;
    this.append(message.rows);
    this.filters.offer(message.columns.map(([name]) => name));
    this.choice.offer(message.columns, message.columnsTotal);
    this.offerLists(message.lists);
    this.onState();
  }

  /** @param {string[]} lists */
  offerLists(lists) {
    const names = this.explode && !lists.includes(this.explode) ? [this.explode, ...lists] : lists;
    const label = make("option", "", "A row for each record", { value: "" });
    this.rowsOf.replaceChildren(label, ...names.map((name) => {
      const option = make("option", "", "", { value: name });
      showName(option, `A row for each item of ${name}`);
      return option;
    }));
    this.rowsOf.value = this.explode;
    this.rowsOf.hidden = !names.length;
  }

  showHead() {
    const focused = document.activeElement instanceof HTMLElement && this.head.contains(document.activeElement) ? document.activeElement.dataset.name : undefined;
    this.head.replaceChildren(...this.shown().map(([name, kind]) => {
      const cell = make("th", kind === "number" ? "ch-right" : "", "", { scope: "col" });
      const sorts = name === this.sort;
      cell.setAttribute("aria-sort", sorts ? (this.descending ? "descending" : "ascending") : "none");
      const label = make("span");
      showName(label, name);
      const sort = cell.appendChild(make("button", "ch-sort", "", { type: "button", "data-name": name, title: sorts ? (this.descending ? "Sorted from the highest; click for the order of the records" : "Sorted from the lowest; click for the other way round") : "Sort by this column" }));
      sort.append(label, make("span", "ch-arrow", sorts ? (this.descending ? "↓" : "↑") : "", { "aria-hidden": "true" }));
      if (ZONES[kind]) sort.append(make("span", "ch-zone", ZONES[kind]));
      return cell;
    }));
    if (focused !== undefined) [...this.head.querySelectorAll("button")].find((each) => each.dataset.name === focused)?.focus({ preventScroll: true });
  }

  shown() {
    return this.columns.filter(([, , shown]) => shown);
  }

  /** @param {string[][]} rows */
  append(rows) {
    const shown = this.shown();
    this.body.append(...rows.map((row) => {
      const line = make("tr");
      row.forEach((text, at) => {
        const cell = line.appendChild(make("td", shown[at]?.[1] === "number" ? "ch-right" : "", "", text.length > TITLED ? { title: text } : {}));
        showName(cell, text);
      });
      return line;
    }));
    this.rows += rows.length;
  }

  /** @param {string} text @param {boolean} [bad] */
  onSaving(text, bad = false) {
    setText(this.saved, text);
    this.saved.classList.toggle("ch-bad", bad);
    this.onState();
  }

  onState() {
    const { message } = this;
    const waits = !message || message.look !== this.look || message.state === "looking";
    const { conditions, columns } = this.query();
    const asked = { filtered: conditions.length > 0, sorted: Boolean(this.sort), exploded: Boolean(this.explode) };
    const [text, partial] = message && message.state !== "failed" ? rowsText(message, asked) : ["", false];
    if (message && message.look === this.look) setText(this.told, text);
    else if (!message) setText(this.told, "Reading the rows");
    this.told.classList.toggle("ch-warn", partial);
    this.wholly.hidden = waits || !partial;
    this.halt.hidden = !this.saving.busy && !(message?.look === this.look && message.state === "looking");
    this.clear.hidden = !(asked.filtered || asked.sorted || asked.exploded || columns.length || this.filters.lines.length);
    const none = !message || message.state === "failed" || (!message.rows.length && !asked.filtered);
    for (const each of [this.csv, this.xlsx]) each.disabled = this.saving.busy || none;
    this.body.classList.toggle("ch-dim", waits);
    this.nothing.hidden = !message || waits || message.rows.length > 0;
    if (message && !this.nothing.hidden) {
      showName(this.nothing, message.state === "failed" ? message.error : asked.filtered ? "No row matches." : "There are no rows to show.");
      this.nothing.classList.toggle("ch-bad", message.state === "failed");
    }
    this.choice.summary.textContent = columnsText(this.shown().length, message?.columnsTotal ?? 0);
  }

  /** What the widget hears for its table, by kind. */
  hears() {
    return {
      table: (/** @type {TableMessage} */ message) => this.take(message),
      chunk: (/** @type {ChunkMessage} */ message) => this.saving.take(message),
      saving: (/** @type {SavingMessage} */ message) => this.saving.hear(message),
    };
  }
}
