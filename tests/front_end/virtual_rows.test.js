// Which rows of a long list are drawn, and in what order jobs stand in it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { putFirst, topToShow, windowOf } from "../../chimera_nb/widgets/base/virtual_rows.js";
import { Jobs } from "../../chimera_nb/widgets/job_history/jobs.js";
import { totalOf } from "../../chimera_nb/widgets/job_history/list.js";

/** @import { JobRow } from "../../chimera_nb/widgets/job_history/messages.js" */

/** The job of that minute. @param {number} at @returns {JobRow} */
const job = (at, status = "complete") => /** @type {JobRow} */ ({ id: `job-${at}`, created: new Date(at * 60_000).toISOString(), status });

/** @param {Jobs} jobs */
const ids = (jobs) => jobs.order.map(({ id }) => Number(id.slice(4)));

test("of 100,000 rows only those on screen are drawn, with a few beyond", () => {
  const list = { height: 360, row: 30, total: 100_000, spare: 8 };
  assert.deepEqual(windowOf({ ...list, top: 0 }), [0, 20]);
  assert.deepEqual(windowOf({ ...list, top: 1_500_015 }), [49_992, 50_021]);
  assert.deepEqual(windowOf({ ...list, top: 30 * 100_000 - 360 }), [99_980, 100_000]);
  assert.deepEqual(windowOf({ ...list, top: 0, total: 3 }), [0, 3]);
});

test("a row above or below what is seen is brought to its edge, and one that is seen moves nothing", () => {
  const list = { top: 300, room: 100, row: 50 };
  assert.deepEqual([2, 5, 6, 7, 8, 20].map((index) => topToShow({ ...list, index })), [100, 250, 300, 300, 350, 950]);
});

test("elements come into the order of their rows, those that stand for none after them, and who stands right is not moved", () => {
  /** @type {any[]} */
  const nodes = [...Array(8).keys()].map((name) => ({ name, get nextElementSibling() { return parent.nodes[parent.nodes.indexOf(this) + 1] ?? null; } }));
  /** @type {any} */
  const parent = {
    nodes: [...nodes], moved: [],
    get firstElementChild() { return this.nodes[0] ?? null; },
    insertBefore(/** @type {any} */ node, /** @type {any} */ next) {
      this.moved.push(node.name);
      this.nodes.splice(this.nodes.indexOf(node), 1);
      this.nodes.splice(next ? this.nodes.indexOf(next) : this.nodes.length, 0, node);
    },
  };
  const stands = (/** @type {number[]} */ ...names) => {
    parent.moved = [];
    putFirst(parent, names.map((name) => nodes[name]));
    return [parent.nodes.map((/** @type {any} */ { name }) => name), parent.moved];
  };
  assert.deepEqual(stands(0, 1, 2, 3), [[0, 1, 2, 3, 4, 5, 6, 7], []]);
  assert.deepEqual(stands(0, 5, 2, 4), [[0, 5, 2, 4, 1, 3, 6, 7], [5, 2, 4]]);
  assert.deepEqual(stands(7, 6, 0, 5), [[7, 6, 0, 5, 2, 4, 1, 3], [7, 6]]);
});

test("jobs stand newest first in whatever order they come, and are found by their id", () => {
  const jobs = new Jobs();
  jobs.put([5, 4, 3].map((at) => job(at)));
  jobs.put([2, 1].map((at) => job(at))); // a page
  jobs.put([job(7), job(6), job(4, "failed"), job(7, "running")]); // what a watch tells
  assert.deepEqual(ids(jobs), [7, 6, 5, 4, 3, 2, 1]);
  assert.deepEqual(["job-7", "job-4", "job-1", "job-9", null].map((id) => jobs.indexOf(id)), [0, 3, 6, -1, -1]);
  assert.deepEqual([jobs.at(0)?.status, jobs.at(3)?.status, jobs.at(9)], ["running", "failed", undefined]);
  jobs.put([{ ...job(4), created: job(9).created }]); // its record could not be read before
  assert.deepEqual([ids(jobs), jobs.length], [[4, 7, 6, 5, 3, 2, 1], 7]);
  jobs.drop(["job-6", "job-9"]);
  jobs.keep([job(4), job(5), job(3)]);
  assert.deepEqual([ids(jobs), jobs.has("job-6"), jobs.has("job-5"), jobs.has(null)], [[4, 5, 3], false, true, false]);
});

test("jobs of one moment stand by their ids, as the log has them", () => {
  const jobs = new Jobs();
  jobs.put(["b", "d"].map((id) => ({ ...job(1), id })));
  jobs.put(["a", "c", "e"].map((id) => ({ ...job(1), id })));
  assert.deepEqual(jobs.order.map(({ id }) => id), ["e", "d", "c", "b", "a"]);
  assert.deepEqual(["e", "d", "c", "b", "a"].map((id) => jobs.indexOf(id)), [0, 1, 2, 3, 4]);
});

test("the scroll bar stands for all jobs that the log has, and in the end for those that came", () => {
  assert.deepEqual([totalOf(50, { complete: false, total: 10_000 }), totalOf(50, { complete: false, total: null }), totalOf(60, { complete: false, total: 50 }), totalOf(60, { complete: true, total: 61 })], [10_000, 50, 60, 60]);
});
