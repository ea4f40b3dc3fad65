// The filters of JobHistory: text, statuses and days.

const TYPING_MS = 250;
const STATUSES = ["pending", "running", "complete", "failed", "cancelled"];

/** The moment at which a day begins here, some days on; "" for no day. */
function midnight(day, on = 0) {
  const [year, month, date] = day.split("-").map(Number);
  if (!year || year < 1000) return "";
  return new Date(year, month - 1, date + on).toISOString();
}

class Filters {
  /** `onChange` is given what is asked for, `onLeave` is called when the keyboard goes on to the list. */
  constructor(onChange, onLeave) {
    this.onChange = onChange;
    this.soon = later(TYPING_MS, () => this.change());
    this.node = make("div", "ch-bar ch-history-tools");
    this.clear = button("", "Clear filters", () => this.reset());
    this.clear.disabled = true;
    this.node.append(this.makeSearch(onLeave), this.makeStatuses(), this.makeDays(), this.clear);
  }

  makeSearch(onLeave) {
    this.search = make("input", "ch-input ch-history-search", "", {
      type: "search", placeholder: "Search id, path, target or person", "aria-label": "Search jobs", spellcheck: "false", autocomplete: "off", autocapitalize: "off",
    });
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
    this.statuses = STATUSES.map((status) => {
      const toggle = button("ch-history-status", "", () => {
        toggle.setAttribute("aria-pressed", String(toggle.getAttribute("aria-pressed") !== "true"));
        this.change();
      }, { "aria-pressed": "false" });
      toggle.append(make("span", "ch-state", status, { "data-state": status }));
      return group.appendChild(toggle);
    });
    return group;
  }

  makeDays() {
    const days = make("div", "ch-history-days");
    [this.since, this.until] = [["From", "First day"], ["to", "Last day"]].map(([title, label]) => {
      days.append(make("span", "ch-muted", title, { "aria-hidden": "true" }));
      const day = make("input", "ch-input", "", { type: "date", "aria-label": label });
      day.addEventListener("change", () => this.change());
      return days.appendChild(day);
    });
    return days;
  }

  change() {
    this.soon.cancel();
    const statuses = STATUSES.filter((_, at) => this.statuses[at].getAttribute("aria-pressed") === "true");
    this.clear.disabled = !(statuses.length || this.search.value.trim() || this.since.value || this.until.value);
    this.onChange({ statuses, text: this.search.value, since: midnight(this.since.value), until: midnight(this.until.value, 1) });
  }

  reset() {
    for (const toggle of this.statuses) toggle.setAttribute("aria-pressed", "false");
    for (const box of [this.search, this.since, this.until]) box.value = "";
    this.change();
    this.search.focus();
  }
}
