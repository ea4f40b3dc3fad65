// A JSON value as a tree: nodes come in order with their depth; arrows, Home, End and Enter work as in a file manager.

import { make, picture, showName, uniqueId, within } from "../base/text.js";

/** @import { TreeNode } from "./messages.js" */

const UNSEEN_IN_TEXT = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Show a line as it is; what cannot be seen becomes a mark, but for tabs, which stay.
 * @param {Element} node
 * @param {string} text
 */
export function showLine(node, text) {
  node.replaceChildren();
  let done = 0;
  for (const found of text.matchAll(UNSEEN_IN_TEXT)) {
    const shown = found[0] === "\t" ? null : picture(found[0], text.slice(Math.max(0, found.index - 2), found.index));
    if (shown === null) continue;
    node.append(text.slice(done, found.index), make("span", "ch-unseen", shown));
    done = found.index + found[0].length;
  }
  node.append(text.slice(done));
}

/** The first levels of a tree that come to no more than so many nodes; one at least. @param {TreeNode[]} nodes @param {number} most */
export function levelsToOpen(nodes, most) {
  /** @param {number} depth */
  const above = (depth) => nodes.filter(([other]) => other <= depth).length;
  let levels = 1;
  while (levels < 50 && above(levels) < nodes.length && above(levels + 1) <= most) levels += 1;
  return levels;
}

/** The index of the node that one is in; -1 for one of the first level. @param {TreeNode[]} nodes @param {number} at */
export function parentOf(nodes, at) {
  return nodes.findLastIndex(([depth], other) => other < at && depth < nodes[at][0]);
}

/** Which nodes are on show, of those that are open or not. @param {TreeNode[]} nodes @param {boolean[]} open */
export function shownNodes(nodes, open) {
  let closedAt = Infinity; // the depth of the closed node that what follows is in
  return nodes.map(([depth, , , children], at) => {
    if (depth <= closedAt) closedAt = Infinity;
    const shown = depth <= closedAt;
    if (children && !open[at] && closedAt === Infinity) closedAt = depth;
    return shown;
  });
}

/** What a value looks like, by how many are in it and its text. @param {number} children @param {string} text */
export function kindOf(children, text) {
  if (children) return "many";
  return text.startsWith('"') ? "text" : /^[-\d]/.test(text) ? "number" : "word";
}

export class Tree {
  /** @type {TreeNode[]} */
  nodes = [];
  /** @type {HTMLElement[]} */
  rows = [];
  /** @type {boolean[]} */
  open = [];
  active = 0;
  id = uniqueId("tree");

  constructor() {
    this.node = make("div", "ch-tree ch-mono", "", { role: "tree", tabindex: "0" });
    this.node.addEventListener("keydown", (event) => this.onKey(event));
    this.node.addEventListener("click", (event) => {
      const row = within(event, ".ch-node");
      const at = row ? this.rows.indexOf(row) : -1;
      if (at < 0) return;
      this.toggle(at);
      this.move(at);
    });
  }

  /**
   * So many levels are open as come to no more than `openNodes`, one at least.
   * @param {TreeNode[]} nodes
   * @param {number} openNodes
   * @param {string} label
   */
  show(nodes, openNodes, label) {
    this.nodes = nodes;
    const levels = levelsToOpen(nodes, openNodes);
    this.open = nodes.map(([depth]) => depth < levels);
    this.rows = nodes.map((node, at) => this.makeRow(node, at));
    this.node.replaceChildren(...this.rows);
    this.node.setAttribute("aria-label", label);
    this.paint();
    this.move(0, false);
  }

  /** @param {TreeNode} node @param {number} at */
  makeRow([depth, label, text, children], at) {
    const row = make("div", "ch-node", "", { role: "treeitem", id: `${this.id}-${at}`, "aria-level": depth + 1 });
    row.style.setProperty("--ch-depth", String(depth));
    row.append(make("span", "ch-twist", "", { "aria-hidden": "true" }));
    if (label) showName(row.appendChild(make("span", "ch-node-label", "", { dir: "ltr" })), label);
    const value = row.appendChild(make("span", `ch-node-text ch-node-${kindOf(children, text)}`, "", { dir: "ltr" }));
    showLine(value, text);
    row.classList.toggle("ch-leaf", !children);
    return row;
  }

  paint() {
    shownNodes(this.nodes, this.open).forEach((shown, at) => {
      this.rows[at].hidden = !shown;
      if (this.nodes[at][3]) this.rows[at].setAttribute("aria-expanded", String(this.open[at]));
    });
  }

  /** @param {number} at */
  toggle(at, open = !this.open[at]) {
    if (!this.nodes[at][3] || this.open[at] === open) return;
    this.open[at] = open;
    this.paint();
  }

  /** @param {number} at */
  move(at, scroll = true) {
    this.rows[this.active]?.classList.remove("ch-active");
    this.active = at;
    if (!this.rows[at]) return void this.node.removeAttribute("aria-activedescendant");
    this.rows[at].classList.add("ch-active");
    if (scroll) this.rows[at].scrollIntoView({ block: "nearest" });
    this.node.setAttribute("aria-activedescendant", this.rows[at].id);
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (!this.nodes.length || event.altKey || event.ctrlKey || event.metaKey) return;
    const seen = this.rows.map((_, at) => at).filter((at) => !this.rows[at].hidden);
    const index = seen.indexOf(this.active);
    const [depth, , , children] = this.nodes[this.active];
    /** @param {number} to */
    const go = (to) => seen[to] !== undefined && this.move(seen[to]);
    if (event.key === "ArrowDown") go(index + 1);
    else if (event.key === "ArrowUp") go(index - 1);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(seen.length - 1);
    else if (event.key === "Enter" || event.key === " ") this.toggle(this.active);
    else if (event.key === "ArrowRight" && children && !this.open[this.active]) this.toggle(this.active, true);
    else if (event.key === "ArrowRight") children && go(index + 1);
    else if (event.key === "ArrowLeft" && children && this.open[this.active]) this.toggle(this.active, false);
    else if (event.key === "ArrowLeft") depth && this.move(parentOf(this.nodes, this.active));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
