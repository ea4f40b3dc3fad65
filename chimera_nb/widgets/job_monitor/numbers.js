// How a job stands: its stages as a picture, its numbers, and its throughput as it was watched.

const STAGES = {
  read: ["Read", "CreatePatterns, ListFiles, Deduplicate, Reshuffle"],
  decompress: ["Decompress", "ReadAndDecompress"],
  write: ["Write", "WriteOutput"],
};
const speed = (value) => `${bytes(Math.round(value))}/s`;

class Standing {
  constructor() {
    this.node = make("div", "ch-standing");
    this.chart = new Chart({ title: "Throughput", showX: duration, showY: speed, empty: "Throughput is drawn here once there is data." });
    const steps = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400];
    this.chart.ticksX = (low, high, wanted) => stepped(low, high, steps.find((size) => (high - low) / size <= wanted) ?? 864_000);
    this.node.append(this.makeStages(), this.makeProgress());
    this.ticking = setInterval(() => this.tick(), 1000);
  }

  close() {
    clearInterval(this.ticking);
    this.chart.close();
  }

  show(job) {
    this.job = job;
    this.onStages(job);
    this.onNumbers(job);
  }

  // The stages

  makeStages() {
    const list = make("ol", "ch-stages", "", { "aria-label": "Stages" });
    const place = (name, title) => {
      const item = list.appendChild(make("li", `ch-stage ch-place-${name}`));
      item.append(make("span", "ch-stage-name", title));
      return [item.appendChild(make("span", "ch-stage-told ch-mono")), item.appendChild(make("span", "ch-stage-count ch-numbers"))];
    };
    [this.from, this.found] = place("from", "Inputs");
    this.stages = new Map(
      Object.entries(STAGES).map(([name, [title, steps]]) => {
        const item = list.appendChild(make("li", "ch-stage", "", { title: steps }));
        const state = make("span", "ch-state ch-stage-told");
        const count = make("span", "ch-stage-count ch-numbers");
        item.append(make("span", "ch-stage-name", title), state, count);
        return [name, { item, state, count }];
      }),
    );
    [this.to, this.written] = place("to", "Output");
    return list;
  }

  onStages(job) {
    const more = job.inputsTotal > job.inputs.length ? ` and ${number(job.inputsTotal - job.inputs.length)} more` : "";
    this.showPlace(this.from, job.inputs.join(", ") + more, job.inputs.join("\n") + more);
    this.showPlace(this.to, job.target, job.target);
    const done = job.complete + job.failed;
    const counts = {
      read: job.listed ? `${number(done)} of ${plural(job.listed, "file")}` : "",
      decompress: job.rawBytes ? `${bytes(job.rawBytes)} raw` : "",
      write: job.lines ? plural(job.lines, "line") : "",
    };
    for (const [name, state] of job.stages) {
      const stage = this.stages.get(name);
      stage.item.dataset.state = state;
      setText(stage.state, state);
      setText(stage.count, counts[name]);
    }
    setText(this.found, job.listed ? `${plural(job.listed, "file")} found` : job.final ? "" : "not listed yet");
    setText(this.written, job.outputBytes ? bytes(job.outputBytes) : "");
  }

  // Progress

  makeProgress() {
    const part = make("section", "ch-progress", "", { "aria-label": "Progress" });
    this.bar = make("div", "ch-meter", "", { role: "progressbar", "aria-label": "Files done", "aria-valuemin": "0", "aria-valuemax": "100" });
    this.good = this.bar.appendChild(make("span", "ch-meter-good"));
    this.bad = this.bar.appendChild(make("span", "ch-meter-bad"));
    const list = make("dl", "ch-facts");
    this.facts = {};
    for (const [name, title] of [["files", "Files"], ["failed", "Failed"], ["read", "Read"], ["raw", "Raw"], ["lines", "Lines"], ["speed", "Throughput"], ["time", "Time"], ["left", "Time left"]]) {
      const fact = list.appendChild(make("div", `ch-fact ch-fact-${name}`));
      fact.append(make("dt", "", title), (this.facts[name] = make("dd", "ch-numbers")));
    }
    const plot = make("figure", "ch-throughput");
    plot.append(make("figcaption", "ch-muted", "Throughput, raw bytes a second"), this.chart.node);
    part.append(this.bar, list, plot);
    return part;
  }

  onNumbers(job) {
    const share = (files) => `${job.listed && job.fraction !== null ? (100 * files) / job.listed : 0}%`;
    this.good.style.width = job.status === "complete" && !job.failed ? "100%" : share(job.complete);
    this.bad.style.width = share(job.failed);
    const unknown = job.fraction === null && job.status === "running";
    this.bar.classList.toggle("ch-meter-unknown", unknown);
    if (job.fraction === null) this.bar.removeAttribute("aria-valuenow");
    else this.bar.setAttribute("aria-valuenow", String(Math.floor(100 * job.fraction)));
    const done = job.complete + job.failed;
    const tell = {
      files: job.listed ? `${number(done)} of ${number(job.listed)}` : "-",
      failed: number(job.failed),
      read: job.readBytes === null ? "-" : bytes(job.readBytes),
      raw: job.rawBytes === null ? "-" : bytes(job.rawBytes),
      lines: job.lines === null ? "-" : number(job.lines),
      speed: job.speed !== null ? speed(job.speed) : job.averageSpeed !== null ? speed(job.averageSpeed) : "-",
      left: this.left(job),
    };
    for (const [name, text] of Object.entries(tell)) setText(this.facts[name], text);
    setText(this.facts.speed.previousSibling, job.final ? "Average throughput" : "Throughput now");
    this.facts.failed.classList.toggle("ch-bad", job.failed > 0);
    const now = performance.now();
    const shown = this.timed?.id === job.id ? this.timed.base + (now - this.timed.at) / 1000 : 0;
    // The kernel's number may be a little behind what was counted here meanwhile; time does not go back.
    const base = job.seconds === null ? null : job.final || job.seconds < shown - 3 ? job.seconds : Math.max(job.seconds, shown);
    this.timed = { id: job.id, base, at: now };
    this.tick();
  }

  left(job) {
    if (job.status !== "running") return job.final ? "-" : "waiting to start";
    if (job.secondsLeft === null) return "not known yet";
    return job.secondsLeft ? `about ${duration(job.secondsLeft)}` : "finishing";
  }

  tick() {
    const { job, timed } = this;
    if (!timed) return;
    const counted = job.status === "running" ? (performance.now() - timed.at) / 1000 : 0;
    setText(this.facts.time, timed.base === null ? "-" : duration(timed.base + counted));
  }

  showPoints(points) {
    this.chart.show(points, "area");
  }

  /** What does not change stays, so that it can be selected and copied. */
  showPlace(node, text, title) {
    if (node.dataset.shown === text) return;
    node.dataset.shown = text;
    showName(node, text);
    node.title = title;
  }
}
