// The front end of JobHistory (widget.py): filters, the list, and what is said of it.

import { Address } from "../base/address.js";
import { button, later, make, setText } from "../base/text.js";
import { View } from "../base/view.js";
import { Compare } from "./compare.js";
import { Filters } from "./filters.js";
import { JobList } from "./list.js";
import { statusText } from "./words.js";

/** @import { RenderProps } from "../base/model.js" */
/** @import { FilterRequest, HistoryMessage, HistoryRequest, HistoryTraits, JobRow, RowsMessage } from "./messages.js" */

const SKELETON_MS = 150; // a job log that answers sooner shows no placeholder

/** @type {RowsMessage} */
const NOTHING = {
  kind: "rows", generation: 0, whole: false, parts: false, rows: [], gone: [], total: null, complete: false, loading: true, failed: false, paused: false, looked: 0, backTo: null, filtered: false, searching: false,
};

/** @extends {View<HistoryTraits, HistoryMessage, HistoryRequest>} */
class HistoryView extends View {
  shown = 0; // the generation of the rows on screen: the rows of before stay until there are others
  state = NOTHING;
  /** @type {JobRow[]} of a message that comes in parts */
  parts = [];
  status = make("span", "ch-muted ch-numbers", "", { role: "status" });
  more = button("", "", () => this.ask(this.state.loading ? { kind: "stop" } : { kind: "more", generation: this.generation }));

  /** @param {RenderProps<HistoryTraits>} props */
  constructor({ model, el }) {
    super(model, el, "history ch-panel", "Jobs");
    this.address = new Address(["status", "search", "since", "until", "mine"], () => this.filters.fill(this.address));
    this.list = new JobList(this.id, this.state, (id) => this.open(id), (to) => this.load(to), (event) => this.onKey(event), (id) => this.compare.chosen.includes(id));
    this.filters = new Filters((asked) => this.onFilter(asked), () => this.list.grid.focus());
    this.compare = new Compare((one, other) => this.ask({ kind: "compare", one, other, view: this.id }), () => this.onCompare());
    this.filters.node.append(this.compare.button);
    this.node.append(this.filters.node, this.list.grid, this.makeError(() => this.ask({ kind: "retry" })), this.makeStatus());
    this.skeletonSoon = later(SKELETON_MS, () => this.showSkeleton());
    this.hearMessages({
      rows: (message, isNew) => this.onRows(message, isNew),
      compared: (message) => message.view === this.id && this.compare.show(message),
    });
    this.hear({
      "change:job_id": () => this.reveal(),
      "change:height": () => this.onHeight(),
    });
    this.list.open = model.get("job_id");
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
    this.list.open = this.list.toReveal = this.model.get("job_id");
    this.list.mark();
  }

  /** @param {string} id */
  open(id) {
    if (this.compare.on) this.compare.take(id);
    else this.ask({ kind: "open", id });
  }

  onCompare() {
    this.list.grid.classList.toggle("ch-comparing", this.compare.on);
    this.list.paint();
  }

  /** @param {number} to how many rows are wanted */
  load(to) {
    if (this.shown !== this.generation) return;
    this.state.loading = true;
    this.ask({ kind: "more", generation: this.generation, to });
  }

  close() {
    super.close();
    this.address.close();
    this.list.close();
    for (const timer of [this.skeletonSoon, this.filters.soon]) timer.cancel();
  }

  /** @param {RowsMessage} message @param {boolean} isNew */
  onRows(message, isNew) {
    if (isNew) this.parts = [];
    this.parts.push(...message.rows);
    if (message.parts) return;
    const rows = this.parts;
    this.parts = [];
    const here = message.generation === this.shown;
    const waits = !here && message.loading && !rows.length;
    // The rows of before stay, dimmed, until there is something to show in their place.
    if (waits && isNew) this.skeletonSoon();
    this.state = message;
    this.list.scroller.classList.toggle("ch-waiting", waits);
    if (!waits) {
      this.skeletonSoon.cancel();
      this.shown = message.generation;
      if (here) this.list.change(message, rows);
      else this.list.begin(message, rows);
    }
    this.onState();
  }

  /** A key of the list that it has no use for; whether it is taken. @param {KeyboardEvent} event */
  onKey(event) {
    if (event.key === "Escape" && this.compare.on) this.compare.turn(false);
    else if (event.key === "/") this.filters.search.focus();
    else return false;
    return true;
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
    const count = here ? this.list.total : 0;
    setText(this.status, statusText(count, this.state));
    this.more.textContent = loading ? "Stop" : "Search on";
    this.more.classList.toggle("ch-absent", !searching || complete || failed || (!loading && !paused));
    this.list.grid.setAttribute("aria-busy", String(loading));
    this.list.empty.hidden = count > 0 || !complete || !here;
    this.list.empty.textContent = filtered ? "No job is like this. Change or clear the filters." : "There is no job yet. Choose files, name a target and launch one: it will show here at once, whoever launches it.";
  }

  showSkeleton() {
    this.list.showSkeleton();
    this.list.empty.hidden = true;
    this.list.scroller.classList.remove("ch-waiting");
  }

  onHeight() {
    this.list.grid.style.setProperty("--ch-height", `${this.model.get("height")}px`);
  }
}

export default {
  /** @param {RenderProps<HistoryTraits>} props */
  render(props) {
    const view = new HistoryView(props);
    return () => view.close();
  },
};
