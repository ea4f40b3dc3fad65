// The view of BucketBrowser (browser.py): it asks the kernel for rows and gestures, and draws what comes back.
// All text from outside is set through textContent; nothing here reads or writes HTML.

const ROW = 30; // pixels, as --ch-row in widgets.css
const SPARE = 8; // rows drawn beyond the ones on screen
const AHEAD = 150; // rows before the end of what is loaded at which more is asked for
const SKELETON_MS = 150; // a store that answers sooner shows no placeholder
const TYPING_MS = 120;
const PATTERN_MS = 500;
const CHIPS = 100; // selected URIs that are listed one by one

// ---- Text ----

const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u00a0\u115f\u1160\u3164\ufff9-\ufffb]|^ | $| (?= )/gu;

/** An element; `text` is shown as it is. */
function make(tag, className = "", text = "", attributes = {}) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

/** What stands for a character that has no looks of its own; joiners inside emoji stay what they are. */
function picture(char, before) {
  const code = char.codePointAt(0);
  if (code === 0x200d && /\p{Extended_Pictographic}|\ufe0f/u.test(before)) return null;
  return code === 0x20 ? "␣" : `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Show a name: characters that cannot be seen become visible marks, and cannot turn the text around. */
function showName(node, name) {
  const plain = name.search(UNSEEN) < 0;
  if (plain) return setText(node, name);
  node.replaceChildren();
  let done = 0;
  for (const found of name.matchAll(UNSEEN)) {
    const shown = picture(found[0], name.slice(Math.max(0, found.index - 2), found.index));
    if (shown === null) continue;
    node.append(name.slice(done, found.index), make("span", "ch-unseen", shown));
    done = found.index + found[0].length;
  }
  node.append(name.slice(done));
}

/** The same text node with other data is drawn several times as fast as a new one, which counts while scrolling. */
function setText(node, text) {
  const [only, more] = node.childNodes;
  if (!only || more || only.nodeType !== Node.TEXT_NODE) node.textContent = text;
  else if (only.data !== text) only.data = text;
}

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

function bytes(count) {
  let value = count;
  let unit = 0;
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return unit ? `${value.toFixed(1)} ${UNITS[unit]}` : `${count} B`;
}

const number = (count) => count.toLocaleString("en-US");
const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;

function when(stamp) {
  const at = stamp ? new Date(stamp) : null;
  if (!at || Number.isNaN(at.getTime())) return "";
  const two = (value) => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** "more than 12 files, 3.4 MB" */
function tally({ files = 0, bytes: size = 0, more = false }) {
  return `${more ? "more than " : ""}${plural(files, "file")}, ${bytes(size)}`;
}

function later(milliseconds, call) {
  let timer = 0;
  const run = (...values) => {
    clearTimeout(timer);
    timer = setTimeout(call, milliseconds, ...values);
  };
  run.cancel = () => clearTimeout(timer);
  return run;
}

const isFolder = (key) => key < 0;

// ---- Rows: what the kernel has sent of one view ----

class Rows {
  constructor(message) {
    Object.assign(this, { view: message.view, folder: message.folder, filter: message.filter });
    this.folders = [];
    this.objects = [];
  }

  get length() {
    return this.folders.length + this.objects.length;
  }

  /** Take a message about this view; false when something before it is missing. */
  take(message) {
    const [folders, objects] = message.at;
    if (folders > this.folders.length || objects > this.objects.length) return false;
    for (const name of message.folders.slice(this.folders.length - folders)) this.folders.push(name);
    for (const row of message.objects.slice(this.objects.length - objects)) this.objects.push(row);
    const { loading, failed, complete, rest, unnamed } = message;
    Object.assign(this, { loading, failed, complete, rest, unnamed });
    return true;
  }

  /** Folders stand first. Keys stay when more rows come, places do not. */
  keyAt = (place) => (place < this.folders.length ? -1 - place : place - this.folders.length);
  placeOf = (key) => (isFolder(key) ? -1 - key : key + this.folders.length);
  has = (key) => (isFolder(key) ? -1 - key < this.folders.length : key < this.objects.length);
  name = (key) => (isFolder(key) ? this.folders[-1 - key] : this.objects[key][0]);
  uri = (key) => this.folder + this.name(key);
}

// ---- The list ----

let lists = 0;

class List {
  constructor(ask, onOpen, onType) {
    Object.assign(this, { ask, onOpen, onType, rows: null, selected: new Set(), pool: [], id: `ch-list-${(lists += 1)}` });
    this.anchor = this.active = null;
    this.node = make("div", "ch-grid", "", {
      role: "grid", tabindex: "0", "aria-multiselectable": "true", "aria-label": "Folders and files", "aria-colcount": "4",
    });
    const head = make("div", "ch-head", "", { role: "row", "aria-rowindex": "1" });
    head.append(make("span", "ch-box", "", { role: "presentation" }));
    for (const [name, title] of [["name", "Name"], ["size", "Size"], ["codec", "Codec"], ["date", "Updated"]]) {
      head.append(make("span", `ch-cell ch-${name}`, title, { role: "columnheader" }));
    }
    this.scroller = make("div", "ch-scroller", "", { role: "rowgroup", tabindex: "-1" });
    this.spacer = make("div", "ch-spacer", "", { role: "presentation" });
    this.empty = make("div", "ch-empty");
    this.scroller.append(this.spacer, this.empty);
    this.node.append(head, this.scroller);
    this.scroller.addEventListener("scroll", () => this.paintSoon(), { passive: true });
    this.node.addEventListener("keydown", (event) => this.onKey(event));
    this.spacer.addEventListener("mousedown", (event) => event.shiftKey && event.preventDefault()); // no text selection
    this.spacer.addEventListener("click", (event) => this.onClick(event));
    this.spacer.addEventListener("dblclick", (event) => this.onDoubleClick(event));
    this.resized = new ResizeObserver(() => this.paintSoon());
    this.resized.observe(this.scroller);
  }

  close() {
    this.resized.disconnect();
    cancelAnimationFrame(this.frame);
  }

  /** Show these rows. Those of another folder begin at the top, at the folder one comes from if it is there. */
  show(rows, from) {
    const before = this.rows;
    const grown = before === rows ? rows.folders.length - this.folderCount : 0;
    if (before !== rows) {
      this.active = rows.length ? rows.keyAt(0) : null;
      this.anchor = null;
      this.scroller.scrollTop = 0;
    } else if (grown > 0 && this.scroller.scrollTop > this.folderCount * ROW) {
      this.keep = this.scroller.scrollTop + grown * ROW; // folders came in above: what is on screen stays there
    }
    this.rows = rows;
    this.folderCount = rows.folders.length;
    if (this.active === null && rows.length) this.active = rows.keyAt(0);
    if (from !== null && rows.folders.includes(from)) this.move(-1 - rows.folders.indexOf(from));
    this.paint();
  }

  mark(selected) {
    this.selected = selected;
    this.paintSoon();
  }

  paintSoon() {
    this.frame ||= requestAnimationFrame(() => this.paint());
  }

  paint() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const { rows } = this;
    if (!rows) return;
    const waiting = rows.length && !rows.complete && !rows.failed ? 3 : 0;
    const total = this.skeleton && !rows.length ? Math.ceil(this.scroller.clientHeight / ROW) : rows.length + waiting;
    this.spacer.style.height = `${total * ROW}px`;
    if (this.keep !== undefined) this.scroller.scrollTop = this.keep;
    this.keep = undefined;
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / ROW) - SPARE);
    const last = Math.min(total, Math.ceil((this.scroller.scrollTop + this.scroller.clientHeight) / ROW) + SPARE);
    const needed = Math.max(0, last - first);
    while (this.pool.length < needed) this.pool.push(this.spacer.appendChild(this.makeRow()));
    while (this.pool.length > needed + 2 * SPARE) this.pool.pop().remove();
    const held = this.held();
    const drawn = new Set();
    for (let place = first; place < last; place += 1) {
      // A row keeps its element while it is on screen, so that scrolling redraws only what comes in.
      drawn.add(place % this.pool.length);
      this.draw(this.pool[place % this.pool.length], place, held);
    }
    this.pool.forEach((row, index) => {
      row.hidden = !drawn.has(index);
    });
    this.node.setAttribute("aria-rowcount", rows.complete ? rows.length + 1 : -1);
    this.node.setAttribute("aria-busy", String(Boolean(rows.loading)));
    if (this.active !== null && rows.has(this.active)) {
      this.node.setAttribute("aria-activedescendant", `${this.id}-${rows.placeOf(this.active)}`);
    } else {
      this.node.removeAttribute("aria-activedescendant");
    }
    if (last > rows.length - AHEAD && !rows.complete && !rows.loading && !rows.failed && !rows.rest) {
      rows.loading = true;
      this.ask({ kind: "more", view: rows.view });
    }
  }

  /** Whether the folder on screen is in a folder that is selected as a whole. */
  held() {
    const { folder } = this.rows;
    for (let end = folder.length; end > 1; end = folder.lastIndexOf("/", end - 2) + 1) {
      if (this.selected.has(folder.slice(0, end))) return true;
    }
    return false;
  }

  makeRow() {
    const row = make("div", "ch-row", "", { role: "row" });
    row.box = row.appendChild(make("span", "ch-box", "", { role: "presentation" }));
    const name = row.appendChild(make("span", "ch-cell ch-name", "", { role: "gridcell" }));
    row.icon = name.appendChild(make("span", "ch-icon", "", { "aria-hidden": "true" }));
    row.label = name.appendChild(make("span", "ch-label", "", { dir: "ltr" }));
    for (const part of ["size", "codec", "date"]) {
      row[part] = row.appendChild(make("span", `ch-cell ch-${part}`, "", { role: "gridcell" }));
    }
    return row;
  }

  draw(row, place, held) {
    const { rows } = this;
    const known = place < rows.length;
    const key = known ? rows.keyAt(place) : null;
    if (row.place !== place) row.style.transform = `translateY(${place * ROW}px)`;
    row.place = place;
    row.classList.toggle("ch-skeleton", !known);
    if (row.rows !== rows || row.key !== key) {
      Object.assign(row, { rows, key });
      const [name, size, updated, codec] = !known ? ["", 0] : isFolder(key) ? [rows.name(key)] : rows.objects[key];
      row.dataset.kind = known ? (isFolder(key) ? "folder" : "object") : "";
      showName(row.label, name);
      row.label.title = name;
      setText(row.size, known && !isFolder(key) ? bytes(size) : "");
      row.size.title = known && !isFolder(key) ? `${number(size)} bytes` : "";
      setText(row.codec, codec || "");
      setText(row.date, when(updated));
    }
    row.id = known ? `${this.id}-${place}` : "";
    row.setAttribute("aria-rowindex", place + 2);
    row.setAttribute("aria-selected", String(known && (held || this.selected.has(rows.uri(key)))));
    row.classList.toggle("ch-active", known && key === this.active);
  }

  /** Make a row the active one, and bring it on screen. */
  move(key) {
    this.active = key;
    const top = this.rows.placeOf(key) * ROW;
    const room = this.scroller.clientHeight;
    this.spacer.style.height = `${Math.max(parseFloat(this.spacer.style.height) || 0, top + ROW)}px`;
    if (top < this.scroller.scrollTop) this.scroller.scrollTop = top;
    else if (top + ROW > this.scroller.scrollTop + room) this.scroller.scrollTop = top + ROW - room;
    this.paintSoon();
  }

  gesture(how, key) {
    if (how !== "range" && how !== "add-range") this.anchor = key;
    this.ask({ kind: "gesture", view: this.rows.view, how, at: this.anchor ?? key, to: key });
  }

  onClick(event) {
    const row = event.target.closest(".ch-row");
    if (!row || row.key === null || !this.rows.has(row.key) || row.rows !== this.rows) return;
    const { key } = row;
    const plain = !event.shiftKey && !event.ctrlKey && !event.metaKey;
    if (plain && isFolder(key) && event.target.closest(".ch-label, .ch-icon")) return void this.onOpen(this.rows.uri(key));
    this.anchor ??= this.active;
    this.active = key;
    if (event.shiftKey) this.gesture(event.ctrlKey || event.metaKey ? "add-range" : "range", key);
    else this.gesture(!plain || event.target.closest(".ch-box") ? "toggle" : "only", key);
    this.node.focus({ preventScroll: true });
    this.paintSoon();
  }

  onDoubleClick(event) {
    const row = event.target.closest(".ch-row");
    if (row && row.rows === this.rows && row.key !== null && isFolder(row.key) && !event.target.closest(".ch-box, .ch-label, .ch-icon")) {
      this.onOpen(this.rows.uri(row.key));
    }
  }

  onKey(event) {
    const { rows } = this;
    const command = event.ctrlKey || event.metaKey;
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / ROW) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (!rows || event.altKey || event.isComposing) return;
    if (event.key in steps && rows.length) {
      const at = this.active === null ? 0 : rows.placeOf(this.active);
      const before = this.active ?? rows.keyAt(0);
      this.move(rows.keyAt(Math.min(rows.length - 1, Math.max(0, at + steps[event.key]))));
      if (event.shiftKey) {
        this.anchor ??= before;
        this.gesture(command ? "add-range" : "range", this.active);
      } else {
        this.anchor = null;
      }
    } else if (event.key === " " && this.active !== null) {
      this.gesture(event.shiftKey && this.anchor !== null ? "range" : "toggle", this.active);
    } else if (event.key === "Enter" && this.active !== null) {
      if (isFolder(this.active)) this.onOpen(rows.uri(this.active));
      else this.gesture("toggle", this.active);
    } else if (event.key === "Backspace") {
      this.onOpen(null);
    } else if (command && event.key.toLowerCase() === "a") {
      this.gesture("all", this.active ?? 0);
    } else if (event.key === "Escape") {
      this.onType("");
    } else if (event.key.length === 1 && !command) {
      this.onType(event.key);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

// ---- The browser ----

class View {
  constructor(model, el) {
    Object.assign(this, { model, rows: null, from: null, above: null });
    this.node = make("div", "chimera ch-browser", "", { "data-lm-suppress-shortcuts": "true", role: "group", "aria-label": "Bucket browser" });
    this.list = new List((message) => model.send(message), (uri) => this.open(uri), (text) => this.type(text));
    this.node.append(this.makePath(), this.makeTools(), this.list.node, this.makeStatus(), this.makeError(), this.makeTray());
    el.append(this.node);
    this.skeletonSoon = later(SKELETON_MS, () => {
      this.list.skeleton = true;
      this.takeOver();
    });
    this.heard = {
      "msg:custom": (message) => message.kind === "rows" && this.onRows(message),
      "change:selected": () => this.onSelected(),
      "change:total": () => this.onTotal(),
      "change:error": () => this.onError(),
      "change:_match": () => this.onMatch(),
      "change:_places": () => this.onPlaces(),
      "change:height": () => this.onHeight(),
    };
    for (const [event, call] of Object.entries(this.heard)) model.on(event, call);
    this.onHeight();
    this.onPlaces();
    this.onSelected();
    this.onMatch();
    this.onError();
    model.send({ kind: "hello" });
  }

  close() {
    for (const [event, call] of Object.entries(this.heard)) this.model.off(event, call);
    for (const timer of [this.skeletonSoon, this.filterSoon, this.matchSoon]) timer.cancel();
    this.list.close();
  }

  button(className, text, call, attributes = {}) {
    const node = make("button", `ch-button ${className}`, text, { type: "button", ...attributes });
    node.addEventListener("click", call);
    return node;
  }

  // The path

  makePath() {
    const bar = make("div", "ch-path");
    this.up = this.button("ch-up", "", () => this.open(null), { "aria-label": "Up one folder", title: "Up (Backspace)" });
    this.crumbs = make("nav", "ch-crumbs", "", { "aria-label": "Path" });
    this.crumbs.addEventListener("click", (event) => event.target === this.crumbs && this.editPath());
    this.edit = this.button("ch-edit", "", () => this.editPath(), { "aria-label": "Edit the path", title: "Type or paste a path" });
    this.places = make("datalist", "", "", { id: `${this.list.id}-places` });
    this.pathBox = make("input", "ch-input ch-path-box", "", {
      type: "text", "aria-label": "Path", list: this.places.id, spellcheck: "false", autocomplete: "off", autocapitalize: "off",
    });
    this.pathBox.hidden = true;
    this.pathBox.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.leavePath();
      if (event.key !== "Enter") return;
      this.from = null;
      this.model.send({ kind: "go", text: this.pathBox.value });
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
      const node = here ? make("span", "ch-crumb ch-here", "", { "aria-current": "page" }) : this.button("ch-crumb", "", () => this.open(uri));
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
    this.model.send({ kind: "go", text: to });
  }

  // Filter and pattern

  makeTools() {
    const bar = make("div", "ch-tools");
    this.filterSoon = later(TYPING_MS, () => this.model.send({ kind: "filter", text: this.filter.value }));
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
    this.stopMatch = this.button("ch-stop-match", "Stop", () => this.model.send({ kind: "stop_match" }));
    this.add = this.button("ch-primary ch-add", "Add", () => this.addPattern(), { title: "Add the pattern to the selection" });
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
    this.model.send({ kind: "match", text: this.glob.value });
  }

  addPattern() {
    if (this.glob.value.trim()) this.model.send({ kind: "add_pattern", text: this.glob.value });
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
      this.list.skeleton = false;
      this.skeletonSoon();
    }
    if (!this.rows.take(message)) return void this.model.send({ kind: "hello" });
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

  // What went wrong

  makeError() {
    this.errorLine = make("div", "ch-error", "", { role: "alert" });
    this.errorText = make("span", "ch-error-text");
    this.errorLine.append(this.errorText, this.button("", "Try again", () => this.model.send({ kind: "retry" })));
    return this.errorLine;
  }

  onError() {
    const text = this.model.get("error");
    showName(this.errorText, text);
    this.errorLine.classList.toggle("ch-shown", Boolean(text));
  }

  // The selection

  makeTray() {
    const tray = make("div", "ch-tray");
    const line = make("div", "ch-tray-line");
    this.total = this.button("ch-total", "", () => this.showChips(this.chips.hidden), { "aria-expanded": "false" });
    this.total.append(make("span", "ch-total-text", "", { role: "status" }));
    this.count = this.button("", "Stop", () => this.model.send({ kind: "count", on: !this.model.get("total").counting }));
    this.clear = this.button("", "Clear", () => this.model.send({ kind: "clear" }));
    const whole = this.button("ch-whole", "Select this folder", () => this.list.gesture("all", this.list.active ?? 0), { title: "Ctrl+A" });
    this.chips = make("ul", "ch-chips", "", { "aria-label": "What is selected" });
    this.chips.hidden = true;
    line.append(this.total, this.count, whole, this.clear);
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
      chip.append(this.button("ch-drop", "×", () => this.model.send({ kind: "drop", uri }), { "aria-label": `Take out ${uri}` }));
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
    const view = new View(model, el);
    return () => view.close();
  },
};
