// The filters of JobHistory: text, statuses and days.

import { button, later, make } from "../base/text.js";

const TYPING_MS = 250;
const STATUSES = ["pending", "running", "complete", "failed", "cancelled"];

/**
 * The moment at which a day begins here, some days on; "" for no day.
 * @param {string} day
 */
export function midnight(day, on = 0) {
  const [year, month, date] = day.split("-").map(Number);
  if (!year || year < 1000) return "";
  return new Date(year, month - 1, date + on).toISOString();
}

/** @import { Address, Values } from "../base/address.js" */
/** @import { FilterRequest } from "./messages.js" */

/** @param {HTMLElement} toggle */
const isPressed = (toggle) => toggle.getAttribute("aria-pressed") === "true";

export class Filters {
  search = make("input", "ch-input ch-history-search", "", {
    type: "search", placeholder: "Search name, tag, path, person or id", "aria-label": "Search jobs", spellcheck: "false", autocomplete: "off", autocapitalize: "off",
  });
  statuses = STATUSES.map((status) => this.makeStatus(status));
  mine = button("ch-history-status", "Mine", () => this.press(this.mine), { "aria-pressed": "false", title: "Only the jobs that you launched" });
  since = this.makeDay("First day");
  until = this.makeDay("Last day");

  /**
   * `onChange` is given what is asked for, `onLeave` is called when the keyboard goes on to the list.
   * @param {(asked: FilterRequest) => void} onChange
   * @param {() => void} onLeave
   */
  constructor(onChange, onLeave) {
    this.onChange = onChange;
    this.soon = later(TYPING_MS, () => this.change());
    this.node = make("div", "ch-bar ch-history-tools");
    this.clear = button("", "Clear filters", () => this.reset());
    this.clear.disabled = true;
    this.node.append(this.makeSearch(onLeave), this.makeStatuses(), this.makeDays(), this.clear);
  }

  /** @param {() => void} onLeave */
  makeSearch(onLeave) {
    this.search.addEventListener("input", () => this.soon());
    this.search.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") onLeave();
      else if (event.key === "Enter") this.change();
      else if (event.key === "Escape" && this.search.value) {
        this.search.value = "";
        this.change();
      } else return;
      event.preventDefault();
    });
    return this.search;
  }

  makeStatuses() {
    const group = make("div", "ch-history-statuses", "", { role: "group", "aria-label": "Status" });
    group.append(this.mine, ...this.statuses);
    return group;
  }

  /** @param {string} status */
  makeStatus(status) {
    const toggle = button("ch-history-status", "", () => this.press(toggle), { "aria-pressed": "false" });
    toggle.append(make("span", "ch-state", status, { "data-state": status }));
    return toggle;
  }

  /** @param {HTMLElement} toggle */
  press(toggle) {
    toggle.setAttribute("aria-pressed", String(!isPressed(toggle)));
    this.change();
  }

  /** What is chosen, as an address keeps it. @returns {Values} */
  values() {
    return {
      status: STATUSES.filter((_, at) => isPressed(this.statuses[at])), search: this.search.value.trim(), since: this.since.value, until: this.until.value, mine: isPressed(this.mine) ? "yes" : "",
    };
  }

  /** Choose what an address keeps; whether there is anything. @param {Address} address */
  fill(address) {
    const asked = address.all("status");
    for (const [at, status] of STATUSES.entries()) this.statuses[at].setAttribute("aria-pressed", String(asked.includes(status)));
    this.mine.setAttribute("aria-pressed", String(Boolean(address.get("mine"))));
    this.search.value = address.get("search");
    [this.since.value, this.until.value] = ["since", "until"].map((name) => (midnight(address.get(name)) ? address.get(name) : ""));
    this.change();
  }

  /** @param {string} label */
  makeDay(label) {
    const day = make("input", "ch-input", "", { type: "date", "aria-label": label });
    day.addEventListener("change", () => this.change());
    return day;
  }

  makeDays() {
    const days = make("div", "ch-history-days");
    const word = (/** @type {string} */ text) => make("span", "ch-muted", text, { "aria-hidden": "true" });
    days.append(word("From"), this.since, word("to"), this.until);
    return days;
  }

  change() {
    this.soon.cancel();
    const { status } = this.values();
    this.clear.disabled = !Object.values(this.values()).some((value) => value.length);
    this.onChange({ kind: "filter", statuses: [status].flat(), text: this.search.value, since: midnight(this.since.value), until: midnight(this.until.value, 1), mine: isPressed(this.mine) });
  }

  reset() {
    for (const toggle of [this.mine, ...this.statuses]) toggle.setAttribute("aria-pressed", "false");
    for (const box of [this.search, this.since, this.until]) box.value = "";
    this.change();
    this.search.focus();
  }
}
