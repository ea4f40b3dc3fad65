// The front end of FilePreview (widget.py): what a file is, and its first records as lines, a tree and a table.

import { copyButton } from "../base/copy.js";
import { button, bytes, later, make, number, plural, showName } from "../base/text.js";
import { View } from "../base/view.js";
import { DataTable } from "../table/table.js";
import { Tree, showLine } from "./tree.js";
import { factsText, isJson, linesText, recordAt } from "./words.js";

/** @import { RenderProps } from "../base/model.js" */
/** @import { FileMessage, LineMessage, PreviewMessage, PreviewRequest, PreviewTraits, ShownLine, TreeMessage } from "./messages.js" */
/** @typedef {"lines" | "tree" | "table"} Tab */

const SKELETON_MS = 150; // a store that answers sooner shows no placeholder
const OPEN_NODES = 60; // of a tree are on show from the start
/** @type {Tab[]} */
const TABS = ["lines", "tree", "table"];
const NOTHING = "Choose a file to see its first records. One small request is made for it, whether it has a kilobyte or terabytes.";

/** @extends {View<PreviewTraits, PreviewMessage, PreviewRequest>} */
class PreviewView extends View {
  /** @type {FileMessage} */
  file = { kind: "file", generation: -1, uri: "", state: "empty", facts: null, views: [] };
  /** @type {FileMessage["views"]} */
  views = [];
  /** @type {Tab} the one on show, and the one that was chosen */
  tab = "lines";
  /** @type {Tab | null} */
  wanted = null;
  record = 0; // the line that the tree shows
  asView = -1; // the index of the view whose rows the table has; -1 for the lines
  tree = new Tree();
  name = make("div", "ch-title ch-label", "", { dir: "ltr" });
  codec = make("span", "ch-codec-mark");
  copy = copyButton("Copy path", () => this.file.uri, { says: "Copy path" });
  path = make("div", "ch-preview-path ch-mono ch-muted ch-label", "", { dir: "ltr" });
  about = make("div", "ch-preview-facts ch-muted ch-numbers", "", { role: "status" });
  problem = make("div", "ch-error ch-preview-problem", "", { role: "alert" });
  problemText = this.problem.appendChild(make("span", "ch-error-text"));
  tabs = { lines: this.makeTab("lines", "Lines"), tree: this.makeTab("tree", "Tree"), table: this.makeTab("table", "Table") };
  back = button("ch-step", "‹", () => this.step(-1), { "aria-label": "Record before" });
  on = button("ch-step", "›", () => this.step(1), { "aria-label": "Next record" });
  position = make("span", "ch-muted ch-numbers", "", { role: "status" });
  asWhat = make("select", "ch-input", "", { "aria-label": "The table shows" });
  table = new DataTable(this.id, "Rows of the file", (request) => this.ask(request));
  download = button("", "Download", () => this.saveFile(), { title: "The file as it is stored, all of it" });
  saved = make("span", "ch-muted ch-numbers", "", { role: "status" });
  panel = make("div", "ch-preview-panel", "", { role: "tabpanel", id: `${this.id}-panel`, tabindex: "0" });

  /** @param {RenderProps<PreviewTraits>} props */
  constructor({ model, el }) {
    super(model, el, "preview ch-panel", "Inside a file");
    this.table.saving.tell = (text, bad) => this.onSaving(text, bad);
    this.node.append(this.makeHead(), this.problem, this.makeError(() => this.ask({ kind: "retry" })), this.makeTabs(), this.panel);
    this.skeletonSoon = later(SKELETON_MS, () => this.showSkeleton());
    this.hearMessages({
      file: (message, isNew) => this.onFile(message, isNew),
      line: (message) => this.onLine(message),
      tree: (message) => this.onTree(message),
      ...this.table.hears(),
    });
    this.hear({ "change:height": () => this.onHeight() });
    this.onHeight();
    this.hello();
  }

  close() {
    super.close();
    this.skeletonSoon.cancel();
    this.table.close();
  }

  saveFile() {
    const { saving } = this.table;
    if (saving.busy) saving.stop();
    else this.ask({ kind: "saveFile", view: this.id, saving: saving.begin(), subject: this.file.uri });
  }

  /** @param {string} text @param {boolean} [bad] */
  onSaving(text, bad = false) {
    this.saved.textContent = text;
    this.saved.classList.toggle("ch-bad", bad);
    this.download.textContent = this.table.saving.busy ? "Stop" : "Download";
    this.table.onState();
  }

  // What it is

  makeHead() {
    const head = make("div", "ch-bar ch-preview-head");
    const line = make("div", "ch-preview-line");
    line.append(this.name, this.codec, this.saved, this.copy, this.download);
    head.append(line, this.path, this.about);
    return head;
  }

  /** @param {FileMessage} message @param {boolean} isNew */
  onFile(message, isNew) {
    if (isNew) {
      this.record = 0;
      this.saved.textContent = "";
    }
    this.file = message;
    this.skeletonSoon.cancel();
    if (message.state === "reading") this.skeletonSoon();
    else this.show();
    this.node.setAttribute("aria-busy", String(message.state === "reading"));
    if (!message.uri) return;
    showName(this.name, message.uri.replace(/^.*\/(?=.)/s, ""));
    showName(this.path, message.uri);
    this.path.title = message.uri;
  }

  show() {
    const { uri, facts } = this.file;
    for (const part of [this.copy, this.path]) part.hidden = !uri;
    this.download.hidden = !facts;
    if (!uri) this.name.textContent = "Look inside a file";
    this.codec.textContent = facts ? (facts.codec ?? "unknown") : "";
    this.codec.hidden = !facts;
    this.about.textContent = facts ? factsText(facts) : uri ? "" : "Its first records, whatever its size";
    showName(this.problemText, facts?.problem ?? "");
    this.problem.classList.toggle("ch-shown", Boolean(facts?.problem));
    const json = facts ? facts.lines.findIndex(isJson) : -1;
    for (const name of TABS) this.tabs[name].disabled = name === "lines" ? !facts : json < 0;
    if (json >= 0) this.record = json;
    if (facts) this.offerViews(this.file);
    this.choose(json < 0 ? "lines" : (this.wanted ?? this.tab), false);
  }

  /** The views that there are of a file; the one that was chosen stays chosen where the next file has it. @param {FileMessage} message */
  offerViews({ views }) {
    const before = this.views[this.asView]?.join("/");
    this.views = views;
    this.asView = views.findIndex((view) => view.join("/") === before);
    this.asWhat.replaceChildren(make("option", "", "as records", { value: "-1" }), ...views.map(([, view], at) => make("option", "", `as ${view}`, { value: String(at) })));
    this.asWhat.value = String(this.asView);
  }

  // The tabs

  /** @param {Tab} name @param {string} title */
  makeTab(name, title) {
    const tab = make("button", "ch-tab", title, { type: "button", role: "tab", id: `${this.id}-${name}`, "aria-controls": `${this.id}-panel` });
    tab.addEventListener("click", () => this.choose(name));
    return tab;
  }

  makeTabs() {
    const bar = make("div", "ch-bar ch-preview-tabs");
    const list = make("div", "ch-tabs", "", { role: "tablist", "aria-label": "How it is shown" });
    list.append(...TABS.map((name) => this.tabs[name]));
    list.addEventListener("keydown", (event) => {
      const live = TABS.filter((name) => !this.tabs[name].disabled);
      const at = live.indexOf(this.tab);
      /** @type {Record<string, number>} */
      const steps = { ArrowRight: at + 1, ArrowLeft: at - 1 + live.length, Home: 0, End: live.length - 1 };
      const to = steps[event.key];
      if (to === undefined || !live.length) return;
      event.preventDefault();
      this.choose(live[to % live.length]);
      this.tabs[this.tab].focus();
    });
    this.asWhat.addEventListener("change", () => {
      this.asView = Number(this.asWhat.value);
      this.askTable();
    });
    const side = make("div", "ch-preview-side");
    side.append(this.position, this.back, this.on, this.asWhat);
    bar.append(list, side);
    return bar;
  }

  /** @param {Tab} name */
  choose(name, wanted = true) {
    if (wanted) this.wanted = name; // a file of plain text between two others does not change what one looks at
    this.tab = name;
    for (const other of TABS) {
      const tab = this.tabs[other];
      tab.setAttribute("aria-selected", String(other === name && !tab.disabled));
      tab.tabIndex = other === name ? 0 : -1;
    }
    this.panel.setAttribute("aria-labelledby", `${this.id}-${name}`);
    this.panel.scrollTop = this.panel.scrollLeft = 0;
    this.panel.classList.toggle("ch-preview-holds-table", name === "table");
    this.position.textContent = "";
    this.back.hidden = this.on.hidden = this.asWhat.hidden = true;
    if (!this.file.facts) this.showPlaceholder();
    else if (name === "lines") this.showLines();
    else if (name === "tree") this.step(0);
    else this.askTable();
  }

  showPlaceholder() {
    const text = { empty: NOTHING, failed: "It could not be read.", reading: "", shown: "" }[this.file.state];
    this.panel.replaceChildren(make("div", "ch-placeholder", text));
  }

  showSkeleton() {
    for (const part of [this.copy, this.path]) part.hidden = false;
    for (const tab of Object.values(this.tabs)) tab.disabled = true;
    this.problem.classList.remove("ch-shown");
    this.about.textContent = "Reading";
    this.codec.hidden = this.back.hidden = this.on.hidden = this.asWhat.hidden = true;
    this.position.textContent = "";
    const bones = [62, 84, 47, 71, 90, 55, 78].map((width) => {
      const bone = make("div", "ch-preview-bone");
      bone.style.width = `${width}%`;
      return bone;
    });
    this.panel.replaceChildren(...bones);
  }

  // Lines

  showLines() {
    const { facts } = this.file;
    if (!facts) return;
    if (!facts.lines.length) {
      const nothing = facts.complete ? "The file holds no lines." : "There is no whole line to show.";
      return void this.panel.replaceChildren(make("div", "ch-placeholder", nothing));
    }
    this.position.textContent = linesText(facts.lines.length, facts.linesRead);
    this.panel.replaceChildren(...facts.lines.map((line, at) => this.makeLine(line, at)));
  }

  /** @param {ShownLine} line @param {number} at */
  makeLine([text, isLong, json], at) {
    const row = make("div", "ch-preview-text");
    const lineNumber = row.appendChild(make(json ? "button" : "span", "ch-preview-number", String(at + 1)));
    if (json) {
      Object.assign(lineNumber, { type: "button", tabIndex: -1, title: "Show as a tree" }); // by keyboard: the tab Tree
      lineNumber.addEventListener("click", () => {
        this.record = at;
        this.choose("tree");
      });
    }
    const body = row.appendChild(make("div", "ch-preview-body ch-mono", "", { dir: "ltr" }));
    showLine(body, text);
    if (isLong) {
      const whole = () => this.ask({ kind: "line", generation: this.generation, n: at });
      body.append("… ", button("ch-preview-whole", "Show all of this line", whole));
    }
    return row;
  }

  /** @param {LineMessage} message */
  onLine({ n, text, size, cut }) {
    const body = this.tab === "lines" && this.panel.children[n]?.lastElementChild;
    if (!body) return;
    const focused = body.contains(document.activeElement);
    showLine(body, text);
    if (cut) body.append(make("span", "ch-muted", ` … only its first part is kept: the line has ${bytes(size)}`));
    if (focused) this.panel.focus({ preventScroll: true });
  }

  // The tree

  /** Show the record some lines on that is JSON; 0 is the one that is meant now. @param {number} by */
  step(by) {
    const { facts } = this.file;
    if (!facts) return;
    const { lines } = facts;
    this.record = recordAt(lines, this.record, by);
    this.back.hidden = this.on.hidden = false;
    this.back.disabled = recordAt(lines, this.record, -1) === this.record;
    this.on.disabled = recordAt(lines, this.record, 1) === this.record;
    this.position.textContent = `line ${number(this.record + 1)} of ${number(lines.length)}`;
    this.ask({ kind: "tree", generation: this.generation, n: this.record });
  }

  /** @param {TreeMessage} message */
  onTree({ n, nodes, leftOut }) {
    if (this.tab !== "tree" || n !== this.record) return;
    this.tree.show(nodes, OPEN_NODES, `Line ${n + 1}`);
    this.panel.replaceChildren(this.tree.node);
    if (leftOut) this.panel.append(make("div", "ch-preview-rest ch-muted", `and ${plural(leftOut, "value")} more, which are not shown`));
  }

  // The table

  askTable() {
    const shows = this.views[this.asView]?.join("/") ?? "";
    this.asWhat.hidden = !this.views.length;
    this.panel.replaceChildren(this.table.node);
    this.table.open(this.file.uri, shows);
  }

  onHeight() {
    this.panel.style.setProperty("--ch-height", `${this.model.get("height")}px`);
  }
}

export default {
  /** @param {RenderProps<PreviewTraits>} props */
  render(props) {
    const view = new PreviewView(props);
    return () => view.close();
  },
};
