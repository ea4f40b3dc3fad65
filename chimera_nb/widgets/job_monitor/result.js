// What came of a job: the files that failed and why, and of the output the first rows, a plot, and its shards.

/** Text of several lines, each shown as `showName` has it. */
function showLines(node, text) {
  node.replaceChildren();
  text.split(/\r?\n/).forEach((line, at) => {
    if (at) node.append("\n");
    showName(node.appendChild(make("span")), line);
  });
}

/** A bar that a panel has while it waits, and one line for what went wrong. */
function fillPlaceholder(node, { state, error = "" }, text) {
  node.hidden = state === "ready";
  node.classList.toggle("ch-bad", state === "failed");
  node.classList.toggle("ch-waits", state === "loading");
  showLines(node, state === "failed" ? error : text);
}

class Failures {
  constructor(again) {
    this.node = make("div", "ch-failures");
    this.nothing = make("div", "ch-placeholder");
    this.again = button("", "Try again", again);
    this.told = make("div", "ch-muted ch-told", "", { role: "status" });
    this.table = make("table", "ch-table ch-failures-table");
    const head = this.table.appendChild(make("thead")).appendChild(make("tr"));
    head.append(make("th", "", "File", { scope: "col" }), make("th", "", "Why it failed", { scope: "col" }));
    this.body = this.table.appendChild(make("tbody"));
    this.scroller = make("div", "ch-scrolls", "", { tabindex: "0", role: "region", "aria-label": "Files that failed" });
    this.scroller.append(this.table);
    this.node.append(this.nothing, this.again, this.told, this.scroller);
  }

  show(failures, job) {
    const { rows = [], total = 0, state } = failures;
    const final = Boolean(job.final);
    this.again.hidden = state !== "failed";
    this.told.hidden = this.scroller.hidden = !rows.length;
    if (rows.length) this.nothing.hidden = true;
    else fillPlaceholder(this.nothing, state === "ready" ? {} : failures, this.why(final, total, state, job));
    const more = total > rows.length ? `The first ${number(rows.length)} of ${plural(total, "file")} that failed` : `${plural(total, "file")} failed`;
    this.told.textContent = rows.length ? `${more}; the ledger has all of them.` : "";
    this.body.replaceChildren(
      ...rows.map(([uri, reason]) => {
        const row = make("tr");
        showName(row.appendChild(make("td", "ch-mono ch-uri", "", { title: uri })), uri);
        showLines(row.appendChild(make("td", "ch-reason")), reason);
        return row;
      }),
    );
  }

  why(final, total, state, job) {
    if (state === "loading") return "Reading the ledger";
    if (!final) return job.failed ? "Files have failed; the reasons come with the end of the job." : "No file has failed so far.";
    if (total) return "The job did not get to write its ledger, so there are no reasons for single files; see the log.";
    return job.status === "complete" ? "No file failed." : "No file is on record as failed.";
  }
}

class Result {
  constructor(jobId, save, again) {
    Object.assign(this, { jobId, result: {} });
    this.node = make("div", "ch-result");
    this.nothing = make("div", "ch-placeholder");
    this.again = button("", "Try again", again);
    this.save = button("", "Save as CSV", save, { title: "Save the first rows as a CSV file" });
    this.body = make("div", "ch-result-body");
    this.body.append(this.makeRows(), this.makePlot(), this.makeFiles());
    this.node.append(this.nothing, this.again, this.body);
  }

  close() {
    this.chart.close();
  }

  makeRows() {
    const part = make("section", "ch-result-rows", "", { "aria-label": "First rows" });
    this.rowsTold = make("span", "ch-muted");
    const head = make("div", "ch-part-head");
    head.append(make("h3", "", "First rows"), this.rowsTold, this.save);
    this.rows = make("div", "ch-scrolls", "", { tabindex: "0", role: "region", "aria-label": "First rows of the output" });
    part.append(head, this.rows);
    return part;
  }

  makePlot() {
    const part = make("section", "ch-result-plot", "", { "aria-label": "Plot" });
    this.choice = make("select", "ch-input", "", { "aria-label": "What to plot" });
    this.choice.addEventListener("change", () => this.plot());
    this.chart = new Chart({ title: "Plot", empty: "There is nothing to plot." });
    this.plotTold = make("span", "ch-muted");
    const head = make("div", "ch-part-head");
    head.append(make("h3", "", "Plot"), this.choice, this.plotTold);
    part.append(head, this.chart.node);
    return part;
  }

  makeFiles() {
    const part = make("section", "ch-result-files", "", { "aria-label": "Files" });
    const code = () => `read_output("${this.jobId()}")`;
    this.path = make("code", "ch-mono ch-uri");
    this.code = make("code", "ch-mono");
    this.total = make("span", "ch-muted ch-numbers");
    this.files = make("ul", "ch-files");
    this.scroller = make("div", "ch-scrolls", "", { tabindex: "0", role: "region", "aria-label": "Shards" });
    this.scroller.append(this.files);
    const lines = make("div", "ch-result-places");
    for (const [label, node, copy] of [
      ["Folder", this.path, copyButton("Copy the path", () => this.result.path)],
      ["In a notebook", this.code, copyButton("Copy the line of code", code)],
    ]) {
      const line = make("div", "ch-place");
      line.append(make("span", "ch-muted", label), node, copy);
      lines.append(line);
    }
    const head = make("div", "ch-part-head");
    head.append(make("h3", "", "Files"), this.total);
    part.append(head, lines, this.scroller);
    return part;
  }

  show(result, job) {
    this.result = result;
    const ready = result.state === "ready";
    this.body.hidden = !ready;
    this.again.hidden = result.state !== "failed";
    fillPlaceholder(this.nothing, result, this.why(result.state, job));
    if (!ready) return;
    this.showRows(result);
    this.showFiles(result);
    this.choice.replaceChildren(
      ...result.plot.series.map(({ name }, at) => {
        const option = make("option", "", "", { value: String(at) });
        showName(option, name);
        return option;
      }),
      make("option", "", "Size of the files", { value: "sizes" }),
    );
    this.plot();
  }

  why(state, job) {
    if (state === "loading") return "Opening the result";
    if (!job.final) return "The result appears here when the job is complete.";
    return job.status === "cancelled" ? "The job was cancelled, so there is no result. It can be run again." : "The job failed, so there is no result; the log says why.";
  }

  showRows({ columns, columnsTotal, rows, rowsRead }) {
    const table = make("table", "ch-table");
    const head = table.appendChild(make("thead")).appendChild(make("tr"));
    for (const { name, numeric } of columns) showName(head.appendChild(make("th", numeric ? "ch-numeric" : "", "", { scope: "col" })), name);
    const body = table.appendChild(make("tbody"));
    for (const row of rows) {
      const line = body.appendChild(make("tr"));
      row.forEach((text, at) => {
        const { numeric } = columns[at];
        showName(line.appendChild(make("td", numeric ? "ch-numeric" : "", "", text.length > 30 ? { title: text } : {})), text);
      });
    }
    const left = columnsTotal > columns.length ? `, the first ${columns.length} of ${number(columnsTotal)} columns` : "";
    setText(this.rowsTold, rows.length ? `${number(rows.length)}${left}` : "");
    this.rows.replaceChildren(rows.length ? table : make("div", "ch-placeholder", "The output holds no rows that can be shown."));
    this.save.textContent = rowsRead > rows.length ? `Save ${number(rowsRead)} as CSV` : "Save as CSV";
  }

  showFiles({ path, shards, shardsTotal, bytes: size, missing }) {
    showName(this.path, path);
    this.path.title = path;
    this.code.textContent = `read_output("${this.jobId()}")`;
    const gone = missing ? `; ${number(missing)} of them gone` : "";
    const first = shardsTotal > shards.length ? `; the first ${number(shards.length)} are listed` : "";
    this.total.textContent = `${plural(shardsTotal, "file")}, ${bytes(size)}${gone}${first}`;
    this.files.replaceChildren(
      ...shards.map(({ name, size: stored, link }) => {
        const item = make("li");
        const safe = stored !== null && /^https?:\/\//.test(link ?? "");
        const attributes = safe ? { href: link, download: name, target: "_blank", rel: "noopener noreferrer" } : {};
        showName(item.appendChild(make(safe ? "a" : "span", "ch-mono", "", attributes)), name);
        item.append(make("span", "ch-muted ch-numbers", stored === null ? "gone" : bytes(stored)));
        return item;
      }),
    );
  }

  plot() {
    const { plot, shards, rowsRead } = this.result;
    const series = plot.series[Number(this.choice.value)];
    if (!series) {
      const sizes = shards.map(({ size }, at) => [at, size ?? 0]);
      this.plotTold.textContent = "by their number";
      this.chart.show(sizes, "bars", { title: "Size of the files", showX: (at) => (Number.isInteger(at) ? String(at) : ""), showY: bytes0, ticksX: null });
      return;
    }
    const { points, name } = series;
    const dots = points.some(([x], at) => at && x === points[at - 1][0]);
    const times = plot.x.time ? timeAxis(points) : { showX: brief, ticksX: null };
    const over = plot.x.time ? `over ${plot.x.name}` : "by row";
    showName(this.plotTold, `${over}, of the first ${number(rowsRead)} rows`);
    const isTime = points.every(([, y]) => y > 1e11 && y < 1e13);
    this.chart.show(points, dots ? "dots" : "line", { title: `${name} ${over}`, ...times, showY: isTime ? (at) => when(at) : brief });
  }
}

const bytes0 = (size) => bytes(Math.round(size));

/** How times in milliseconds are written and marked: as days, or as times of day. */
function timeAxis(points) {
  const [low, high] = [points[0][0], points.at(-1)[0]];
  const steps = [1, 5, 15, 60, 300, 900, 3600, 10800, 21600, 43200, 86400, 604800, 2592000, 31536000].map((seconds) => seconds * 1000);
  const showX = (at) => (high - low > 2 * 86400e3 ? when(at).slice(0, 10) : high - low > 600e3 ? when(at).slice(11) : clock(at));
  const ticksX = (from, to, wanted) => {
    return stepped(from, to, steps.find((size) => (to - from) / size <= wanted) ?? 10 * steps.at(-1));
  };
  return { showX, ticksX };
}
