// The rows of BucketBrowser, as the kernel has sent them.

/** @import { RowsMessage } from "./messages.js" */

/** A row's key: of a folder below 0, of an object from 0 on. @param {number} key */
export const isFolder = (key) => key < 0;

/**
 * The indexes to draw, [first, last), of a list of so many rows of so many pixels: those on screen and a few beyond.
 * @param {{ top: number, height: number, row: number, total: number, spare: number }} list
 * @returns {[number, number]}
 */
export function windowOf({ top, height, row, total, spare }) {
  const first = Math.max(0, Math.floor(top / row) - spare);
  return [first, Math.min(total, Math.ceil((top + height) / row) + spare)];
}

/** Whether a folder is selected as a whole, or in one that is. @param {string} folder @param {Set<string>} selected */
export function isHeld(folder, selected) {
  for (let end = folder.length; end > 1; end = folder.lastIndexOf("/", end - 2) + 1) {
    if (selected.has(folder.slice(0, end))) return true;
  }
  return false;
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
    return true;
  }

  /** Folders stand first. A key stays when more rows come, an index does not. @param {number} index */
  keyAt = (index) => (index < this.folders.length ? -1 - index : index - this.folders.length);
  /** @param {number} key */
  indexOfKey = (key) => (isFolder(key) ? -1 - key : key + this.folders.length);
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

