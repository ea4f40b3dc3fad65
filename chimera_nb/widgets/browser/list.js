// The list of BucketBrowser: rows are virtual, so that 100,000 of them scroll as well as ten.

const ROW = 30; // pixels, as --ch-row in base.css
const SPARE = 8; // rows drawn beyond the ones on screen
const AHEAD = 150; // rows before the end of what is loaded at which more is asked for
const STEP_MS = 200; // keys may run over many rows: only where they rest is told

class List {
  constructor(ask, onOpen, onType) {
    Object.assign(this, { ask, onOpen, onType, rows: null, selected: new Set(), pool: [], id: uniqueId("list") });
    this.anchor = this.active = null;
    this.restSoon = later(STEP_MS, (view, at) => this.ask({ kind: "rest", view, at }));
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
    this.restSoon.cancel();
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
    this.restSoon(this.rows.view, key);
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
      this.restSoon(rows.view, this.active);
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

