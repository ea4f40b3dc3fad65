// The rows of one view of BucketBrowser, as the kernel has sent them.

const isFolder = (key) => key < 0;

class Rows {
  constructor(message) {
    Object.assign(this, { view: message.view, folder: message.folder, filter: message.filter });
    this.folders = [];
    this.objects = [];
  }

  get length() {
    return this.folders.length + this.objects.length;
  }

  /** Take a message about this view; false when something before it is missing. */
  take(message) {
    const [folders, objects] = message.at;
    if (folders > this.folders.length || objects > this.objects.length) return false;
    for (const name of message.folders.slice(this.folders.length - folders)) this.folders.push(name);
    for (const row of message.objects.slice(this.objects.length - objects)) this.objects.push(row);
    const { loading, failed, complete, rest, unnamed } = message;
    Object.assign(this, { loading, failed, complete, rest, unnamed });
    return true;
  }

  /** Folders stand first. Keys stay when more rows come, places do not. */
  keyAt = (place) => (place < this.folders.length ? -1 - place : place - this.folders.length);
  placeOf = (key) => (isFolder(key) ? -1 - key : key + this.folders.length);
  has = (key) => (isFolder(key) ? -1 - key < this.folders.length : key < this.objects.length);
  name = (key) => (isFolder(key) ? this.folders[-1 - key] : this.objects[key][0]);
  uri = (key) => this.folder + this.name(key);
}

