// How a job stands: its stages as a picture, its numbers, and its throughput as it was watched.

import { Chart, stepped } from "../base/chart.js";
import { bytes, duration, make, number, plural, setText, showName } from "../base/text.js";
import { TERMS } from "../base/terms.js";
import { factTexts, filesDone, leftOutTexts, secondsRun, speed } from "./words.js";

/** @import { Point } from "../base/chart.js" */
/** @import { Job } from "./messages.js" */

/** @type {Record<"read" | "decompress" | "write", [title: string, steps: string]>} */
const STAGES = {
  read: ["Read", "CreatePatterns, ListFiles, ExpandArchives, Reshuffle"],
  decompress: [TERMS.decompress[0], "ReadAndDecompress"],
  write: ["Write", "WriteOutput"],
};
const STEPS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400]; // seconds between two marks of the chart
const FACTS = /** @type {const} */ ({
  files: "Files", failed: "Failed", read: "Read", raw: TERMS.raw[0], lines: "Lines", speed: TERMS.throughput[0], time: "Time", left: "Time left", hours: TERMS.workerHours[0],
});

/** @type {Partial<Record<keyof typeof FACTS, string>>} */
const MEANS = { read: TERMS.read[1], raw: TERMS.raw[1], speed: TERMS.throughput[1], hours: `${TERMS.workerHours[1]}. ${TERMS.cost[1]}` };

/** A place of the picture that is no stage: where it comes from, and where it goes. @param {string} name @param {string} title */
function makePlace(name, title) {
  const node = make("li", `ch-stage ch-place-${name}`);
  node.append(make("span", "ch-stage-name", title));
  return { node, told: node.appendChild(make("span", "ch-stage-told ch-mono")), count: node.appendChild(make("span", "ch-stage-count ch-numbers")) };
}

/** @param {string} name @returns {name is keyof typeof STAGES} */
const isStage = (name) => name in STAGES;

/** @param {string} title @param {string} steps */
function makeStage(title, steps) {
  const node = make("li", "ch-stage", "", { title: steps });
  const state = make("span", "ch-state ch-stage-told");
  const count = make("span", "ch-stage-count ch-numbers");
  node.append(make("span", "ch-stage-name", title), state, count);
  return { node, state, count };
}

/** @param {keyof typeof FACTS} name */
function makeFact(name) {
  const node = make("div", `ch-fact ch-fact-${name}`);
  node.title = MEANS[name] ?? "";
  return { node, title: node.appendChild(make("dt", "", FACTS[name])), value: node.appendChild(make("dd", "ch-numbers")) };
}

export class Standing {
  /** @type {Job | null} */
  job = null;
  /** @type {{ id: string, base: number | null, at: number } | null} seconds that the job had run, and when that was told */
  timed = null;
  node = make("div", "ch-standing");
  chart = new Chart({ title: "Speed", showX: duration, showY: speed, empty: "The speed is drawn here once there is data." });
  from = makePlace("from", "Inputs");
  stages = { read: makeStage(...STAGES.read), decompress: makeStage(...STAGES.decompress), write: makeStage(...STAGES.write) };
  to = makePlace("to", "Output");
  leftOut = make("ul", "ch-left-out", "", { "aria-label": "Not read" });
  bar = make("div", "ch-meter", "", { role: "progressbar", "aria-label": "Files done", "aria-valuemin": "0", "aria-valuemax": "100" });
  good = this.bar.appendChild(make("span", "ch-meter-good"));
  bad = this.bar.appendChild(make("span", "ch-meter-bad"));
  facts = {
    files: makeFact("files"), failed: makeFact("failed"), read: makeFact("read"), raw: makeFact("raw"), lines: makeFact("lines"), speed: makeFact("speed"),
    time: makeFact("time"), left: makeFact("left"), hours: makeFact("hours"),
  };

  constructor() {
    this.chart.ticksX = (low, high, wanted) => stepped(low, high, STEPS.find((size) => (high - low) / size <= wanted) ?? 864_000);
    this.node.append(this.makeStages(), this.leftOut, this.makeProgress());
    this.ticking = setInterval(() => this.tick(), 1000);
  }

  close() {
    clearInterval(this.ticking);
    this.chart.close();
  }

  /** @param {Job} job */
  show(job) {
    this.job = job;
    this.onStages(job);
    this.onNumbers(job);
  }

  // The stages

  makeStages() {
    const list = make("ol", "ch-stages", "", { "aria-label": "Stages" });
    list.append(this.from.node, ...Object.values(this.stages).map(({ node }) => node), this.to.node);
    return list;
  }

  /** @param {Job} job */
  onStages(job) {
    const more = job.inputsTotal > job.inputs.length ? ` and ${number(job.inputsTotal - job.inputs.length)} more` : "";
    showPlace(this.from.told, job.inputs.join(", ") + more, job.inputs.join("\n") + more);
    showPlace(this.to.told, job.target, job.target);
    const done = filesDone(job);
    const counts = {
      read: job.listed ? `${number(done)} of ${number(job.listed)}` : "",
      decompress: job.rawBytes ? bytes(job.rawBytes) : "",
      write: job.lines ? plural(job.lines, job.unit) : "",
    };
    for (const [name, state] of job.stages) {
      if (!isStage(name)) continue;
      const stage = this.stages[name];
      stage.node.dataset.state = state;
      setText(stage.state, state);
      setText(stage.count, counts[name]);
    }
    setText(this.from.count, job.listed ? `${plural(job.listed, "file")} found` : job.final ? "" : "not listed yet");
    const texts = leftOutTexts(job);
    if (this.leftOut.dataset.shown !== texts.join("\n")) {
      this.leftOut.dataset.shown = texts.join("\n");
      this.leftOut.title = job.unmatchedFirst.join("\n");
      this.leftOut.replaceChildren();
      for (const text of texts) showName(this.leftOut.appendChild(make("li")), text);
    }
    this.leftOut.hidden = !texts.length;
    setText(this.to.count, job.outputBytes ? bytes(job.outputBytes) : "");
  }

  // Progress

  makeProgress() {
    const part = make("section", "ch-progress", "", { "aria-label": "Progress" });
    const list = make("dl", "ch-facts");
    list.append(...Object.values(this.facts).map(({ node }) => node));
    const plot = make("figure", "ch-throughput");
    plot.append(make("figcaption", "ch-muted", "Speed: unpacked content in a second"), this.chart.node);
    part.append(this.bar, list, plot);
    return part;
  }

  /** @param {Job} job */
  onNumbers(job) {
    // By bytes, of which those of failed files are a part as large as their number is of the files that are done.
    const done = filesDone(job);
    const bad = done ? (job.failed / done) * (job.fraction ?? 0) : 0;
    this.good.style.width = `${100 * ((job.fraction ?? 0) - bad)}%`;
    this.bad.style.width = `${100 * bad}%`;
    const unknown = job.fraction === null && job.status === "running";
    this.bar.classList.toggle("ch-meter-unknown", unknown);
    if (job.fraction === null) this.bar.removeAttribute("aria-valuenow");
    else this.bar.setAttribute("aria-valuenow", String(Math.floor(100 * job.fraction)));
    for (const [name, text] of Object.entries(factTexts(job))) setText(this.facts[/** @type {keyof typeof FACTS} */ (name)].value, text);
    setText(this.facts.speed.title, job.final ? "Average speed" : "Speed now");
    setText(this.facts.hours.title, job.cost === null ? TERMS.workerHours[0] : `${TERMS.workerHours[0]} · ${TERMS.cost[0].toLowerCase()}`);
    setText(this.facts.lines.title, job.unit === "row" ? "Rows" : "Lines");
    this.facts.failed.value.classList.toggle("ch-bad", job.failed > 0);
    const now = performance.now();
    const shown = this.timed?.id === job.id ? (this.timed.base ?? 0) + (now - this.timed.at) / 1000 : 0;
    this.timed = { id: job.id, base: secondsRun(job, shown), at: now };
    this.tick();
  }

  tick() {
    const { job, timed } = this;
    if (!timed || !job) return;
    const counted = job.status === "running" ? (performance.now() - timed.at) / 1000 : 0;
    setText(this.facts.time.value, timed.base === null ? "-" : duration(timed.base + counted));
  }

  /** @param {Point[]} points */
  showPoints(points) {
    this.chart.show(points, "area");
  }
}

/** What does not change stays, so that it can be selected and copied. @param {HTMLElement} node @param {string} text @param {string} title */
function showPlace(node, text, title) {
  if (node.dataset.shown === text) return;
  node.dataset.shown = text;
  showName(node, text);
  node.title = title;
}
