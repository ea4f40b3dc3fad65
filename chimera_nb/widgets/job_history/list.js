// The list of JobHistory: rows are virtual, and stay in their place while jobs come in above them.

import { meantBy } from "../base/press.js";
import { button, make, plural, within, zone } from "../base/text.js";
import { VirtualRows } from "../base/virtual_rows.js";
import { Jobs } from "./jobs.js";
import { Row } from "./row.js";

/** @import { JobRow, RowsMessage } from "./messages.js" */

const AHEAD = 20; // rows before the end of what is loaded at which more is asked for
const COLUMNS = [["state", "Status"], ["paths", "Reads, writes"], ["job", "Job"], ["files", "Files"], ["times", "Started"]];
const ZONED = "times"; // the column whose times are in a zone

/**
 * How many rows the list stands for: all that the log counted, as far as it could.
 * @param {number} known
 * @param {Pick<RowsMessage, "complete" | "total">} state
 */
export const totalOf = (known, { complete, total }) => (complete ? known : Math.max(known, total ?? 0));

/** @param {RowsMessage} state */
const canLoad = ({ complete, loading, failed, paused }) => !(complete || loading || failed || paused);

export class JobList {
  jobs = new Jobs();
  /** @type {string | null} the job that the keyboard is on */
  active = null;
  open = ""; // the job that is open
  toReveal = ""; // the job that is to be brought into view
  /** @type {{ id: string, x: number, y: number } | null} the job that the pointer was pressed on */
  pressed = null;
  toEnd = false; // whether the keyboard waits for the last job
  skeleton = false;
  newer = 0; // jobs that came in above what is on screen
  /** @type {Set<string>} jobs that came in just now */
  justIn = new Set();
  grid = make("div", "ch-grid ch-history-grid", "", { role: "grid", tabindex: "0", "aria-label": "Jobs, newest first", "aria-colcount": COLUMNS.length });
  scroller = make("div", "ch-history-scroller", "", { role: "rowgroup", tabindex: "-1" });
  empty = make("div", "ch-placeholder");
  news = button("ch-history-news", "", () => this.goUp());

  /**
   * @param {string} id of its elements
   * @param {RowsMessage} state
   * @param {(id: string) => void} onOpen
   * @param {(to: number) => void} onMore is given how many rows are wanted
   * @param {(event: KeyboardEvent) => boolean} onOther is given a key that is none of the list's; whether it is taken
   * @param {(id: string) => boolean} isChosen to be compared
   */
  constructor(id, state, onOpen, onMore, onOther, isChosen) {
    this.id = id;
    this.state = state;
    this.onOpen = onOpen;
    this.onMore = onMore;
    this.onOther = onOther;
    this.isChosen = isChosen;
    const head = make("div", "ch-history-head ch-history-row", "", { role: "row", "aria-rowindex": "1" });
    for (const [name, title] of COLUMNS) head.append(make("span", `ch-history-${name}`, name === ZONED ? `${title} (${zone()})` : title, { role: "columnheader" }));
    this.empty.hidden = true;
    this.news.hidden = true;
    this.virtual = new VirtualRows(this.scroller, () => new Row(), () => this.paint());
    this.scroller.append(this.empty);
    this.grid.append(head, this.scroller, this.news);
    this.scroller.addEventListener("scroll", () => this.onScroll(), { passive: true });
    for (const kind of ["wheel", "pointerdown"]) this.scroller.addEventListener(kind, () => this.leaveEnd(), { passive: true });
    this.scroller.addEventListener("pointerdown", (event) => {
      const job = this.jobAt(event);
      this.pressed = job && { id: job.id, x: event.clientX, y: event.clientY };
    });
    this.scroller.addEventListener("click", (event) => {
      const meant = meantBy(this.pressed, this.jobAt(event), event, (one, other) => one.id === other.id);
      this.pressed = null;
      if (meant) this.choose(meant.id);
    });
    this.scroller.addEventListener("animationend", (event) => this.onShown(event));
    this.grid.addEventListener("keydown", (event) => this.onKey(event));
    this.sized = new ResizeObserver(() => this.grid.style.setProperty("--ch-scrollbar", `${this.scroller.offsetWidth - this.scroller.clientWidth}px`));
    this.sized.observe(this.scroller);
  }

  /** @param {MouseEvent} event @returns {{ id: string } | null} */
  jobAt(event) {
    const node = within(event, ".ch-history-row");
    return (node && this.virtual.byNode.get(node)?.job) ?? null;
  }

  close() {
    this.virtual.close();
    this.sized.disconnect();
  }

  get total() {
    if (this.skeleton) return Math.ceil(this.scroller.clientHeight / this.virtual.height);
    return totalOf(this.jobs.length, this.state);
  }

  /** Show that nothing is known yet. */
  showSkeleton() {
    this.jobs.clear();
    this.skeleton = true;
    this.scroller.scrollTop = 0;
    this.paint();
  }

  /** Show the jobs of another filter. @param {RowsMessage} message @param {JobRow[]} rows */
  begin(message, rows) {
    this.state = message;
    this.jobs.clear();
    this.jobs.put(rows);
    this.skeleton = this.toEnd = false;
    this.newer = 0;
    this.virtual.stretch(this.total);
    this.scroller.scrollTop = 0;
    this.mark();
  }

  /** Bring in rows, and leave what is on screen where it is, but for a list that nobody reads. @param {RowsMessage} message @param {JobRow[]} rows */
  change(message, rows) {
    const { jobs, scroller, virtual } = this;
    const { scrollTop: top } = scroller;
    const gone = new Set(message.gone);
    const isRead = top > 0 || this.grid.matches(":hover, :focus-within");
    let at = Math.floor(top / virtual.height);
    while (gone.has(jobs.at(at)?.id ?? "")) at += 1;
    const anchor = isRead ? (jobs.at(at)?.id ?? null) : null;
    const first = jobs.at(0)?.id ?? null;
    const wasSeen = this.isInView(this.open); // one's own job stays so while others launch theirs
    this.state = message;
    if (message.whole) jobs.keep(rows);
    jobs.drop(gone);
    jobs.put(rows);
    virtual.stretch(this.total);
    if (jobs.has(anchor)) scroller.scrollTop = top + (jobs.indexOf(anchor) - at) * virtual.height;
    if (wasSeen && jobs.has(this.open) && !this.isInView(this.open)) scroller.scrollTop = (jobs.indexOf(this.open) + 1) * virtual.height - scroller.clientHeight;
    const news = Math.max(0, jobs.indexOf(first));
    if (news && scroller.scrollTop > 0) this.newer += news;
    for (const { id } of jobs.order.slice(0, news)) this.justIn.add(id);
    this.mark();
  }

  /** Draw where the keyboard is, and which job is open. */
  mark() {
    const { jobs } = this;
    if (!jobs.has(this.active)) this.active = jobs.at(0)?.id ?? null;
    if (this.toReveal && this.toReveal === this.open && jobs.has(this.open)) {
      this.toReveal = "";
      this.active = this.open;
      // Within the list alone: the page stays where one reads it.
      if (!this.isInView(this.open)) this.scroller.scrollTop = Math.max(0, jobs.indexOf(this.open) * this.virtual.height - this.scroller.clientHeight / 3);
    }
    if (this.toEnd) this.goToEnd();
    this.paint();
    this.onScroll();
  }

  paint() {
    const { jobs, state } = this;
    const last = this.virtual.draw(this.total, (index) => jobs.at(index)?.id ?? index, (row, index) => this.draw(row, jobs.at(index) ?? null));
    if (this.virtual.drawn.has(this.active)) this.grid.setAttribute("aria-activedescendant", `${this.id}-${this.active}`);
    else this.grid.removeAttribute("aria-activedescendant"); // it is far from what is seen
    this.grid.setAttribute("aria-rowcount", String(state.complete || state.total !== null ? this.total + 1 : -1));
    if (canLoad(state) && !this.skeleton && last + AHEAD > jobs.length) this.onMore(last);
  }

  /** @param {Row} row @param {JobRow | null} job */
  draw(row, job) {
    row.draw(job);
    if (!job) return;
    const { node } = row;
    node.id = `${this.id}-${job.id}`;
    node.setAttribute("aria-selected", String(job.id === this.open));
    node.classList.toggle("ch-active", job.id === this.active);
    node.classList.toggle("ch-to-compare", this.isChosen(job.id));
    node.classList.toggle("ch-new", this.justIn.has(job.id));
  }

  /** @param {string} id */
  isInView(id) {
    const top = this.jobs.indexOf(id) * this.virtual.height;
    const { scrollTop, clientHeight } = this.scroller;
    return this.jobs.has(id) && top >= scrollTop && top + this.virtual.height <= scrollTop + clientHeight;
  }

  /** @param {string} id */
  choose(id) {
    this.active = id;
    this.onOpen(id);
    this.mark();
  }

  goUp() {
    this.scroller.scrollTop = 0;
    this.grid.focus({ preventScroll: true });
    this.mark();
  }

  /** To the last job that is known, and on as others come. */
  goToEnd() {
    this.active = this.jobs.at(this.jobs.length - 1)?.id ?? null;
    this.toEnd = canLoad(this.state) || this.state.loading;
    this.virtual.reveal(Math.max(0, this.total - 1));
  }

  leaveEnd() {
    this.toEnd = false;
  }

  onScroll() {
    if (this.scroller.scrollTop < 4) this.newer = 0;
    this.news.hidden = !this.newer;
    this.news.textContent = `↑ ${plural(this.newer, "new job")}`;
  }

  /** That a job came in was seen. @param {Event} event */
  onShown(event) {
    const node = within(event, ".ch-new");
    const job = node && this.virtual.byNode.get(node)?.job;
    if (!job) return;
    this.justIn.delete(job.id);
    node.classList.remove("ch-new");
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (this.active === null || within(event, "button") || event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / this.virtual.height) - 1);
    /** @type {Record<string, number>} */
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity };
    this.leaveEnd();
    if (event.key in steps) {
      const at = Math.min(this.jobs.length - 1, Math.max(0, this.jobs.indexOf(this.active) + steps[event.key]));
      this.active = this.jobs.at(at)?.id ?? null;
      this.virtual.reveal(at);
      this.mark();
    } else if (event.key === "End") {
      this.goToEnd();
      this.mark();
    } else if (event.key === "Enter" || event.key === " ") this.choose(this.active);
    else if (!this.onOther(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }
}
