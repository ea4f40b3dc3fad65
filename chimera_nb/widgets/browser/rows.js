// The rows of BucketBrowser, as the kernel has sent them.

/** @import { RowsMessage } from "./messages.js" */
/** @typedef {{ by: "name" | "size" | "codec" | "date", down: boolean }} Order of what is on screen */

const FIELD = { name: 0, size: 1, date: 2, codec: 3 };

/** A row's key: of a folder below 0, of an object from 0 on. @param {number} key */
export const isFolder = (key) => key < 0;

/** Whether two places in a list are of one row. @param {{ rows: object, key: number }} one @param {{ rows: object, key: number }} other */
export const isSameRow = (one, other) => one.rows === other.rows && one.key === other.key;

/** Whether a folder is selected as a whole, or in one that is. @param {string} folder @param {Set<string>} selected */
export function isHeld(folder, selected) {
  for (let end = folder.length; end > 1; end = folder.lastIndexOf("/", end - 2) + 1) {
    if (selected.has(folder.slice(0, end))) return true;
  }
  return false;
}

/** The names right in a folder that hold something selected, without being selected themselves. @param {string} folder @param {Iterable<string>} selected */
export function partsOf(folder, selected) {
  const names = new Set();
  for (const uri of selected) {
    const end = uri.startsWith(folder) ? uri.indexOf("/", folder.length) + 1 : 0;
    if (end && end < uri.length) names.add(uri.slice(0, end));
  }
  return names;
}

/**
 * How much of the rows is selected; `parts` of the folders hold something that is.
 * @param {Rows} rows
 * @param {Set<string>} selected
 * @param {number} parts
 * @returns {"all" | "some" | "none"}
 */
export function chosenOf(rows, selected, parts) {
  if (!selected.size || !rows.length) return "none";
  let count = 0;
  for (let at = 0; at < rows.length; at += 1) if (selected.has(rows.uri(rows.keyAt(at)))) count += 1;
  return count === rows.length && rows.complete ? "all" : count || parts ? "some" : "none";
}

export class Rows {
  /** @type {string[]} */
  folders = [];
  /** @type {RowsMessage["objects"]} */
  objects = [];
  loading = false;
  failed = false;
  complete = false;
  rest = false;
  unnamed = 0;
  /** @type {RowsMessage["archive"]} the one that this is in */
  archive = null;
  /** @type {Order} */
  order = { by: "name", down: false };
  /** @type {number[] | null} keys of the objects in the order on screen; null for that of the listing */
  sorted = null;
  /** @type {number[] | null} where each object is in that order */
  places = null;

  /** @param {RowsMessage} message */
  constructor(message) {
    this.generation = message.generation;
    this.folder = message.folder;
    this.filter = message.filter;
  }

  get length() {
    return this.folders.length + this.objects.length;
  }

  /**
   * Take a message about this view; false when something before it is missing.
   * @param {RowsMessage} message
   */
  take(message) {
    const [folders, objects] = message.at;
    if (folders > this.folders.length || objects > this.objects.length) return false;
    for (const name of message.folders.slice(this.folders.length - folders)) this.folders.push(name);
    for (const row of message.objects.slice(this.objects.length - objects)) this.objects.push(row);
    const { loading, failed, complete, rest, unnamed, archive } = message;
    Object.assign(this, { loading, failed, complete, rest, unnamed, archive });
    this.sort(this.order);
    return true;
  }

  get isSorted() {
    return this.order.by !== "name" || this.order.down;
  }

  /** Put the objects into another order; folders have but names, and stand first. @param {Order} order */
  sort(order) {
    this.order = order;
    this.sorted = this.places = null;
    if (!this.isSorted) return;
    const field = FIELD[order.by];
    const value = (/** @type {number} */ key) => this.objects[key][field] ?? "";
    const sign = order.down ? -1 : 1;
    this.sorted = this.objects.map((_, key) => key).sort((a, b) => {
      const [one, other] = [value(a), value(b)];
      return sign * (one < other ? -1 : one > other ? 1 : a - b);
    });
    const places = new Array(this.sorted.length);
    this.sorted.forEach((key, place) => {
      places[key] = place;
    });
    this.places = places;
  }

  /** Folders stand first. A key stays when more rows come, an index does not. @param {number} index */
  keyAt = (index) => {
    const count = this.folders.length;
    if (index >= count) return this.sorted ? this.sorted[index - count] : index - count;
    return this.order.by === "name" && this.order.down ? index - count : -1 - index;
  };
  /** @param {number} key */
  indexOfKey = (key) => {
    const count = this.folders.length;
    if (!isFolder(key)) return (this.places ? this.places[key] : key) + count;
    return this.order.by === "name" && this.order.down ? key + count : -1 - key;
  };
  /** The keys from one row to another, either way, as they stand on screen. @param {number} one @param {number} other */
  between(one, other) {
    const [from, to] = [this.indexOfKey(one), this.indexOfKey(other)].sort((a, b) => a - b);
    return Array.from({ length: to - from + 1 }, (_, at) => this.keyAt(from + at));
  }
  /** @param {number} key */
  has = (key) => (isFolder(key) ? -1 - key < this.folders.length : key < this.objects.length);
  /** @param {number} key */
  name = (key) => (isFolder(key) ? this.folders[-1 - key] : this.objects[key][0]);
  /** Whether a row is an archive. @param {number} key */
  isArchive = (key) => !isFolder(key) && this.objects[key][4];
  /** Whether a row opens as a folder. @param {number} key */
  opens = (key) => isFolder(key) || this.isArchive(key);
  /** That of an archive is the folder that it is. @param {number} key */
  uri = (key) => this.folder + this.name(key) + (this.isArchive(key) ? "!/" : "");

  /** The row whose URI ends so below this folder; undefined for none that is there. @param {string} end */
  keyOf(end) {
    const at = this.folders.indexOf(end);
    if (at >= 0) return -1 - at;
    const object = this.objects.findIndex(([name, , , , opens]) => opens && `${name}!/` === end);
    return object < 0 ? undefined : object;
  }
}

