// The view of FilePreview (file_preview.py): what a file is, and its first records as lines, a tree and a table.

const SKELETON_MS = 150; // a store that answers sooner shows no placeholder
const OPEN_NODES = 60; // of a tree are on show from the start
const TABS = [["lines", "Lines"], ["tree", "Tree"], ["table", "Table"]];
const roughly = new Intl.NumberFormat("en-US", { notation: "compact", compactDisplay: "long", maximumSignificantDigits: 2 });

class PreviewView extends View {
  constructor(model, el) {
    super(model, el, "preview ch-panel", "Inside a file");
    Object.assign(this, { file: { view: -1, state: "empty" }, tab: "lines", record: 0, id: `ch-preview-${Math.random().toString(36).slice(2)}` });
    this.tree = new Tree();
    this.node.append(this.makeHead(), this.makeProblem(), this.makeError(() => this.ask("retry")), this.makeTabs(), this.makePanel());
    this.skeletonSoon = later(SKELETON_MS, () => this.showSkeleton());
    this.hear({
      "msg:custom": (message) => this[`on_${message.kind}`]?.(message),
      "change:height": () => this.onHeight(),
    });
    this.onHeight();
    this.ask("hello");
  }

  close() {
    super.close();
    this.skeletonSoon.cancel();
  }

  // What it is

  makeHead() {
    const head = make("div", "ch-bar ch-preview-head");
    this.name = make("div", "ch-title ch-label", "", { dir: "ltr" });
    this.codec = make("span", "ch-codec-mark");
    this.copy = copyButton("Copy path", () => this.file.uri, { says: "Copy path" });
    this.path = make("div", "ch-preview-path ch-mono ch-muted ch-label", "", { dir: "ltr" });
    this.facts = make("div", "ch-preview-facts ch-muted ch-numbers", "", { role: "status" });
    const line = make("div", "ch-preview-line");
    line.append(this.name, this.codec, this.copy);
    head.append(line, this.path, this.facts);
    return head;
  }

  makeProblem() {
    this.problem = make("div", "ch-error ch-preview-problem", "", { role: "alert" });
    this.problem.append(make("span", "ch-error-text"));
    return this.problem;
  }

  on_file(message) {
    if (message.view < this.file.view) return;
    const other = message.view > this.file.view;
    this.file = message;
    if (other) Object.assign(this, { record: 0, explode: "" });
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
    const { file } = this;
    const shown = file.state === "shown";
    for (const part of [this.copy, this.path]) part.hidden = !file.uri;
    if (!file.uri) this.name.textContent = "Look inside a file";
    this.codec.textContent = shown ? file.codec ?? "unknown" : "";
    this.codec.hidden = !shown;
    this.facts.textContent = shown ? this.factsText() : file.uri ? "" : "Its first records, whatever its size";
    showName(this.problem.firstChild, shown ? this.problemText() : "");
    this.problem.classList.toggle("ch-shown", Boolean(shown && file.problem));
    const json = shown && file.lines.some(([, , isJson]) => isJson);
    for (const [name] of TABS) this.tabs[name].disabled = name === "lines" ? !shown : !json;
    if (json) this.record = Math.max(0, file.lines.findIndex(([, , isJson]) => isJson));
    this.choose(json ? this.wanted ?? this.tab : "lines", false);
  }

  problemText() {
    const { problem } = this.file;
    if (!problem) return "";
    // Reasons begin with "is", or are sentences of their own.
    return `${/^is /.test(problem) ? "This file" : "This file cannot be used:"} ${problem}.`;
  }

  factsText() {
    const { size, readBytes, rawBytes, complete, estimatedRawBytes: raw, estimatedLines: lines, note } = this.file;
    const parts = [`${bytes(size)} stored`];
    if (complete) parts.push(`${bytes(raw)} raw`, plural(lines, "line"));
    else if (raw) {
      const guess = [`about ${bytes(raw)} raw`];
      if (lines) guess.push(`about ${roughly.format(lines)} lines`);
      parts.push(`${guess.join(", ")} (from the first ${bytes(readBytes)})`);
    } else if (rawBytes) parts.push(`${bytes(rawBytes)} raw in what could be read`);
    return [parts.join("  ·  "), note && note[0].toUpperCase() + note.slice(1)].filter(Boolean).join("\n");
  }

  // The tabs

  makeTabs() {
    const bar = make("div", "ch-bar ch-preview-tabs");
    const list = make("div", "ch-tabs", "", { role: "tablist", "aria-label": "How it is shown" });
    this.tabs = {};
    for (const [name, title] of TABS) {
      const tab = make("button", "ch-tab", title, { type: "button", role: "tab", id: `${this.id}-${name}`, "aria-controls": `${this.id}-panel` });
      tab.addEventListener("click", () => this.choose(name));
      this.tabs[name] = list.appendChild(tab);
    }
    list.addEventListener("keydown", (event) => {
      const live = TABS.map(([name]) => name).filter((name) => !this.tabs[name].disabled);
      const at = live.indexOf(this.tab);
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1 + live.length, Home: 0, End: live.length - 1 }[event.key];
      if (to === undefined || !live.length) return;
      event.preventDefault();
      this.choose(live[to % live.length]);
      this.tabs[this.tab].focus();
    });
    this.back = button("ch-step", "‹", () => this.step(-1), { "aria-label": "Record before" });
    this.on = button("ch-step", "›", () => this.step(1), { "aria-label": "Next record" });
    this.place = make("span", "ch-muted ch-numbers", "", { role: "status" });
    this.rowsOf = make("select", "ch-input", "", { "aria-label": "A row for each" });
    this.rowsOf.addEventListener("change", () => {
      this.explode = this.rowsOf.value;
      this.askTable();
    });
    const side = make("div", "ch-preview-side");
    side.append(this.place, this.back, this.on, this.rowsOf);
    bar.append(list, side);
    return bar;
  }

  makePanel() {
    this.panel = make("div", "ch-preview-panel", "", { role: "tabpanel", id: `${this.id}-panel`, tabindex: "0" });
    return this.panel;
  }

  choose(name, wanted = true) {
    if (wanted) this.wanted = name; // a file of plain text between two others does not change what one looks at
    this.tab = name;
    for (const [other, tab] of Object.entries(this.tabs)) {
      tab.setAttribute("aria-selected", String(other === name && !tab.disabled));
      tab.tabIndex = other === name ? 0 : -1;
    }
    this.panel.setAttribute("aria-labelledby", `${this.id}-${name}`);
    this.panel.scrollTop = this.panel.scrollLeft = 0;
    this.place.textContent = "";
    this.back.hidden = this.on.hidden = this.rowsOf.hidden = true;
    if (this.file.state !== "shown") return this.showPlaceholder();
    if (name === "lines") this.showLines();
    else if (name === "tree") this.step(0);
    else this.askTable();
  }

  showPlaceholder() {
    const text = { empty: "Choose a file to see its first records. One small request is made for it, whether it has a kilobyte or terabytes.", failed: "It could not be read." };
    this.panel.replaceChildren(make("div", "ch-placeholder", text[this.file.state] ?? ""));
  }

  showSkeleton() {
    for (const part of [this.copy, this.path]) part.hidden = false;
    for (const tab of Object.values(this.tabs)) tab.disabled = true;
    this.problem.classList.remove("ch-shown");
    this.facts.textContent = "Reading";
    this.codec.hidden = this.back.hidden = this.on.hidden = this.rowsOf.hidden = true;
    this.place.textContent = "";
    this.panel.replaceChildren(...[62, 84, 47, 71, 90, 55, 78].map((width) => {
      const bone = make("div", "ch-preview-bone");
      bone.style.width = `${width}%`;
      return bone;
    }));
  }

  // Lines

  showLines() {
    const { lines, linesRead } = this.file;
    if (!lines.length) {
      const nothing = this.file.complete ? "The file holds no lines." : "There is no whole line to show.";
      return void this.panel.replaceChildren(make("div", "ch-placeholder", nothing));
    }
    this.place.textContent = lines.length < linesRead ? `the first ${number(lines.length)} of ${plural(linesRead, "line")} read` : plural(lines.length, "line");
    this.panel.replaceChildren(...lines.map((line, at) => this.makeLine(line, at)));
  }

  makeLine([text, isLong, isJson], at) {
    const row = make("div", "ch-preview-text");
    const place = row.appendChild(make(isJson ? "button" : "span", "ch-preview-number", String(at + 1)));
    if (isJson) {
      Object.assign(place, { type: "button", tabIndex: -1, title: "Show as a tree" }); // by keyboard: the tab Tree
      place.addEventListener("click", () => {
        this.record = at;
        this.choose("tree");
      });
    }
    const body = row.appendChild(make("div", "ch-preview-body ch-mono", "", { dir: "ltr" }));
    showLine(body, text);
    if (isLong) {
      body.append("… ", button("ch-preview-whole", "Show all of this line", () => this.ask("line", { view: this.file.view, n: at })));
    }
    return row;
  }

  on_line({ view, n, text, size, cut }) {
    const body = view === this.file.view && this.tab === "lines" && this.panel.children[n]?.lastChild;
    if (!body) return;
    const focused = body.contains(document.activeElement);
    showLine(body, text);
    if (cut) body.append(make("span", "ch-muted", ` … only its first part is kept: the line has ${bytes(size)}`));
    if (focused) this.panel.focus({ preventScroll: true });
  }

  // The tree

  /** Show the record some places on that is JSON; 0 is the one that is meant now. */
  step(by) {
    const { lines, view } = this.file;
    let at = this.record + by;
    while (at >= 0 && at < lines.length && by && !lines[at][2]) at += by;
    if (at >= 0 && at < lines.length) this.record = at;
    this.back.hidden = this.on.hidden = false;
    this.back.disabled = !lines.slice(0, this.record).some((line) => line[2]);
    this.on.disabled = !lines.slice(this.record + 1).some((line) => line[2]);
    this.place.textContent = `line ${number(this.record + 1)} of ${number(lines.length)}`;
    this.ask("tree", { view, n: this.record });
  }

  on_tree({ view, n, nodes, leftOut }) {
    if (view !== this.file.view || this.tab !== "tree" || n !== this.record) return;
    this.tree.show(nodes, OPEN_NODES, `Line ${n + 1}`);
    this.panel.replaceChildren(this.tree.node);
    if (leftOut) this.panel.append(make("div", "ch-preview-rest ch-muted", `and ${plural(leftOut, "value")} more, which are not shown`));
  }

  // The table

  askTable() {
    this.ask("table", { view: this.file.view, explode: this.explode ?? "" });
  }

  on_table(message) {
    if (message.view !== this.file.view || this.tab !== "table") return;
    const { columns, rows, moreRows, moreColumns, others, lists, explode } = message;
    this.rowsOf.replaceChildren(make("option", "", "A row for each line", { value: "" }));
    for (const name of lists) {
      const option = this.rowsOf.appendChild(make("option", "", "", { value: name }));
      option.textContent = `A row for each item of ${name}`;
    }
    this.rowsOf.value = this.explode = explode;
    this.rowsOf.hidden = !lists.length;
    const table = make("table", "ch-table");
    const head = table.appendChild(make("thead")).appendChild(make("tr"));
    for (const [name, numeric] of columns) showName(head.appendChild(make("th", numeric ? "ch-right" : "", "", { scope: "col" })), name);
    const body = table.appendChild(make("tbody"));
    for (const row of rows) {
      const line = body.appendChild(make("tr"));
      row.forEach((text, at) => {
        const cell = line.appendChild(make("td", columns[at][1] ? "ch-right" : ""));
        showLine(cell.appendChild(make("div", "ch-preview-cell", "", { dir: "ltr" })), text);
        if (text.length > 40) cell.title = text;
      });
    }
    const parts = [moreRows ? `the first ${plural(rows.length, "row")}` : plural(rows.length, "row")];
    if (moreColumns) parts.push(`${plural(moreColumns, "column")} more`);
    if (others) parts.push(`${plural(others, "line")} of no JSON object left out`);
    this.place.textContent = parts.join(", ");
    this.panel.replaceChildren(table);
  }

  onHeight() {
    this.panel.style.setProperty("--ch-height", `${this.model.get("height")}px`);
  }
}

export default {
  render({ model, el }) {
    const view = new PreviewView(model, el);
    return () => view.close();
  },
};
