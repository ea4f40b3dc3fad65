// The jobs that JobHistory knows, newest first: ten thousand of them, as the kernel sends them, in any order.

/** @import { JobRow } from "./messages.js" */

/** Below 0 where one stands before another: by when it was made, and by id where that is the same. @param {JobRow} one @param {JobRow} other */
const byAge = (one, other) => (one.created !== other.created ? (one.created > other.created ? -1 : 1) : one.id > other.id ? -1 : one.id < other.id ? 1 : 0);

export class Jobs {
  /** @type {JobRow[]} */
  order = [];
  /** @type {Map<string, JobRow>} */
  byId = new Map();

  get length() {
    return this.order.length;
  }

  /** @param {number} index @returns {JobRow | undefined} */
  at(index) {
    return this.order[index];
  }

  /** @param {string | null} id */
  has(id) {
    return id !== null && this.byId.has(id);
  }

  /** Where a job stands; -1 for one that is not known. @param {string | null} id */
  indexOf(id) {
    const job = id === null ? undefined : this.byId.get(id);
    let [from, to] = [0, job ? this.order.length : 0];
    while (job && from < to) {
      const middle = (from + to) >> 1;
      const order = byAge(this.order[middle], job);
      if (!order) return middle;
      if (order < 0) from = middle + 1;
      else to = middle;
    }
    return -1;
  }

  clear() {
    this.order = [];
    this.byId.clear();
  }

  /** Bring in what is new or has changed. @param {JobRow[]} rows */
  put(rows) {
    const moved = rows.filter(({ id, created }) => (this.byId.get(id)?.created ?? created) !== created);
    this.drop(moved.map(({ id }) => id));
    /** @type {Map<string, JobRow>} */
    const fresh = new Map();
    for (const job of rows) {
      const at = fresh.has(job.id) ? -1 : this.indexOf(job.id);
      if (at < 0) fresh.set(job.id, job);
      else this.order[at] = job;
      this.byId.set(job.id, job);
    }
    this.order = merged(this.order, [...fresh.values()].sort(byAge));
  }

  /** @param {Iterable<string>} ids */
  drop(ids) {
    let some = false;
    for (const id of ids) some = this.byId.delete(id) || some;
    if (some) this.order = this.order.filter(({ id }) => this.byId.has(id));
  }

  /** Leave none but these. @param {JobRow[]} rows */
  keep(rows) {
    const ids = new Set(rows.map(({ id }) => id));
    this.drop([...this.byId.keys()].filter((id) => !ids.has(id)));
  }
}

/** Two lists that are in order as one. A page of older jobs comes behind all others. @param {JobRow[]} one @param {JobRow[]} other */
function merged(one, other) {
  if (!one.length || !other.length || byAge(one[one.length - 1], other[0]) < 0) return one.concat(other);
  const all = [];
  let at = 0;
  for (const job of one) {
    while (at < other.length && byAge(other[at], job) < 0) all.push(other[at++]);
    all.push(job);
  }
  return all.concat(other.slice(at));
}
