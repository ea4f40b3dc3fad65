// The front end of JobHistory (widget.py): it asks for pages and filters, and keeps rows in their place while they change.

import { Address } from "../base/address.js";
import { button, later, make, plural, setText, within } from "../base/text.js";
import { View } from "../base/view.js";
import { Compare } from "./compare.js";
import { Filters } from "./filters.js";
import { Row } from "./row.js";
import { SCROLLED, statusText } from "./words.js";

/** @import { RenderProps } from "../base/model.js" */
/** @import { FilterRequest, HistoryMessage, HistoryRequest, HistoryTraits, RowsMessage } from "./messages.js" */

const SKELETON_MS = 150; // a job log that answers sooner shows no placeholder
const AHEAD = 400; // pixels before the end at which more is asked for
const COLUMNS = [["state", "Status"], ["paths", "Reads, writes"], ["job", "Job"], ["files", "Files"], ["times", "Started"]];

/** @type {RowsMessage} */
const NOTHING = {
  kind: "rows", generation: 0, whole: false, rows: [], gone: [], complete: false, loading: false, failed: false, paused: false, looked: 0, backTo: null, filtered: false, searching: false,
};

/** @extends {View<HistoryTraits, HistoryMessage, HistoryRequest>} */
class HistoryView extends View {
  shown = 0; // the generation of the rows on screen: the rows of before stay until there are others
  /** @type {Map<string, Row>} by job id */
  rows = new Map();
  /** @type {string[]} job ids, newest first */
  order = [];
  state = NOTHING;
  /** @type {string | null} the job that the keyboard is on */
  active = null;
  toReveal = ""; // the job that is to be brought into view
  fresh = 0; // jobs that came in above what is on screen
  grid = make("div", "ch-grid ch-history-grid", "", { role: "grid", tabindex: "0", "aria-label": "Jobs, newest first", "aria-colcount": COLUMNS.length });
  scroller = make("div", "ch-history-scroller", "", { role: "rowgroup", tabindex: "-1" });
  empty = make("div", "ch-placeholder");
  bones = make("div", "ch-history-bones", "", { "aria-hidden": "true" });
  news = button("ch-history-news", "", () => this.goUp());
  status = make("span", "ch-muted ch-numbers", "", { role: "status" });
  more = button("", "", () => this.ask(this.state.loading ? { kind: "stop" } : { kind: "more", generation: this.generation }));

  /** @param {RenderProps<HistoryTraits>} props */
  constructor({ model, el }) {
    super(model, el, "history ch-panel", "Jobs");
    this.address = new Address(["status", "search", "since", "until", "mine"], () => this.filters.fill(this.address));
    this.filters = new Filters((asked) => this.onFilter(asked), () => this.grid.focus());
    this.compare = new Compare((one, other) => this.ask({ kind: "compare", one, other, view: this.id }), () => this.mark());
    this.filters.node.append(this.compare.button);
    this.node.append(this.filters.node, this.makeList(), this.makeError(() => this.ask({ kind: "retry" })), this.makeStatus());
    this.skeletonSoon = later(SKELETON_MS, () => this.showSkeleton());
    this.hearMessages({
      rows: (message, isNew) => this.onRows(message, isNew),
      compared: (message) => message.view === this.id && this.compare.show(message),
    });
    this.hear({
      "change:job_id": () => this.reveal(),
      "change:height": () => this.onHeight(),
    });
    this.onHeight();
    this.hello();
    if (this.address.isThere) this.filters.fill(this.address);
    this.stay(() => !document.hidden, () => this.hello());
  }

  /** @param {FilterRequest} asked */
  onFilter(asked) {
    this.address.keep(this.filters.values());
    this.ask(asked);
  }

  /** Bring the job that was opened, or launched just now, into view: at once, or as soon as the list has it. */
  reveal() {
    this.toReveal = this.model.get("job_id");
    this.mark();
  }

  close() {
    super.close();
    this.address.close();
    for (const timer of [this.skeletonSoon, this.filters.soon]) timer.cancel();
  }

  // The list

  makeList() {
    const head = make("div", "ch-history-head ch-history-row", "", { role: "row", "aria-rowindex": "1" });
    for (const [name, title] of COLUMNS) head.append(make("span", `ch-history-${name}`, title, { role: "columnheader" }));
    this.empty.hidden = true;
    for (let at = 0; at < 6; at += 1) this.bones.append(make("div", "ch-history-bone"));
    this.bones.hidden = true;
    this.news.hidden = true;
    this.scroller.append(this.empty, this.bones);
    this.grid.append(head, this.scroller, this.news);
    this.scroller.addEventListener("scroll", () => this.onScroll(), { passive: true });
    this.scroller.addEventListener("click", (event) => {
      const node = within(event, ".ch-history-row");
      const id = this.order.find((each) => this.rows.get(each)?.node === node);
      if (id !== undefined) this.open(id);
    });
    this.grid.addEventListener("keydown", (event) => this.onKey(event));
    const sized = new ResizeObserver(() => this.grid.style.setProperty("--ch-scrollbar", `${this.scroller.offsetWidth - this.scroller.clientWidth}px`));
    sized.observe(this.scroller);
    this.closing.push(() => sized.disconnect());
    return this.grid;
  }

  /** @param {RowsMessage} message @param {boolean} isNew */
  onRows(message, isNew) {
    const here = message.generation === this.shown;
    const waits = !here && message.loading && !message.rows.length;
    // The rows of before stay, dimmed, until there is something to show in their place.
    if (waits && isNew) this.skeletonSoon();
    this.state = message;
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
    this.shown = this.generation;
    this.skeletonSoon.cancel();
    this.bones.hidden = true;
    this.scroller.scrollTop = 0;
  }

  /** Bring in rows, and leave what is on screen where it is, but for a list that nobody reads. @param {RowsMessage} message @param {boolean} here */
  change({ rows, gone }, here) {
    const top = this.scroller.scrollTop;
    const read = here && (top > 0 || this.grid.matches(":hover, :focus-within"));
    const anchor = read ? this.nodes().find(({ node, job }) => node.offsetTop + node.offsetHeight > top && !gone.includes(job.id))?.node : undefined;
    const before = anchor ? anchor.offsetTop : 0;
    const first = this.order[0];
    const open = here ? this.rows.get(this.model.get("job_id"))?.node : undefined;
    const seen = open && this.isInView(open); // one's own job stays so while others launch theirs
    this.drop(gone);
    for (const job of rows) {
      const known = this.rows.get(job.id);
      if (known) known.draw(job);
      else this.rows.set(job.id, new Row(`${this.id}-${job.id}`, job));
    }
    const age = (/** @type {Row} */ { job }) => `${job.created} ${job.id}`;
    this.order = [...this.rows.values()].sort((one, two) => (age(one) < age(two) ? 1 : -1)).map(({ job }) => job.id);
    let at = this.scroller.firstChild;
    this.nodes().forEach(({ node }, index) => {
      node.setAttribute("aria-rowindex", String(index + 2));
      if (node === at) at = at.nextSibling;
      else this.scroller.insertBefore(node, at);
    });
    const news = here && first !== undefined ? Math.max(0, this.order.indexOf(first)) : 0;
    if (anchor?.isConnected) this.scroller.scrollTop = top + anchor.offsetTop - before;
    if (open?.isConnected && seen && !this.isInView(open)) this.scroller.scrollTop = open.offsetTop + open.offsetHeight - this.scroller.clientHeight;
    if (news && this.scroller.scrollTop > 0) this.fresh += news;
    for (const { node } of this.nodes().slice(0, news)) node.classList.add("ch-new");
    this.mark();
    this.onScroll();
  }

  /** The rows, newest first. */
  nodes() {
    return this.order.flatMap((id) => this.rows.get(id) ?? []);
  }

  /** @param {string[]} ids */
  drop(ids) {
    for (const id of ids) {
      this.rows.get(id)?.node.remove();
      this.rows.delete(id);
    }
    this.order = this.order.filter((id) => this.rows.has(id));
  }

  /** Where the keyboard is, and which job is open. */
  mark() {
    const open = this.model.get("job_id");
    if (this.active === null || !this.rows.has(this.active)) this.active = this.order[0] ?? null;
    for (const [id, { node }] of this.rows) {
      node.setAttribute("aria-selected", String(id === open));
      node.classList.toggle("ch-active", id === this.active);
      node.classList.toggle("ch-to-compare", this.compare.chosen.includes(id));
    }
    this.grid.classList.toggle("ch-comparing", this.compare.on);
    const revealed = this.toReveal === open ? this.rows.get(open) : undefined;
    if (revealed) {
      this.toReveal = "";
      this.active = open;
      revealed.node.classList.add("ch-active");
      // Within the list alone: the page stays where one reads it.
      if (!this.isInView(revealed.node)) this.scroller.scrollTop = Math.max(0, revealed.node.offsetTop - this.scroller.clientHeight / 3);
    }
    if (this.active === null) this.grid.removeAttribute("aria-activedescendant");
    else this.grid.setAttribute("aria-activedescendant", `${this.id}-${this.active}`);
    this.grid.setAttribute("aria-rowcount", String(this.state.complete ? this.order.length + 1 : -1));
  }

  /** @param {HTMLElement} row */
  isInView({ offsetTop, offsetHeight }) {
    const { scrollTop, clientHeight } = this.scroller;
    return offsetTop >= scrollTop && offsetTop + offsetHeight <= scrollTop + clientHeight;
  }

  /** @param {string} id */
  open(id) {
    this.active = id;
    if (this.compare.on) return this.compare.take(id);
    this.mark();
    this.ask({ kind: "open", id });
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
    if (state.complete || state.loading || state.failed || state.paused || this.shown !== this.generation || this.order.length >= SCROLLED) return;
    if (scroller.scrollTop + scroller.clientHeight > scroller.scrollHeight - AHEAD) {
      state.loading = true;
      this.ask({ kind: "more", generation: this.generation });
    }
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const row = this.active === null ? undefined : this.rows.get(this.active);
    if (!row || within(event, "button") || event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / row.node.offsetHeight) - 1);
    /** @type {Record<string, number>} */
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in steps) {
      this.active = this.order[Math.min(this.order.length - 1, Math.max(0, this.order.indexOf(row.job.id) + steps[event.key]))];
      this.rows.get(this.active)?.node.scrollIntoView({ block: "nearest" });
      this.mark();
    } else if (event.key === "Enter" || event.key === " ") this.open(row.job.id);
    else if (event.key === "Escape" && this.compare.on) this.compare.turn(false);
    else if (event.key === "/") this.filters.search.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // What is to be said

  makeStatus() {
    const line = make("div", "ch-history-foot");
    line.append(this.status, this.compare.says, this.more);
    return line;
  }

  onState() {
    const { loading, complete, failed, paused, searching, filtered } = this.state;
    const here = this.shown === this.generation;
    const count = here ? this.order.length : 0;
    setText(this.status, statusText(count, this.state));
    this.more.textContent = searching ? (loading ? "Stop" : "Search on") : "More";
    this.more.classList.toggle("ch-absent", complete || failed || (loading && !searching) || (!loading && !paused && !count));
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
  /** @param {RenderProps<HistoryTraits>} props */
  render(props) {
    const view = new HistoryView(props);
    return () => view.close();
  },
};
