// The front end of Steps (header.py): the dashboard's header. It shows one page or the other by an attribute of the whole
// dashboard, with no word from the kernel, and keeps the address in step where the page is all ours.

import { searchOf } from "../base/address.js";
import { openDialog } from "../base/dialog.js";
import { make, within } from "../base/text.js";
import { View } from "../base/view.js";
import { addressWith, queryOf, readAddress } from "./address.js";
import { SelectionBar } from "./bar.js";
import { Corner } from "./corner.js";

/** @import { RenderProps } from "../base/model.js" */
/** @import { StepsMessage, StepsRequest, StepsTraits } from "./messages.js" */
/** @typedef {{ name: string, title: string, page: StepsTraits["page"] }} Step */

/** @type {Step[]} */
const STEPS = [
  { name: "browse", title: "Browse", page: "new" },
  { name: "preview", title: "Preview", page: "new" },
  { name: "launch", title: "Launch", page: "new" },
  { name: "jobs", title: "Jobs", page: "jobs" },
];

/** For who has no files to try it on. @type {[string, string][]} */
const EXAMPLE = [
  ["Tick", "In Browse, open the bucket and tick the folder 2016/. At the foot stands what that is: 12,000 files, 1.4 GB."],
  ["Look", "Click the name of one file: its first lines show, from one small request, however large it is."],
  ["Launch", "Launch → leads to the plan: how many files, how long it takes, where the output goes. Launch runs it once."],
  ["Result", "Under Jobs it is watched. At its end: one folder with the lines of all files, which files failed and why, and the first rows as a table."],
];
const NARROW = "(max-width: 700px)"; // there the preview opens over the list

/** @param {Element | null | undefined} node */
function scrollTo(node) {
  node?.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth", block: "start" });
}

/** @extends {View<StepsTraits, StepsMessage, StepsRequest>} */
class StepsView extends View {
  at = "browse"; // the step that was chosen last
  reading = false; // the model is told what the address says, which is no news to the address
  jobId = "";
  ours = document.documentElement.dataset.chimera === "page";
  links = STEPS.map((step, at) => this.makeLink(step, at));
  corner = new Corner(this.ours);
  bar = new SelectionBar({ undo: () => this.ask({ kind: "undo" }), launch: () => this.toLaunch() });
  /** @type {HTMLElement | null} */
  around = null;

  /** @param {RenderProps<StepsTraits>} props */
  constructor({ model, el }) {
    super(model, el, "steps", "Steps");
    this.node.append(this.makeBrand(), this.makeNav(), this.corner.node);
    if (this.ours) this.node.append(this.bar.node);
    this.hearMessages({ lookAt: ({ part }) => this.go(part, part === "jobs" ? "jobs" : "new") });
    this.hear({
      "change:page": () => this.show(),
      "change:job_id": () => this.show(),
      "change:_chosen": () => this.onChosen(),
      "change:_where": () => this.onWhere(),
    });
    this.onPop = () => this.onAddress();
    this.onKey = (/** @type {KeyboardEvent} */ event) => this.onAnyKey(event);
    document.addEventListener("keydown", this.onKey);
    if (this.ours) {
      window.addEventListener("popstate", this.onPop);
      this.onAddress();
    }
    // The dashboard is around us once the whole of it is on the page.
    this.frame = requestAnimationFrame(() => this.onDashboard());
    this.hello();
  }

  close() {
    super.close();
    cancelAnimationFrame(this.frame);
    this.bar.close();
    document.removeEventListener("keydown", this.onKey);
    window.removeEventListener("popstate", this.onPop);
  }

  /** The whole of the page is there. */
  onDashboard() {
    this.around = this.dashboard();
    this.show(false);
    this.onChosen();
    this.onWhere();
    this.around?.addEventListener("ch-look", () => this.look());
    this.around?.addEventListener("click", (event) => {
      if (within(event, ".ch-look-close")) this.closeLook();
      if (within(event, ".ch-example")) this.showExample();
    });
  }

  onChosen() {
    this.bar.watch(this.around?.querySelector(".ch-form .ch-go"));
    this.bar.show(this.model.get("_chosen"));
  }

  onWhere() {
    const where = this.model.get("_where");
    this.corner.show(where);
  }

  /** On files that are there to show it, else in words. */
  showExample() {
    if (this.model.get("_where").example) this.ask({ kind: "example" });
    else openDialog("A worked example", EXAMPLE, "A year of markets, in 12,000 files of 3 kB to 2 MB, is to become one table:");
  }

  /** @param {KeyboardEvent} event */
  onAnyKey(event) {
    const { target } = event;
    const typing = target instanceof HTMLElement && (target.isContentEditable || (target.matches("input, textarea, select") && !target.matches("[type=checkbox]")));
    const here = this.ours || (target instanceof Node && Boolean(this.around?.contains(target)));
    if (!here || typing || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "?" && !document.querySelector("dialog[open]")) this.corner.showKeys();
    else if (event.key === "Escape" && this.around?.dataset.look === "open") this.closeLook();
    else return;
    event.preventDefault();
  }

  // The preview, where it has no room beside the list

  look() {
    if (!this.around || !matchMedia(NARROW).matches || this.around.dataset.look === "open") return;
    this.around.dataset.look = "open";
    if (this.ours) history.pushState({ look: true }, "");
    /** @type {HTMLElement | null} */ (this.around.querySelector(".ch-look-close"))?.focus({ preventScroll: true });
  }

  closeLook() {
    if (this.ours && history.state?.look) history.back();
    else this.hideLook();
  }

  hideLook() {
    if (!this.around) return;
    delete this.around.dataset.look;
    /** @type {HTMLElement | null} */ (this.around.querySelector(".ch-browser .ch-grid"))?.focus({ preventScroll: true });
  }

  toLaunch() {
    this.go("launch", "new");
    /** @type {HTMLElement | null | undefined} */ (this.around?.querySelector(".ch-form .ch-go"))?.focus({ preventScroll: true });
  }

  makeBrand() {
    const brand = make("h1", "ch-brand");
    brand.append(make("span", "ch-mark", "", { "aria-hidden": "true" }), make("span", "ch-brand-name", "chimera"));
    return brand;
  }

  makeNav() {
    const nav = make("nav", "ch-steps-nav", "", { "aria-label": "Steps" });
    nav.append(...this.links);
    return nav;
  }

  /** @param {Step} step @param {number} at */
  makeLink({ name, title, page }, at) {
    const link = make("a", "ch-step", "", { href: page === "jobs" ? "?jobs" : `#${name}` });
    link.append(make("span", "ch-step-number", String(at + 1), { "aria-hidden": "true" }), title);
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.go(name, page);
    });
    return link;
  }

  /** @param {string} name @param {StepsTraits["page"]} page */
  go(name, page) {
    this.at = name;
    this.tell(page, "");
    this.show();
    if (name === "preview" && matchMedia(NARROW).matches) this.look();
    else scrollTo(this.dashboard()?.querySelector(`.ch-part-${name}`));
  }

  /** Tell the kernel what is shown; each of the two is told on its own. @param {StepsTraits["page"]} page @param {string} jobId */
  tell(page, jobId) {
    this.reading = true;
    this.model.set("page", page);
    this.model.set("job_id", jobId);
    this.model.save_changes();
    this.reading = false;
  }

  dashboard() {
    return /** @type {HTMLElement | null} */ (this.node.closest(".ch-dashboard"));
  }

  /** Show what the model says; `told` when it is new, and belongs in the address. */
  show(told = true) {
    const page = this.model.get("page");
    const jobId = this.model.get("job_id");
    const dashboard = this.dashboard();
    if (dashboard) Object.assign(dashboard.dataset, { page, job: jobId ? "open" : "none" });
    STEPS.forEach(({ name, page: on }, at) => {
      const current = page === on && (page === "jobs" || name === this.at);
      if (current) this.links[at].setAttribute("aria-current", "step");
      else this.links[at].removeAttribute("aria-current");
    });
    if (!this.ours) return;
    if (jobId && jobId !== this.jobId) window.scrollTo({ top: 0 });
    this.jobId = jobId;
    document.title = jobId ? `${jobId} · chimera` : page === "jobs" ? "Jobs · chimera" : "chimera";
    const wanted = queryOf(page, jobId);
    const now = readAddress(location.search);
    if (told && !this.reading && searchOf(wanted) !== searchOf(queryOf(now.page, now.jobId))) history.pushState(null, "", addressWith(location, wanted));
  }

  onAddress() {
    if (this.around?.dataset.look === "open") this.hideLook();
    const { page, jobId } = readAddress(location.search);
    this.at = "browse";
    this.tell(page, jobId);
    this.show(false);
  }
}

export default {
  /** @param {RenderProps<StepsTraits>} props */
  render(props) {
    const view = new StepsView(props);
    return () => view.close();
  },
};
