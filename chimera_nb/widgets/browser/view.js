// The view of BucketBrowser (browser.py): it asks the kernel for rows and gestures, and draws what comes back.

const SKELETON_MS = 150; // a store that answers sooner shows no placeholder
const TYPING_MS = 120;
const PATTERN_MS = 500;
const CHIPS = 100; // selected URIs that are listed one by one

class BrowserView extends View {
  constructor(model, el) {
    super(model, el, "browser", "Bucket browser");
    Object.assign(this, { rows: null, from: null, above: null });
    this.list = new List((message) => model.send(message), (uri) => this.open(uri), (text) => this.type(text));
    this.node.append(this.makePath(), this.makeTools(), this.list.node, this.makeStatus(), this.makeError(() => this.ask("retry")), this.makeTray());
    this.skeletonSoon = later(SKELETON_MS, () => {
      this.list.skeleton = true;
      this.takeOver();
    });
    this.hear({
      "msg:custom": (message) => message.kind === "rows" && this.onRows(message),
      "change:selected": () => this.onSelected(),
      "change:total": () => this.onTotal(),
      "change:_match": () => this.onMatch(),
      "change:_places": () => this.onPlaces(),
      "change:height": () => this.onHeight(),
    });
    this.onHeight();
    this.onPlaces();
    this.onSelected();
    this.onMatch();
    this.ask("hello");
  }

  close() {
    super.close();
    for (const timer of [this.skeletonSoon, this.filterSoon, this.matchSoon]) timer.cancel();
    this.list.close();
  }

  // The path

  makePath() {
    const bar = make("div", "ch-path");
    this.up = button("ch-up", "", () => this.open(null), { "aria-label": "Up one folder", title: "Up (Backspace)" });
    this.crumbs = make("nav", "ch-crumbs", "", { "aria-label": "Path" });
    this.crumbs.addEventListener("click", (event) => event.target === this.crumbs && this.editPath());
    this.edit = button("ch-edit", "", () => this.editPath(), { "aria-label": "Edit the path", title: "Type or paste a path" });
    this.places = make("datalist", "", "", { id: `${this.list.id}-places` });
    this.pathBox = make("input", "ch-input ch-path-box", "", {
      type: "text", "aria-label": "Path", list: this.places.id, spellcheck: "false", autocomplete: "off", autocapitalize: "off",
    });
    this.pathBox.hidden = true;
    this.pathBox.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.leavePath();
      if (event.key !== "Enter") return;
      this.from = null;
      this.ask("go", { text: this.pathBox.value });
      this.leavePath();
    });
    this.pathBox.addEventListener("blur", () => this.leavePath(false));
    bar.append(this.up, this.crumbs, this.pathBox, this.edit, this.places);
    return bar;
  }

  editPath() {
    this.crumbs.hidden = this.edit.hidden = true;
    this.pathBox.hidden = false;
    this.pathBox.value = this.model.get("path");
    this.pathBox.focus();
    this.pathBox.select();
  }

  leavePath(refocus = true) {
    this.crumbs.hidden = this.edit.hidden = false;
    this.pathBox.hidden = true;
    if (refocus) this.list.node.focus({ preventScroll: true });
  }

  onPlaces() {
    this.places.replaceChildren(...this.model.get("_places").map((uri) => make("option", "", "", { value: uri })));
  }

  showCrumbs(crumbs) {
    const nodes = crumbs.flatMap(([label, uri], at) => {
      const here = at === crumbs.length - 1;
      const node = here ? make("span", "ch-crumb ch-here", "", { "aria-current": "page" }) : button("ch-crumb", "", () => this.open(uri));
      showName(node, label);
      node.title = uri;
      return at ? [make("span", "ch-slash", "/", { "aria-hidden": "true" }), node] : [node];
    });
    this.crumbs.replaceChildren(...nodes);
    this.crumbs.scrollLeft = this.crumbs.scrollWidth; // the end of a long path is what tells folders apart
  }

  /** Open a folder; null is the one above. */
  open(uri) {
    const to = uri ?? this.above;
    if (to === null) return;
    const here = this.rows?.folder ?? "";
    this.from = here.startsWith(to) && here !== to ? { to, name: here.slice(to.length).replace(/^(.*?\/).*$/s, "$1") } : null;
    this.filterSoon.cancel();
    this.ask("go", { text: to });
  }

  // Filter and pattern

  makeTools() {
    const bar = make("div", "ch-tools");
    this.filterSoon = later(TYPING_MS, () => this.ask("filter", { text: this.filter.value }));
    this.filter = make("input", "ch-input ch-filter", "", {
      type: "text", placeholder: "Filter by name", "aria-label": "Filter by name", spellcheck: "false", autocomplete: "off", autocapitalize: "off",
    });
    this.filter.addEventListener("input", () => this.filterSoon());
    this.filter.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.type("");
      else if (event.key === "ArrowDown" || event.key === "Enter") this.list.node.focus({ preventScroll: true });
      else return;
      event.preventDefault();
    });
    this.matchSoon = later(PATTERN_MS, () => this.match());
    this.glob = make("input", "ch-input ch-glob", "", {
      type: "text", placeholder: "Pattern: **/*.bz2", "aria-label": "Pattern", spellcheck: "false", autocomplete: "off", autocapitalize: "off",
      title: "* and ? within a folder, [a-z], ** for any depth; Enter adds it to the selection",
    });
    this.glob.addEventListener("input", () => this.matchSoon());
    this.glob.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.addPattern();
      if (event.key === "Escape") {
        this.glob.value = "";
        this.match();
      }
    });
    this.matched = make("span", "ch-matched", "", { role: "status" });
    this.stopMatch = button("ch-stop-match", "Stop", () => this.ask("stop_match"));
    this.add = button("ch-primary ch-add", "Add", () => this.addPattern(), { title: "Add the pattern to the selection" });
    const row = make("div", "ch-glob-row");
    row.append(this.glob, this.matched, this.stopMatch, this.add);
    bar.append(this.filter, row);
    return bar;
  }

  /** A key typed in the list goes on in the filter; "" clears it. */
  type(text) {
    this.filter.value = text ? this.filter.value + text : "";
    if (text) this.filter.focus();
    else this.list.node.focus({ preventScroll: true });
    this.filterSoon();
  }

  match() {
    this.matchSoon.cancel();
    this.ask("match", { text: this.glob.value });
  }

  addPattern() {
    if (this.glob.value.trim()) this.ask("add_pattern", { text: this.glob.value });
  }

  onMatch() {
    const match = this.model.get("_match");
    const known = match.text !== undefined;
    if (!known && document.activeElement !== this.glob) this.glob.value = "";
    const found = match.files === 0 && !match.more ? "matches no file" : tally(match);
    this.matched.textContent = known ? match.error || found : "** is any depth of folders";
    this.matched.title = match.example ? `such as ${match.example}` : this.matched.textContent;
    this.matched.classList.toggle("ch-bad", Boolean(match.error));
    this.stopMatch.classList.toggle("ch-absent", !match.active);
    this.add.disabled = !known || Boolean(match.error);
  }

  // Rows

  onRows(message) {
    if (this.rows && message.view < this.rows.view) return;
    if (!this.rows || message.view > this.rows.view) {
      if (this.rows?.folder !== message.folder || document.activeElement !== this.filter) this.filter.value = message.filter;
      this.rows = new Rows(message);
      this.showCrumbs(message.crumbs);
      this.above = message.above;
      this.up.disabled = message.above === null;
      this.whole.disabled = message.folder === "gs://";
      this.list.skeleton = false;
      this.skeletonSoon();
    }
    if (!this.rows.take(message)) return void this.ask("hello");
    // The rows of before stay until there is something to show in their place.
    if (this.rows.length || !this.rows.loading || this.list.rows === this.rows) this.takeOver();
    this.list.node.classList.toggle("ch-waiting", this.list.rows !== this.rows);
  }

  takeOver() {
    if (!this.rows.loading || this.rows.length) this.skeletonSoon.cancel();
    const from = this.from?.to === this.rows.folder ? this.from.name : null; // the last page of before may come yet
    this.list.show(this.rows, from);
    if (from !== null && this.rows.length) this.from = null;
    this.list.node.classList.remove("ch-waiting");
    this.onState();
  }

  makeStatus() {
    this.status = make("div", "ch-status", "", { role: "status" });
    return this.status;
  }

  onState() {
    const { rows } = this;
    const parts = [];
    if (rows.folders.length) parts.push(plural(rows.folders.length, "folder"));
    if (rows.objects.length) parts.push(plural(rows.objects.length, "file"));
    let text = parts.join(", ");
    if (text && !rows.complete) text += rows.failed ? " so far" : rows.loading ? ", loading more" : " so far; scroll for more";
    if (!text) text = rows.loading ? "Loading" : "";
    if (rows.unnamed) text += `; ${plural(rows.unnamed, "name")} left out that no text can show`;
    this.status.textContent = text;
    const nothing = !rows.length && rows.complete;
    this.list.empty.textContent = !nothing ? "" : this.emptyText();
    this.list.empty.hidden = !nothing;
  }

  emptyText() {
    const { folder, filter } = this.rows;
    if (filter) return `No name here holds “${filter}”. Clear the filter (Esc), or try a pattern.`;
    if (folder === "gs://") return "There is no bucket yet. Make one by putting files into it: chimera put FILES gs://bucket/folder";
    return "Nothing is in this folder. Go up (Backspace), or put files into it: chimera put FILES " + folder;
  }

  // The selection

  makeTray() {
    const tray = make("div", "ch-tray");
    const line = make("div", "ch-tray-line");
    this.total = button("ch-total", "", () => this.showChips(this.chips.hidden), { "aria-expanded": "false" });
    this.total.append(make("span", "ch-total-text", "", { role: "status" }));
    this.count = button("", "Stop", () => this.ask("count", { on: !this.model.get("total").counting }));
    this.clear = button("", "Clear", () => this.ask("clear"));
    this.whole = button("ch-whole", "Select this folder", () => this.list.gesture("all", this.list.active ?? 0), { title: "Ctrl+A" });
    this.chips = make("ul", "ch-chips", "", { "aria-label": "What is selected" });
    this.chips.hidden = true;
    line.append(this.total, this.count, this.whole, this.clear);
    tray.append(line, this.chips);
    return tray;
  }

  onSelected() {
    this.list.mark(new Set(this.model.get("selected")));
    this.onTotal();
    this.showChips(!this.chips.hidden);
  }

  onTotal() {
    const count = this.model.get("selected").length;
    const total = this.model.get("total");
    this.total.firstChild.textContent = count ? `${number(count)} selected: ${tally(total)}` : "Nothing is selected";
    this.total.disabled = this.clear.disabled = !count;
    this.count.hidden = !count || !total.more;
    this.count.textContent = total.counting ? "Stop" : "Count on";
  }

  /** List what is selected, or not. */
  showChips(wanted) {
    const selected = this.model.get("selected");
    this.chips.hidden = !wanted || !selected.length;
    this.total.setAttribute("aria-expanded", String(!this.chips.hidden));
    if (this.chips.hidden) return;
    const chips = selected.slice(0, CHIPS).map((uri) => {
      const chip = make("li", "ch-chip");
      showName(chip.appendChild(make("span", "ch-chip-label", "", { dir: "ltr", title: uri })), uri);
      chip.append(button("ch-drop", "×", () => this.ask("drop", { uri }), { "aria-label": `Take out ${uri}` }));
      return chip;
    });
    if (selected.length > CHIPS) chips.push(make("li", "ch-more", `and ${number(selected.length - CHIPS)} more`));
    this.chips.replaceChildren(...chips);
  }

  onHeight() {
    this.list.node.style.setProperty("--ch-height", `${this.model.get("height")}px`);
  }
}

export default {
  render({ model, el }) {
    const view = new BrowserView(model, el);
    return () => view.close();
  },
};
