// The front end of BucketBrowser (widget.py): it asks the kernel for rows and gestures, and draws what comes back.

import { Address } from "../base/address.js";
import { openDialog } from "../base/dialog.js";
import { later, make } from "../base/text.js";
import { View } from "../base/view.js";
import { ContentPanel } from "./content.js";
import { KEYS } from "./keys.js";
import { List } from "./list.js";
import { showMatches } from "./match_list.js";
import { PathBar } from "./path.js";
import { Rows } from "./rows.js";
import { Tools, isTyped } from "./tools.js";
import { Tray } from "./tray.js";
import { cameFrom, emptyText, statusText } from "./words.js";

/** @import { RenderProps } from "../base/model.js" */
/** @import { BrowserMessage, BrowserRequest, BrowserTraits, RowsMessage } from "./messages.js" */

const SKELETON_MS = 150; // a store that answers sooner shows no placeholder

/** @extends {View<BrowserTraits, BrowserMessage, BrowserRequest>} */
class BrowserView extends View {
  /** @type {Rows | null} the newest, which may have nothing to show yet */
  rows = null;
  /** @type {{ to: string, name: string } | null} the folder above that is gone to, and the one in it that is left */
  from = null;
  /** @type {string | null} the folder above this one */
  above = null;

  /** @param {RenderProps<BrowserTraits>} props */
  constructor({ model, el }) {
    super(model, el, "browser", "Bucket browser");
    const ask = (/** @type {BrowserRequest} */ request) => this.ask(request);
    const toList = () => this.list.node.focus({ preventScroll: true });
    this.home = model.get("path"); // where an address without a folder leads
    this.address = new Address(["folder", "filter", "select", "file"], () => this.restore(null));
    this.list = new List(ask, (uri) => this.open(uri), (uri) => this.look(uri), (text) => this.tools.type(text));
    this.path = new PathBar(this.list.id, {
      open: (uri) => this.open(uri),
      go: (text) => this.go(text),
      path: () => this.model.get("path"),
      leave: toList,
    });
    this.path.node.append(this.address.copyButton("Copy a link to this folder and selection"));
    this.tools = new Tools(ask, toList, this.id);
    this.tray = new Tray(ask);
    this.content = new ContentPanel(ask);
    this.status = make("div", "ch-status", "", { role: "status" });
    this.tools.node.append(this.content.open);
    this.node.append(this.path.node, this.tools.node, this.content.panel, this.list.node, this.status, this.makeError(() => this.ask({ kind: "retry" })), this.tray.node);
    this.skeletonSoon = later(SKELETON_MS, () => {
      this.list.skeleton = true;
      this.takeOver();
    });
    this.hearMessages({
      rows: (message, isNew) => this.onRows(message, isNew),
      matchedFiles: (message) => message.view === this.id && showMatches(message),
    });
    this.hear({
      "change:selected": () => this.onSelected(),
      "change:total": () => this.tray.showTotal(this.model.get("total")),
      "change:_can_undo": () => this.onUndo(),
      "change:current": () => this.onCurrent(),
      "change:_match": () => this.onMatch(),
      "change:_content": () => this.content.show(this.model.get("_content")),
      "change:_recent_folders": () => this.path.offer(this.model.get("_recent_folders")),
      "change:_console": () => this.path.link(this.model.get("_console")),
      "change:height": () => this.onHeight(),
    });
    this.node.addEventListener("keydown", (event) => this.onKey(event));
    this.onHeight();
    this.path.offer(this.model.get("_recent_folders"));
    this.path.link(this.model.get("_console"));
    this.onUndo();
    if (this.address.isThere) this.restore(this.address.all("select"));
    else this.onSelected();
    this.onMatch();
    this.content.show(this.model.get("_content"));
    this.hello();
  }

  close() {
    super.close();
    this.skeletonSoon.cancel();
    this.address.close();
    this.tools.close();
    this.list.close();
  }

  /** Show what the address says; null leaves the selection. @param {string[] | null} selected */
  restore(selected) {
    const [folder, filter, file] = ["folder", "filter", "file"].map((name) => this.address.get(name));
    const to = folder || this.home;
    const isThere = this.rows?.folder === to && this.rows.filter === filter && this.model.get("current") === file;
    if (selected || !isThere) this.ask({ kind: "restore", folder: to, filter, file, selected });
    if (!selected) this.keepSelected();
  }

  keepSelected() {
    this.address.keep({ select: this.model.get("selected") });
  }

  /** Look into a file, whatever rows the kernel has by now; the dashboard brings it into sight. @param {string} uri */
  look(uri) {
    this.model.set("current", uri);
    this.model.save_changes();
    this.node.dispatchEvent(new CustomEvent("ch-look", { bubbles: true }));
  }

  /** What the keys do wherever one is in the browser. @param {KeyboardEvent} event */
  onKey(event) {
    const typing = event.target instanceof HTMLInputElement && event.target.type !== "checkbox";
    if (!typing && event.key === "?" && !this.node.closest(".ch-dashboard")) {
      openDialog("Keys", KEYS, "In the list of files:"); // the dashboard does so wherever one is
      event.preventDefault();
      event.stopPropagation();
    }
    if (typing || event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey) return;
    if (this.model.get("_can_undo")) this.ask({ kind: "undo" });
    event.preventDefault();
    event.stopPropagation();
  }

  onCurrent() {
    const file = this.model.get("current");
    this.list.lookAt(file);
    this.address.keep({ file });
  }

  onUndo() {
    this.tray.undo.disabled = !this.model.get("_can_undo");
  }

  /** Open a folder; null is the one above. @param {string | null} uri */
  open(uri) {
    const to = uri ?? this.above;
    if (to === null) return;
    const name = cameFrom(this.rows?.folder ?? "", to);
    this.go(to, name === null ? null : { to, name });
  }

  /** @param {string} text @param {{ to: string, name: string } | null} from */
  go(text, from = null) {
    this.from = from;
    this.tools.leaveFolder();
    this.ask({ kind: "go", text });
  }

  /** @param {RowsMessage} message @param {boolean} isNew */
  onRows(message, isNew) {
    const rows = isNew || !this.rows ? this.onOther(message) : this.rows;
    if (!rows.take(message)) return void this.hello();
    // The rows of before stay until there is something to show in their place.
    if (rows.length || !rows.loading || this.list.rows === rows) this.takeOver();
    this.list.node.classList.toggle("ch-waiting", this.list.rows !== rows);
  }

  /** Rows of another folder or filter come. @param {RowsMessage} message */
  onOther(message) {
    const { filter, typed } = this.tools;
    const hasFocus = document.activeElement === filter;
    if (!isTyped(filter.value, hasFocus, this.rows?.folder, message.folder, typed)) filter.value = message.filter;
    if (this.rows?.folder !== message.folder) this.tools.typed = false;
    this.rows = new Rows(message);
    this.above = message.above;
    this.path.show(message.crumbs, message.above === null);
    const wanted = { folder: message.folder === this.home ? "" : message.folder, filter: message.filter };
    this.address.keep(wanted, wanted.folder !== this.address.get("folder"));
    this.content.open.disabled = message.folder === "gs://";
    this.list.skeleton = false;
    this.skeletonSoon();
    return this.rows;
  }

  takeOver() {
    const { rows } = this;
    if (!rows) return;
    if (!rows.loading || rows.length) this.skeletonSoon.cancel();
    const from = this.from?.to === rows.folder ? this.from.name : null; // the last page of before may come yet
    this.list.show(rows, from);
    if (from !== null && rows.length) this.from = null;
    this.list.node.classList.remove("ch-waiting");
    this.status.textContent = statusText(rows);
    this.status.classList.toggle("ch-faulty", Boolean(rows.archive?.fault));
    const nothing = !rows.length && rows.complete;
    this.list.empty.textContent = nothing ? emptyText(rows) : "";
    this.list.empty.hidden = !nothing;
  }

  onMatch() {
    const match = this.model.get("_match");
    this.tools.show(match.text === undefined ? null : match);
  }

  onSelected() {
    const selected = this.model.get("selected");
    this.list.mark(new Set(selected));
    this.tray.show(selected, this.model.get("total"));
    this.keepSelected();
  }

  onHeight() {
    this.list.node.style.setProperty("--ch-height", `${this.model.get("height")}px`);
  }
}

export default {
  /** @param {RenderProps<BrowserTraits>} props */
  render(props) {
    const view = new BrowserView(props);
    return () => view.close();
  },
};
