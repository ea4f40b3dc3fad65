// What is selected, and the way to Launch: a bar at the foot of the dashboard's page, while Launch is out of sight.

import { button, make, number, setText, tally } from "../base/text.js";

/** @import { Chosen } from "./messages.js" */

/** "5 files · 7.7 MB", or that of folders and patterns that are still counted. @param {Chosen} chosen */
export function chosenText({ selected, files, bytes, more, counting }) {
  if (!selected) return "";
  if (!files && (counting || more)) return `${number(selected)} selected · counting`;
  return tally({ files, bytes, more }).replace(", ", " · ");
}

export class SelectionBar {
  node = make("div", "ch-launch-bar", "", { role: "region", "aria-label": "What is selected" });
  says = this.node.appendChild(make("span", "ch-launch-says", "", { role: "status" }));
  undo = this.node.appendChild(button("", "Undo", () => this.does.undo(), { title: "Take the last change of the selection back (Ctrl+Z)" }));
  launch = this.node.appendChild(button("ch-to-launch", "Launch →", () => this.does.launch()));
  /** @type {Element | null} the button of the form, which makes this bar needless while it is on screen */
  watched = null;
  isSeen = false;
  selected = 0;

  /** @param {{ undo: () => void, launch: () => void }} does */
  constructor(does) {
    this.does = does;
    this.node.hidden = true;
    this.seen = new IntersectionObserver((entries) => {
      this.isSeen = entries.some((entry) => entry.isIntersecting);
      this.update();
    });
  }

  close() {
    this.seen.disconnect();
  }

  /** @param {Element | null | undefined} button of the form */
  watch(button) {
    if (!button || button === this.watched) return;
    this.seen.disconnect();
    this.watched = button;
    this.seen.observe(button);
  }

  /** @param {Chosen} chosen */
  show(chosen) {
    this.selected = chosen.selected;
    setText(this.says, chosenText(chosen));
    this.says.title = `${number(chosen.selected)} selected: files, folders and patterns`;
    this.undo.disabled = !chosen.canUndo;
    this.update();
  }

  update() {
    this.node.hidden = !this.selected || this.isSeen;
  }
}
