// The view of JobHistory (job_history.py): it asks for pages and filters, and keeps rows in their place while they change.

const SKELETON_MS = 150; // a job log that answers sooner shows no placeholder
const HERE_MS = 5000; // the kernel stops looking at the log when nobody has said so for 20 s
const AHEAD = 400; // pixels before the end at which more is asked for
const COLUMNS = [["state", "Status"], ["paths", "Reads, writes"], ["job", "Job"], ["files", "Files"], ["times", "Started"]];

class HistoryView extends View {
  constructor(model, el) {
    super(model, el, "history ch-panel", "Jobs");
    Object.assign(this, { view: 0, shownView: 0, rows: new Map(), order: [], state: {}, active: null, fresh: 0, id: `ch-history-${Math.random().toString(36).slice(2)}` });
    this.filters = new Filters((asked) => this.ask("filter", asked), () => this.grid.focus());
    this.node.append(this.filters.node, this.makeList(), this.makeError(() => this.ask("retry")), this.makeStatus());
    this.skeletonSoon = later(SKELETON_MS, () => this.showSkeleton());
    this.hear({
      "msg:custom": (message) => message.kind === "rows" && this.onRows(message),
      "change:job_id": () => this.mark(),
      "change:height": () => this.onHeight(),
    });
    this.onHeight();
    this.ask("hello");
    this.here = setInterval(() => document.visibilityState === "visible" && this.ask("here"), HERE_MS);
    this.shown = () => document.visibilityState === "visible" && this.ask("hello");
    document.addEventListener("visibilitychange", this.shown);
  }

  close() {
    super.close();
    clearInterval(this.here);
    document.removeEventListener("visibilitychange", this.shown);
    for (const timer of [this.skeletonSoon, this.filters.soon]) timer.cancel();
  }

  // The list

  makeList() {
    this.grid = make("div", "ch-grid ch-history-grid", "", { role: "grid", tabindex: "0", "aria-label": "Jobs, newest first", "aria-colcount": COLUMNS.length });
    const head = make("div", "ch-history-head ch-history-row", "", { role: "row", "aria-rowindex": "1" });
    for (const [name, title] of COLUMNS) head.append(make("span", `ch-history-${name}`, title, { role: "columnheader" }));
    this.scroller = make("div", "ch-history-scroller", "", { role: "rowgroup", tabindex: "-1" });
    this.empty = make("div", "ch-placeholder");
    this.empty.hidden = true;
    this.bones = make("div", "ch-history-bones", "", { "aria-hidden": "true" });
    for (let at = 0; at < 6; at += 1) this.bones.append(make("div", "ch-history-bone"));
    this.bones.hidden = true;
    this.news = button("ch-history-news", "", () => this.goUp());
    this.news.hidden = true;
    this.scroller.append(this.empty, this.bones);
    this.grid.append(head, this.scroller, this.news);
    this.scroller.addEventListener("scroll", () => this.onScroll(), { passive: true });
    this.scroller.addEventListener("click", (event) => {
      const row = event.target.closest(".ch-history-row");
      if (row?.row) this.open(row.row.id);
    });
    this.grid.addEventListener("keydown", (event) => this.onKey(event));
    return this.grid;
  }

  onRows(message) {
    if (message.view < this.view) return;
    const here = message.view === this.shownView;
    const waits = !here && message.loading && !message.rows.length;
    // The rows of before stay, dimmed, until there is something to show in their place.
    if (waits && message.view !== this.view) this.skeletonSoon();
    Object.assign(this, { view: message.view, state: message });
    this.scroller.classList.toggle("ch-waiting", waits);
    if (!waits) {
      const sent = new Set(message.rows.map((row) => row.id));
      if (!here || message.whole) this.drop([...this.rows.keys()].filter((id) => !sent.has(id)));
      if (!here) this.takeOver();
      this.change(message, here);
    }
    this.onState();
  }

  takeOver() {
    this.shownView = this.view;
    this.skeletonSoon.cancel();
    this.bones.hidden = true;
    this.scroller.scrollTop = 0;
  }

  /** Bring in rows, and leave what is on screen where it is, but for a list that nobody reads. */
  change({ rows, gone }, here) {
    const top = this.scroller.scrollTop;
    const read = here && (top > 0 || this.grid.matches(":hover, :focus-within"));
    const anchor = read && this.order.map((id) => this.rows.get(id)).find((node) => node.offsetTop + node.offsetHeight > top && !gone.includes(node.row.id));
    const before = anchor ? anchor.offsetTop : 0;
    const first = this.order[0];
    this.drop(gone);
    for (const row of rows) {
      const node = this.rows.get(row.id) ?? this.makeRow(row.id);
      this.draw(node, row);
    }
    const age = (id) => `${this.rows.get(id).row.created} ${id}`;
    this.order = [...this.rows.keys()].sort((one, two) => (age(one) < age(two) ? 1 : -1));
    let at = this.scroller.firstChild;
    this.order.forEach((id, place) => {
      const node = this.rows.get(id);
      node.setAttribute("aria-rowindex", place + 2);
      if (node === at) at = at.nextSibling;
      else this.scroller.insertBefore(node, at);
    });
    const news = here && first !== undefined ? Math.max(0, this.order.indexOf(first)) : 0;
    if (anchor && anchor.isConnected) this.scroller.scrollTop = top + anchor.offsetTop - before;
    if (news && this.scroller.scrollTop > 0) this.fresh += news;
    if (news) this.order.slice(0, news).forEach((id) => this.rows.get(id).classList.add("ch-new"));
    this.mark();
    this.onScroll();
  }

  drop(ids) {
    for (const id of ids) {
      this.rows.get(id)?.remove();
      this.rows.delete(id);
    }
    this.order = this.order.filter((id) => this.rows.has(id));
  }

  makeRow(id) {
    const node = make("div", "ch-history-row", "", { role: "row", id: `${this.id}-${id}` });
    const cell = (name, ...parts) => {
      const box = node.appendChild(make("span", `ch-history-${name}`, "", { role: "gridcell" }));
      for (const [part, className] of parts) node[part] = box.appendChild(make("span", className));
      return box;
    };
    cell("state", ["status", "ch-state"], ["bar", "ch-history-bar"]);
    cell("paths", ["inputs", "ch-history-inputs ch-mono"], ["target", "ch-label ch-mono ch-muted"]);
    cell("job", ["name", "ch-mono"], ["by", "ch-label ch-muted"]);
    cell("files", ["count", "ch-numbers"], ["size", "ch-numbers ch-muted"]);
    cell("times", ["begun", "ch-numbers"], ["took", "ch-numbers ch-muted"]);
    node.reads = node.inputs.appendChild(make("span", "ch-label", "", { dir: "ltr" }));
    node.others = node.inputs.appendChild(make("span", "ch-muted"));
    node.failed = node.count.parentNode.insertBefore(make("span", "ch-numbers ch-bad"), node.size);
    node.fill = node.bar.appendChild(make("span"));
    this.rows.set(id, node);
    return node;
  }

  draw(node, row) {
    node.row = row;
    setText(node.status, row.word);
    node.dataset.state = node.status.dataset.state = row.status;
    node.title = row.error;
    const ended = (row.done ?? 0) + (row.failed ?? 0);
    const part = row.listed ? Math.min(1, ended / row.listed) : 0;
    node.bar.title = row.listed ? `${Math.floor(100 * part)} %` : "";
    node.fill.style.width = `${100 * part}%`;
    showName(node.reads, row.status === "unreadable" ? row.error : row.reads);
    setText(node.others, row.others ? `+${number(row.others)} more` : "");
    showName(node.target, row.target && `→ ${row.target}`);
    node.reads.title = row.reads || row.error;
    node.target.title = row.target;
    setText(node.name, row.id);
    showName(node.by, [row.source, row.by].filter(Boolean).join(" · "));
    const running = row.status === "running" && row.listed;
    setText(node.count, running ? `${number(ended)} of ${number(row.listed)}` : row.done === null ? "" : plural(row.done, "file"));
    setText(node.failed, row.failed ? `${number(row.failed)} failed` : "");
    setText(node.size, [row.lines && plural(row.lines, "line"), row.raw && bytes(row.raw)].filter(Boolean).join(" · "));
    setText(node.begun, when(row.started ?? row.created));
    setText(node.took, row.seconds === null ? "" : duration(row.seconds));
  }

  /** Where the keyboard is, and which job is open. */
  mark() {
    const open = this.model.get("job_id");
    if (!this.rows.has(this.active)) this.active = this.order[0] ?? null;
    for (const [id, node] of this.rows) {
      node.setAttribute("aria-selected", String(id === open));
      node.classList.toggle("ch-active", id === this.active);
    }
    if (this.active === null) this.grid.removeAttribute("aria-activedescendant");
    else this.grid.setAttribute("aria-activedescendant", `${this.id}-${this.active}`);
    this.grid.setAttribute("aria-rowcount", this.state.complete ? this.order.length + 1 : -1);
  }

  open(id) {
    this.active = id;
    this.mark();
    this.ask("open", { id });
  }

  goUp() {
    this.scroller.scrollTop = 0;
    this.grid.focus({ preventScroll: true });
    this.onScroll();
  }

  onScroll() {
    const { scroller, state } = this;
    if (scroller.scrollTop < 4) this.fresh = 0;
    this.news.hidden = !this.fresh;
    this.news.textContent = `↑ ${plural(this.fresh, "new job")}`;
    if (state.complete || state.loading || state.failed || state.paused || this.shownView !== this.view) return;
    if (scroller.scrollTop + scroller.clientHeight > scroller.scrollHeight - AHEAD) {
      state.loading = true;
      this.ask("more", { view: this.view });
    }
  }

  onKey(event) {
    const at = this.order.indexOf(this.active);
    if (at < 0 || event.target.closest("button") || event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / this.rows.get(this.active).offsetHeight) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in steps) {
      this.active = this.order[Math.min(this.order.length - 1, Math.max(0, at + steps[event.key]))];
      this.rows.get(this.active).scrollIntoView({ block: "nearest" });
      this.mark();
    } else if (event.key === "Enter" || event.key === " ") this.open(this.active);
    else if (event.key === "/") this.filters.search.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // What is to be said

  makeStatus() {
    const line = make("div", "ch-history-foot");
    this.status = make("span", "ch-muted ch-numbers", "", { role: "status" });
    this.go = button("", "", () => (this.state.loading ? this.ask("stop") : this.ask("more", { view: this.view })));
    line.append(this.status, this.go);
    return line;
  }

  onState() {
    const { loading, complete, failed, paused, looked, searching, filtered, back_to: backTo } = this.state;
    const here = this.shownView === this.view;
    const count = here ? this.order.length : 0;
    const jobs = plural(count, "job");
    let text = complete ? jobs : count ? `${jobs} so far` : loading ? "Loading" : "";
    if (searching && !complete) {
      const back = backTo ? `, back to ${when(backTo)}` : "";
      text = `${jobs} found; ${loading ? "searching" : "searched"} ${number(looked)}${back}`;
    } else if (loading && count) text = `${jobs}, loading more`;
    setText(this.status, text);
    this.go.textContent = searching ? (loading ? "Stop" : "Search on") : "More";
    this.go.classList.toggle("ch-absent", complete || failed || (loading && !searching) || (!loading && !paused && !count));
    this.grid.setAttribute("aria-busy", String(loading));
    this.empty.hidden = count > 0 || !complete || !here;
    this.empty.textContent = filtered ? "No job is like this. Change or clear the filters." : "There is no job yet. Choose files, name a target and launch one: it will show here at once, whoever launches it.";
  }

  showSkeleton() {
    this.drop([...this.rows.keys()]);
    this.scroller.scrollTop = 0;
    this.bones.hidden = false;
    this.empty.hidden = true;
    this.scroller.classList.remove("ch-waiting");
  }

  onHeight() {
    this.grid.style.setProperty("--ch-height", `${this.model.get("height")}px`);
  }
}

export default {
  render({ model, el }) {
    const view = new HistoryView(model, el);
    return () => view.close();
  },
};
