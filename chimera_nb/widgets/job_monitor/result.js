// What came of a job: its rows as a table, a plot, and its files.

import { Chart, brief } from "../base/chart.js";
import { copyButton } from "../base/copy.js";
import { button, bytes, make, number, plural, showName, when } from "../base/text.js";

import { DataTable } from "../table/table.js";
import { areTimes, isCloud, timeAxis } from "./axes.js";
import { Picture } from "./picture.js";
import { fillPlaceholder } from "./placeholder.js";

/** @import { MonitorTraits, Result } from "./messages.js" */
/** @import { Wanted } from "./picture.js" */
/** @import { TableRequest } from "../table/table.js" */
/** @typedef {MonitorTraits["_job"]} MaybeJob */
/** @typedef {MonitorTraits["_result"]} ResultState */

/** Why there is no result. @param {ResultState} result @param {MaybeJob} job */
export function whyNone(result, job) {
  if (result.state === "loading") return "Opening the result";
  if (!job.final) return "The result appears here when the job is complete.";
  return job.status === "cancelled" ? "The job was cancelled, so there is no result. It can be run again." : "The job failed, so there is no result; the log says why.";
}

/** A part of a widget to scroll in. @param {string} label */
const scrolling = (label) => make("div", "ch-scrolls", "", { tabindex: "0", role: "region", "aria-label": label });

export class ResultPanel {
  /** @type {Result | null} */
  result = null;
  node = make("div", "ch-result");
  nothing = make("div", "ch-placeholder");
  choice = make("select", "ch-input", "", { "aria-label": "What to plot" });
  chart = new Chart({ title: "Plot", empty: "There is nothing to plot." });
  plotTold = make("span", "ch-muted");
  path = make("code", "ch-mono ch-uri");
  code = make("code", "ch-mono");
  total = make("span", "ch-muted ch-numbers");
  files = make("ul", "ch-files");

  /**
   * @param {string} view
   * @param {() => string} jobId
   * @param {{ again: () => void, draw: (wanted: Wanted) => void, table: (request: TableRequest) => void }} asks
   */
  constructor(view, jobId, { again, draw, table }) {
    this.jobId = jobId;
    this.table = new DataTable(view, "Rows of the output", table);
    this.picture = new Picture(draw);
    this.again = button("", "Try again", again);
    this.body = make("div", "ch-result-body");
    this.body.append(this.makeRows(), this.makePlot(), this.makeFiles());
    this.node.append(this.nothing, this.again, this.body);
  }

  close() {
    this.chart.close();
    this.picture.close();
    this.table.close();
  }

  makeRows() {
    const part = make("section", "ch-result-rows", "", { "aria-label": "Rows" });
    part.append(this.table.node);
    return part;
  }

  makePlot() {
    const part = make("section", "ch-result-plot", "", { "aria-label": "Plot" });
    this.choice.addEventListener("change", () => this.plot());
    const head = make("div", "ch-part-head");
    head.append(make("h3", "", "Plot"), this.choice, this.picture.names, this.plotTold, this.picture.told);
    part.append(head, this.chart.node, this.picture.node);
    return part;
  }

  makeFiles() {
    const part = make("section", "ch-result-files", "", { "aria-label": "Files" });
    const scroller = scrolling("Files of the output");
    scroller.append(this.files);
    const lines = make("div", "ch-result-places");
    /** @param {string} label @param {Element} node @param {Element} copy */
    const line = (label, node, copy) => {
      const place = make("div", "ch-place");
      place.append(make("span", "ch-muted", label), node, copy);
      return place;
    };
    lines.append(line("Folder", this.path, copyButton("Copy the path", () => this.result?.path ?? "")));
    lines.append(line("In a notebook", this.code, copyButton("Copy the line of code", () => this.line())));
    const head = make("div", "ch-part-head");
    head.append(make("h3", "", "Files"), this.total);
    part.append(head, lines, scroller);
    return part;
  }

  /** The line of code that reads the output, in a notebook that has nothing yet. */
  line() {
    return `import chimera_nb as ch; ch.read_output("${this.jobId()}")`;
  }

  /** @param {ResultState} result @param {MaybeJob} job */
  show(result, job) {
    this.result = result.state === "ready" ? result : null;
    this.body.hidden = result.state !== "ready";
    this.again.hidden = result.state !== "failed";
    fillPlaceholder(this.nothing, result, whyNone(result, job));
    if (result.state !== "ready") return;
    if (this.table.subject !== this.jobId()) this.table.open(this.jobId());
    this.showFiles(result);
    this.picture.begin(result.picture);
    this.choice.replaceChildren(
      ...(result.picture ? [make("option", "", `One ${result.picture}`, { value: "picture" })] : []),
      ...result.plot.series.map(({ name }, at) => {
        const option = make("option", "", "", { value: String(at) });
        showName(option, name);
        return option;
      }),
      make("option", "", "Size of the files", { value: "sizes" }),
    );
    this.plot();
  }

  /** @param {Result} result */
  showFiles({ path, shards, shardsTotal, bytes: size, missing }) {
    showName(this.path, path);
    this.path.title = path;
    this.code.textContent = this.line();
    const gone = missing ? `; ${number(missing)} of them gone` : "";
    const first = shardsTotal > shards.length ? `; the first ${number(shards.length)} are listed` : "";
    this.total.textContent = `${plural(shardsTotal, "file")}, ${bytes(size)}${gone}${first}`;
    this.files.replaceChildren(
      ...shards.map(({ name, size: stored, link }) => {
        const item = make("li");
        const href = stored !== null && link !== null && /^https?:\/\//.test(link) ? link : null;
        /** @type {Record<string, string>} */
        const attributes = href === null ? {} : { href, download: name, target: "_blank", rel: "noopener noreferrer" };
        showName(item.appendChild(make(href === null ? "span" : "a", "ch-mono", "", attributes)), name);
        item.append(make("span", "ch-muted ch-numbers", stored === null ? "gone" : bytes(stored)));
        return item;
      }),
    );
  }

  plot() {
    if (!this.result) return;
    const { plot, shards, rowsRead } = this.result;
    const drawn = this.choice.value === "picture";
    this.chart.node.hidden = this.plotTold.hidden = drawn;
    this.picture.toggle(drawn);
    if (drawn) return;
    const series = plot.series[Number(this.choice.value)];
    if (!series) {
      const sizes = shards.map(({ size }, at) => /** @type {[number, number]} */ ([at, size ?? 0]));
      this.plotTold.textContent = "by their number";
      this.chart.show(sizes, "bars", { title: "Size of the files", showX: (at) => (Number.isInteger(at) ? String(at) : ""), showY: (size) => bytes(Math.round(size)), ticksX: null });
      return;
    }
    const { points, name } = series;
    const times = plot.x.time ? timeAxis(points) : { showX: brief, ticksX: null };
    const over = plot.x.time ? `over ${plot.x.name}` : "by row";
    showName(this.plotTold, `${over}, of the first ${number(rowsRead)} rows`);
    this.chart.show(points, isCloud(points) ? "dots" : "line", { title: `${name} ${over}`, ...times, showY: areTimes(points) ? when : brief });
  }
}
